// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Signatures} from "../base/Signatures.sol";
import {Verdicts} from "../base/Verdicts.sol";
import {Blocks, Inclusion, Level} from "./Block.sol";
import {Chain, Chains, ChainState} from "./Chain.sol";
import {IRootChain} from "./IRootChain.sol";
import {Locks, LockTerms} from "./LockTerms.sol";
import {Spend} from "./Spend.sol";
import {Transaction, Transactions} from "./Transaction.sol";

/// @title Which transactions count: shown or live, authorised, and who may speak for an output.
/// @dev Every verb asks here and nowhere else.
abstract contract Standing is Signatures {
    using Blocks for *;
    using Chains for Chain;
    using Locks for LockTerms;
    using Transactions for Transaction;

    /// @dev The registry of revealed preimages that decides locked outputs.
    Verdicts internal immutable _registry;

    /// @dev Chains by id.
    mapping(bytes32 chain => ChainState) internal _chains;
    /// @dev keccak256(abi.encode(header, time, asOf)) of each number of each root-level chain.
    mapping(bytes32 chain => mapping(uint256 number => bytes32)) internal _commitments;
    /// @dev Transactions authorised without a signature.
    mapping(address owner => mapping(bytes32 txHash => bool)) internal _approved;

    constructor(Verdicts registry) {
        _registry = registry;
    }

    /// @dev The ids of a path's root and of the chain that it leads to, each chain the child of the one before it.
    function _ends(Chain[] calldata path) internal pure returns (bytes32 root, bytes32 id) {
        uint256 depth = path.length;
        require(depth != 0 && depth <= 3, IRootChain.WrongDepth(depth, 3));
        require(path[0].parent == 0, IRootChain.WrongParent(path[0].parent, 0));
        root = id = path[0].chainId();
        for (uint256 i = 1; i < depth; ++i) {
            require(path[i].parent == id, IRootChain.WrongParent(path[i].parent, id));
            id = path[i].chainId();
        }
    }

    /// @dev Included in a block of the chain that the transaction itself names, at or before its lastBlock.
    function _requireShown(
        Chain[] calldata path,
        Transaction calldata transaction,
        bytes32 txHash,
        Inclusion calldata inclusion
    ) internal view {
        (uint40 number, uint40 lastBlock) = (inclusion.number, transaction.lastBlock);
        require(number <= lastBlock, IRootChain.IncludedLate(number, lastBlock));
        bytes32 head = Blocks.rootOf(txHash, inclusion).header(inclusion.childrenRoot);
        _requireCommitted(path, transaction.chain, head, number, inclusion.time, inclusion.asOf, inclusion.levels);
    }

    /// @dev The chain's header at a number is anchored, through every level above it, by what L1 kept of the number.
    function _requireCommitted(
        Chain[] calldata path,
        bytes32 chain,
        bytes32 head,
        uint40 number,
        uint40 time,
        uint40 asOf,
        Level[] calldata levels
    ) internal view {
        (bytes32 root, bytes32 id) = _ends(path);
        require(id == chain, IRootChain.WrongChain(id, chain));
        require(levels.length == path.length - 1, IRootChain.WrongDepth(levels.length, path.length - 1));
        if (levels.length != 0) {
            _requireBegun(id, number);
            for (uint256 i = 0; i < levels.length; ++i) {
                Chain calldata child = path[levels.length - i];
                head = _parentHeader(child, head, number, asOf, levels[i]);
            }
        }
        bytes32 have = head.commitmentHash(time, asOf);
        bytes32 need = _commitments[root][number];
        require(have == need, IRootChain.WrongCommitment(have, need));
    }

    /// @dev A child that is registered has blocks from the number after `since` on.
    function _requireBegun(bytes32 id, uint40 number) private view {
        ChainState storage state = _chains[id];
        require(state.depth != 0, IRootChain.UnknownChain(id));
        require(number > state.since, IRootChain.NotBefore(number, state.since));
    }

    /// @dev The header above a child's, which the child's operator signed for this number and this view of L1.
    function _parentHeader(
        Chain calldata child,
        bytes32 head,
        uint40 number,
        uint40 asOf,
        Level calldata level
    ) private view returns (bytes32) {
        bytes32 id = child.chainId();
        bytes32 digest = _digest(Blocks.headerHash(id, number, asOf, head));
        address have = _recoverCompact(digest, level.r, level.vs);
        require(_isKey(have, child.operator), IRootChain.WrongHeader(id, have, child.operator));
        return head.parentHeader(child.slot, level);
    }

    /// @dev A transaction of the chain that spends this output, and is included or still able to be: then the last number
    /// is below its lastBlock.
    function _requireCounts(
        Chain[] calldata path,
        bytes32 chain,
        bytes32 id,
        Spend calldata spend
    ) internal view returns (bytes32 txHash) {
        Transaction calldata transaction = spend.tx;
        bytes32[] calldata inputs = transaction.inputs;
        txHash = _digest(transaction.structHash(inputs, transaction.outputs));
        (uint8 input, bytes32 have) = (spend.input, transaction.chain);
        require(have == chain, IRootChain.WrongChain(have, chain));
        require(input < inputs.length, IRootChain.NoSuchPosition(input, inputs.length));
        require(inputs[input] == id, IRootChain.WrongInput(inputs[input], id));
        Inclusion[] calldata proofs = spend.inclusion;
        require(proofs.length <= 1, IRootChain.TooManyInclusions(proofs.length, 1));
        if (proofs.length == 1) _requireShown(path, transaction, txHash, proofs[0]);
        else _requireLive(path, chain, transaction.lastBlock);
    }

    function _requireLive(Chain[] calldata path, bytes32 chain, uint40 lastBlock) private view {
        (bytes32 root, bytes32 id) = _ends(path);
        require(id == chain, IRootChain.WrongChain(id, chain));
        uint40 number = _chains[root].number;
        require(number < lastBlock, IRootChain.Expired(lastBlock, number));
    }

    /// @dev A signature, or an approval on layer 1; a contract's own word could be taken back and is not asked.
    function _requireAuthorised(address payee, bytes32 txHash, bytes calldata authorisation) internal view {
        if (authorisation.length == 0) require(_approved[payee][txHash], IRootChain.NotApproved(payee, txHash));
        else _requireSigned(txHash, authorisation, payee);
    }

    /// @dev The same for a locked output: its payee's, or of both sides while nobody has decided between them. Half of
    /// such a pair is the word of its signer for ever, and counts as that once the signer is the payee.
    function _requireAuthorisedUnder(
        LockTerms calldata terms,
        address owner,
        Transaction calldata transaction,
        bytes32 txHash,
        bytes calldata authorisation
    ) internal view {
        address payee = _payee(owner, terms);
        bool pair = authorisation.length == 128;
        bool together = pair && transaction.inputs.length == 1;
        require(payee != address(0) || together, IRootChain.Undecided(terms.lockOf()));
        if (!pair) return _requireAuthorised(payee, txHash, authorisation);
        if (payee == address(0) || payee == owner) _requireHalf(owner, txHash, authorisation[:64]);
        if (payee != owner) _requireHalf(terms.refund, txHash, authorisation[64:]);
    }

    /// @dev A half of a pair: a compact signature, or zeros where its side approved.
    function _requireHalf(address side, bytes32 txHash, bytes calldata half) private view {
        bool approval = bytes32(half) == 0 && bytes32(half[32:]) == 0;
        _requireAuthorised(side, txHash, approval ? half[:0] : half);
    }

    /// @dev Whom a lock has decided for: its owner if the preimage came in time, its refund if it did not; zero before.
    function _payee(address owner, LockTerms calldata terms) internal view returns (address) {
        (uint40 revealed, ) = _registry.verdict(address(0), terms.hash);
        if (revealed != 0 && revealed <= terms.expiry) return owner;
        return block.timestamp > terms.expiry ? terms.refund : address(0);
    }

    /// @dev Whether somebody may act for a locked output: its payee, or either side while nobody has decided.
    function _maySpeak(address who, address owner, LockTerms calldata terms) internal view returns (bool) {
        address payee = _payee(owner, terms);
        if (payee != address(0)) return _isKey(who, payee);
        return _isKey(who, owner) || _isKey(who, terms.refund);
    }

    /// @dev The terms of a lock among those given.
    function _termsOf(bytes32 lock, LockTerms[] calldata terms) internal pure returns (LockTerms calldata) {
        for (uint256 i = 0; i < terms.length; ++i) if (terms[i].lockOf() == lock) return terms[i];
        revert IRootChain.WrongLock(0, lock);
    }
}

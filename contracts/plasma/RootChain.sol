// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Asset, Credits} from "../base/Asset.sol";
import {Signatures} from "../base/Signatures.sol";
import {Verdicts} from "../base/Verdicts.sol";
import {Blocks, Inclusion} from "./Block.sol";
import {Exit, Exits, InFlightExit, Permit} from "./Exit.sol";
import {ExitQueue} from "./ExitQueue.sol";
import {IRootChain, Spend} from "./IRootChain.sol";
import {Chain, Deposit, Output, Transaction, Transactions} from "./Transaction.sol";

/// @title The root chain
/// @dev The rules are told in IRootChain. One mapping is the truth about every output, one word is kept of every exit.
contract RootChain is IRootChain, Credits, Signatures, ReentrancyGuardTransient {
    using ExitQueue for ExitQueue.Queue;
    using Exits for Exit;
    using Transactions for Transaction;
    using Transactions for Chain;
    using Transactions for Deposit;

    /// @notice What is known of a chain. The last number, its time and its asOf are kept at root level only.
    struct ChainState {
        uint8 depth;
        uint40 since;
        uint40 number;
        uint40 time;
        uint40 asOf;
    }

    /// @notice The money of a chain in one asset, and the exits that want it.
    struct Vault {
        uint256 pot;
        ExitQueue.Queue queue;
    }

    uint256 private constant DEPOSITED = 1 << 248;
    uint256 private constant PAID = 2 << 248;
    /// @dev Gas with which one exit passes whatever its receivers do: two pushes, two credits, its bookkeeping.
    uint256 private constant PROCESS_GAS = 300_000;

    /// @notice The registry of revealed preimages that decides locked outputs.
    Verdicts public immutable verdicts;
    /// @notice An exit is paid this many seconds after its start at the earliest.
    uint40 public immutable mfp;
    /// @notice How many seconds a commit may come after its asOf.
    uint40 public immutable margin;
    /// @notice How many seconds a child's slot may stay unopened before its watchers act.
    uint40 public immutable alarm;
    /// @notice Gas whose price is a position's bond, at a base fee between the two limits (wei per gas).
    uint256 public immutable bondGas;
    uint256 public immutable feeFloor;
    uint256 public immutable feeCeiling;

    /// @notice Chains by id.
    mapping(bytes32 chain => ChainState) public chains;
    /// @notice keccak256(abi.encode(header, time, asOf)) of each number of each root-level chain.
    mapping(bytes32 chain => mapping(uint256 number => bytes32)) public commitments;
    /// @notice What layer 1 knows of an output: 0 = nothing, else a tag in the top byte: 1 deposited, 2 paid.
    mapping(bytes32 id => uint256) public status;
    /// @notice Transactions authorised without a signature.
    mapping(address owner => mapping(bytes32 txHash => bool)) public approved;
    mapping(bytes32 chain => mapping(address asset => Vault)) private _vaults;

    constructor(
        Verdicts verdicts_,
        uint40 mfp_,
        uint40 margin_,
        uint40 alarm_,
        uint256 bondGas_,
        uint256 feeFloor_,
        uint256 feeCeiling_
    ) {
        bool timely = mfp_ != 0 && mfp_ % 2 == 0 && uint256(margin_) + alarm_ <= mfp_ / 4;
        require(timely && feeFloor_ <= feeCeiling_, WrongTerms(mfp_, margin_, alarm_, feeFloor_, feeCeiling_));
        (verdicts, mfp, margin, alarm) = (verdicts_, mfp_, margin_, alarm_);
        (bondGas, feeFloor, feeCeiling) = (bondGas_, feeFloor_, feeCeiling_);
    }

    // A chain begins, and its operator anchors it.

    /// @inheritdoc IRootChain
    function register(Chain[] calldata path, bytes[] calldata signatures) external nonReentrant {
        bytes32 id = _leaf(path);
        require(signatures.length == 1, WrongSignatures(signatures.length, 1));
        require(chains[id].depth == 0, KnownChain(id));
        _requireSigned(_digest(path[0].registrationHash()), signatures[0], path[0].operator);
        chains[id].depth = 1;
        emit ChainRegistered(id, 0, path);
    }

    /// @inheritdoc IRootChain
    function commit(Chain calldata chain, uint40 number, bytes32 header, uint40 asOf) external nonReentrant {
        bytes32 id = chain.chainId();
        uint40 time = uint40(block.timestamp);
        ChainState storage state = chains[id];
        (uint40 lastNumber, uint40 lastTime, uint40 lastAsOf) = (state.number, state.time, state.asOf);
        require(state.depth == 1, UnknownChain(id));
        require(msg.sender == chain.operator, NotOperator(msg.sender, chain.operator));
        require(number == lastNumber + 1, WrongNumber(number, lastNumber + 1));
        require(time > lastTime, SameSecond(time, lastTime));
        require(asOf >= lastAsOf, EarlyAsOf(asOf, lastAsOf));
        require(asOf < time, FutureAsOf(asOf, time));
        require(time <= asOf + margin, LateCommit(time, asOf + margin));
        (state.number, state.time, state.asOf) = (number, time, asOf);
        commitments[id][number] = Blocks.commitmentHash(header, time, asOf);
        emit Committed(id, number, time, asOf, header);
    }

    // Money comes in, and is spent where the court does not look.

    /// @inheritdoc IRootChain
    function deposit(
        bytes32 chain,
        bytes32 salt,
        address owner,
        address asset,
        uint256 value
    ) external payable nonReentrant {
        bytes32 id = Transactions.depositId(chain, msg.sender, salt, owner, asset, value);
        uint256 pot = _vaults[chain][asset].pot;
        require(asset == Asset.ETHER, UnsupportedAsset(asset));
        require(owner != address(0), ZeroOwner());
        require(value != 0, ZeroValue());
        // Only a chain that is known can have money.
        require(pot != 0 || chains[chain].depth != 0, UnknownChain(chain));
        require(status[id] == 0, WrongStatus(id, status[id], 0));
        status[id] = DEPOSITED;
        _vaults[chain][asset].pot = pot + value;
        emit Deposited(id, chain, owner, msg.sender, salt, asset, value);
        Asset.pull(asset, value);
    }

    /// @inheritdoc IRootChain
    function approve(bytes32 txHash) external nonReentrant {
        approved[msg.sender][txHash] = true;
        emit Approved(msg.sender, txHash);
    }

    // Money wants out.

    /// @inheritdoc IRootChain
    function startExit(
        Chain[] calldata path,
        Transaction calldata transaction,
        uint8 output,
        Inclusion calldata inclusion,
        Permit calldata permit
    ) external payable nonReentrant {
        bytes32 txHash = _digest(transaction.structHash());
        bytes32 id = Transactions.outputId(txHash, output);
        _requireShown(path, transaction, txHash, inclusion);
        require(output < transaction.outputs.length, NoSuchPosition(output, transaction.outputs.length));
        Output calldata leaving = transaction.outputs[output];
        require(leaving.lock == 0, LockedOutput(leaving.lock));
        require(leaving.asset == Asset.ETHER, UnsupportedAsset(leaving.asset));
        require(status[id] < PAID, Finalised(id, status[id]));
        uint40 mature = inclusion.time + 2 * mfp;
        uint40 lane = mature > uint40(block.timestamp) + mfp ? inclusion.number : 0;
        _start(transaction.chain, leaving.asset, leaving.owner, id, leaving.value, lane, mature, permit);
    }

    /// @inheritdoc IRootChain
    function startDepositExit(Deposit calldata deposited, Permit calldata permit) external payable nonReentrant {
        bytes32 id = deposited.depositId();
        require(status[id] == DEPOSITED, WrongStatus(id, status[id], DEPOSITED));
        _start(deposited.chain, deposited.asset, deposited.owner, id, deposited.value, 0, 0, permit);
    }

    /// @dev Joins the queue: at its own second `mature` in a number's lane, else `mfp` from now in the list.
    function _start(
        bytes32 chain,
        address asset,
        address owner,
        bytes32 id,
        uint256 value,
        uint40 lane,
        uint40 mature,
        Permit calldata permit
    ) private {
        _requireBond();
        _requirePermit(chain, id, owner, permit);
        uint40 exitableAt = lane == 0 ? uint40(block.timestamp) + mfp : mature;
        Exit memory exit = Exit(chain, asset, owner, 0, id, 1, value, exitableAt, msg.value, msg.sender);
        uint40 index = _vaults[chain][asset].queue.push(lane, exit.entryOf());
        emit ExitStarted(id, lane, index, exit);
    }

    /// @dev Within one and two bonds, so that nobody prices others out of a challenge's reward or of an exit.
    function _requireBond() private view {
        uint256 least = bond(block.basefee);
        require(msg.value >= least && msg.value <= 2 * least, WrongBond(msg.value, least, 2 * least));
    }

    function _requirePermit(bytes32 chain, bytes32 id, address owner, Permit calldata permit) private view {
        if (permit.signature.length == 0) {
            require(msg.sender == owner, WrongSigner(msg.sender, owner));
            return;
        }
        (address starter, uint40 time) = (permit.starter, uint40(block.timestamp));
        require(starter == address(0) || starter == msg.sender, WrongStarter(msg.sender, starter));
        require(time <= permit.deadline, PermitExpired(time, permit.deadline));
        _requireSigned(_digest(Exits.startHash(chain, id, permit)), permit.signature, owner);
    }

    // Somebody objects.

    /// @inheritdoc IRootChain
    function challengeExit(
        Chain[] calldata path,
        Exit calldata exit,
        uint40 lane,
        uint40 index,
        Spend calldata spend
    ) external nonReentrant {
        bytes32 txHash = _digest(spend.tx.structHash());
        bytes32[] calldata inputs = spend.tx.inputs;
        require(spend.tx.chain == exit.chain, WrongChain(spend.tx.chain, exit.chain));
        require(spend.input < inputs.length, NoSuchPosition(spend.input, inputs.length));
        require(inputs[spend.input] == exit.ids, WrongInput(inputs[spend.input], exit.ids));
        _requireAuthorised(exit.owner, txHash, spend.signature);
        _requireLiveOrShown(path, spend, txHash);
        _void(exit, lane, index);
        emit ExitChallenged(exit.ids, lane, index, txHash, msg.sender);
        _split(exit);
    }

    /// @inheritdoc IRootChain
    function cancelExit(Exit calldata exit, uint40 lane, uint40 index) external nonReentrant {
        require(msg.sender == exit.owner, NotOwner(msg.sender, exit.owner));
        _void(exit, lane, index);
        emit ExitCancelled(exit.ids, lane, index);
        _split(exit);
    }

    function _void(Exit calldata exit, uint40 lane, uint40 index) private {
        ExitQueue.Queue storage queue = _vaults[exit.chain][exit.asset].queue;
        (uint256 have, uint256 need) = (queue.wordAt(lane, index), exit.entry());
        require(have == need, WrongEntry(have, need));
        queue.clear(lane, index);
    }

    /// @dev Half the bond to the sender, the rest to those whom the exit would have taken it from.
    function _split(Exit calldata exit) private {
        uint256 half = exit.bond / 2;
        _vaults[exit.chain][Asset.ETHER].pot += exit.bond - half;
        _pay(Asset.ETHER, msg.sender, half);
    }

    /// @dev A signature, or an approval on layer 1; a contract's own word could be taken back and is not asked.
    function _requireAuthorised(address payee, bytes32 txHash, bytes calldata signature) private view {
        if (signature.length == 0) require(approved[payee][txHash], NotApproved(payee, txHash));
        else _requireSigned(txHash, signature, payee);
    }

    function _requireLiveOrShown(Chain[] calldata path, Spend calldata spend, bytes32 txHash) private view {
        uint256 shown = spend.inclusion.length;
        require(shown <= 1, TooManyInclusions(shown, 1));
        if (shown == 1) return _requireShown(path, spend.tx, txHash, spend.inclusion[0]);
        bytes32 id = _leaf(path);
        require(id == spend.tx.chain, WrongChain(id, spend.tx.chain));
        uint40 number = chains[id].number;
        require(number < spend.tx.lastBlock, Expired(spend.tx.lastBlock, number));
    }

    /// @dev Included in a block of the chain that the transaction itself names, at or before its lastBlock.
    function _requireShown(
        Chain[] calldata path,
        Transaction calldata transaction,
        bytes32 txHash,
        Inclusion calldata inclusion
    ) private view {
        bytes32 id = _leaf(path);
        require(id == transaction.chain, WrongChain(id, transaction.chain));
        uint40 number = inclusion.number;
        require(number <= transaction.lastBlock, IncludedLate(number, transaction.lastBlock));
        require(inclusion.levels.length == 0, WrongDepth(inclusion.levels.length, 0));
        bytes32 have = Blocks.impliedCommitment(txHash, inclusion);
        bytes32 need = commitments[id][number];
        require(have == need, WrongCommitment(have, need));
    }

    /// @dev The id of the chain that a path leads to; so far always one of the root level.
    function _leaf(Chain[] calldata path) private pure returns (bytes32) {
        require(path.length == 1, WrongDepth(path.length, 1));
        require(path[0].parent == 0, WrongParent(path[0].parent, 0));
        return path[0].chainId();
    }

    // The queue pays.

    /// @inheritdoc IRootChain
    function process(
        bytes32 chain,
        address asset,
        Exit[] calldata exits,
        InFlightExit[] calldata inFlight
    ) external nonReentrant {
        require(inFlight.length == 0, UnsupportedExits(inFlight.length, 0));
        Vault storage vault = _vaults[chain][asset];
        ExitQueue.Queue storage queue = vault.queue;
        uint256 next = 0;
        for (bool moved = false; ; moved = true) {
            (bool none, uint256 word, uint40 lane, uint40 index) = queue.peek();
            if (none) {
                require(moved, EmptyQueue(chain, asset));
                return;
            }
            (uint40 time, uint40 exitableAt) = (uint40(block.timestamp), uint40(word >> 216));
            if (time < exitableAt) {
                require(moved, NotExitable(time, exitableAt));
                return;
            }
            if (word != 0) next = _find(exits, next, word);
            if (gasleft() < PROCESS_GAS) {
                require(moved, Asset.GasShort(gasleft(), PROCESS_GAS));
                return;
            }
            if (word != 0 && next == exits.length) {
                require(moved, MissingExit(lane, index));
                return;
            }
            queue.pop(lane, index);
            if (word == 0) continue;
            _settle(vault, exits[next], lane, index);
            ++next;
        }
    }

    /// @dev The first exit from `next` on that has this word; the end if none has, or if gas runs short on the way.
    function _find(Exit[] calldata exits, uint256 next, uint256 word) private view returns (uint256) {
        while (next < exits.length && exits[next].entry() != word && gasleft() >= PROCESS_GAS) ++next;
        return next;
    }

    /// @dev Pays an exit once, from its own pot, and its bond back; or drops it with its bond.
    function _settle(Vault storage vault, Exit calldata exit, uint40 lane, uint40 index) private {
        (bytes32 id, uint256 value, uint256 pot) = (exit.ids, exit.value, vault.pot);
        if (status[id] >= PAID) {
            value = 0;
            emit ExitDropped(id, lane, index);
        } else if (value > pot) {
            emit ExitUnpaid(id, lane, index, pot, value);
            value = 0;
        } else {
            status[id] = PAID;
            vault.pot = pot - value;
            emit ExitPaid(id, lane, index, value);
        }
        _payWithBond(exit, value);
    }

    /// @dev One push where both go the same way.
    function _payWithBond(Exit calldata exit, uint256 value) private {
        if (exit.asset == Asset.ETHER && exit.owner == exit.starter) {
            _pay(Asset.ETHER, exit.owner, value + exit.bond);
        } else {
            _pay(exit.asset, exit.owner, value);
            _pay(Asset.ETHER, exit.starter, exit.bond);
        }
    }

    /// @inheritdoc IRootChain
    function claimCredit(address asset, address owner, address to) external nonReentrant {
        _claimCredit(asset, owner, to);
    }

    // What anybody may ask.

    /// @inheritdoc IRootChain
    function bond(uint256 baseFee) public view returns (uint256) {
        uint256 fee = baseFee < feeFloor ? feeFloor : baseFee;
        return bondGas * (fee > feeCeiling ? feeCeiling : fee);
    }

    /// @inheritdoc IRootChain
    function pots(bytes32 chain, address asset) external view returns (uint256) {
        return _vaults[chain][asset].pot;
    }

    /// @inheritdoc IRootChain
    function entry(bytes32 chain, address asset, uint40 lane, uint40 index) external view returns (uint256) {
        return _vaults[chain][asset].queue.wordAt(lane, index);
    }
}

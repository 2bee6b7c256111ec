// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Asset} from "../base/Asset.sol";
import {Verdicts} from "../base/Verdicts.sol";
import {Blocks, Inclusion} from "./Block.sol";
import {Chain, Chains, ChainState} from "./Chain.sol";
import {Deposits} from "./Deposit.sol";
import {Exit} from "./Exit.sol";
import {ExitQueue} from "./ExitQueue.sol";
import {Member} from "./Roster.sol";
import {InFlight, InFlightExit, Source} from "./InFlightExit.sol";
import {InFlightState} from "./InFlightState.sol";
import {IInFlightExits} from "./IInFlightExits.sol";
import {IPayouts} from "./IPayouts.sol";
import {IRootChain} from "./IRootChain.sol";
import {LockTerms} from "./LockTerms.sol";
import {RootChainCode} from "./RootChainCode.sol";
import {Spend} from "./Spend.sol";
import {StandardExits} from "./StandardExits.sol";
import {Transaction} from "./Transaction.sol";
import {Terms, Vault, Vaults} from "./Vaults.sol";

/// @title The root chain
/// @dev The rules are told in IRootChain. One mapping is the truth about every output, one word is kept of every exit.
/// Blocks and deposits are judged here, standard exits in StandardExits; in-flight exits and payments by RootChainCode,
/// which runs on this storage.
contract RootChain is StandardExits {
    using ExitQueue for ExitQueue.Queue;
    using Chains for Chain;

    /// @dev What asking a token for its kind may cost: three questions of 30,000, and what is between them.
    uint256 private constant KIND_GAS = 130_000;

    /// @notice How many seconds a commit may come after its asOf.
    uint40 public immutable margin;
    /// @notice How many seconds a child's slot may stay unopened before its watchers act.
    uint40 public immutable alarm;
    /// @dev The code of in-flight exits and of payments; made here, without storage or money of its own.
    address private immutable _code;

    /// @dev Which of the 256 slots of a parent are taken.
    mapping(bytes32 parent => uint256) private _slots;

    /// @notice See IRootChain: seconds until an exit may be paid, seconds that a commit may lag and a slot stay unopened;
    /// gas whose price is a position's bond, at a base fee between two limits (wei per gas).
    constructor(
        Verdicts verdicts_,
        uint40 mfp_,
        uint40 margin_,
        uint40 alarm_,
        uint256 bondGas_,
        uint256 feeFloor_,
        uint256 feeCeiling_
    ) Vaults(Terms(verdicts_, mfp_, bondGas_, feeFloor_, feeCeiling_), address(this)) {
        bool timely = margin_ != 0 && mfp_ % 2 == 0 && uint256(margin_) + alarm_ <= mfp_ / 4;
        require(
            timely && mfp_ >> 32 == 0 && feeFloor_ <= feeCeiling_,
            WrongTerms(mfp_, margin_, alarm_, feeFloor_, feeCeiling_)
        );
        (margin, alarm) = (margin_, alarm_);
        _code = address(new RootChainCode(verdicts_, mfp_, bondGas_, feeFloor_, feeCeiling_));
    }

    // A chain begins, and its operator anchors it.

    /// @inheritdoc IRootChain
    function register(Chain[] calldata path, bytes[] calldata signatures) external unlocked {
        (bytes32 root, bytes32 id) = _ends(path);
        uint256 depth = path.length;
        uint256 need = depth == 1 ? 1 : 2;
        require(signatures.length == need, WrongSignatures(signatures.length, need));
        require(_chains[id].depth == 0, KnownChain(id));
        Chain calldata chain = path[depth - 1];
        bytes32 digest = _digest(chain.registrationHash());
        if (depth > 1) _takeSlot(chain, path[depth - 2], depth - 1, digest, signatures[1]);
        _requireSigned(digest, signatures[0], chain.operator);
        uint40 since = _chains[root].number;
        (_chains[id].depth, _chains[id].since) = (uint8(depth), since);
        emit ChainRegistered(id, since, path);
    }

    /// @dev A child takes a slot of a registered parent, once, with the parent's operator's consent.
    function _takeSlot(
        Chain calldata child,
        Chain calldata parent,
        uint256 depth,
        bytes32 digest,
        bytes calldata consent
    ) private {
        require(_chains[child.parent].depth == depth, UnknownChain(child.parent));
        (uint256 taken, uint256 slot) = (_slots[child.parent], 1 << child.slot);
        require(taken & slot == 0, SlotTaken(child.parent, child.slot));
        _requireSigned(digest, consent, parent.operator);
        _slots[child.parent] = taken | slot;
    }

    /// @inheritdoc IRootChain
    function commit(Chain calldata chain, uint40 number, bytes32 header, uint40 asOf) external unlocked {
        bytes32 id = chain.chainId();
        uint40 time = uint40(block.timestamp);
        ChainState storage state = _chains[id];
        (uint40 lastNumber, uint40 lastTime, uint40 lastAsOf) = (state.number, state.time, state.asOf);
        require(state.depth == 1, UnknownChain(id));
        require(msg.sender == chain.operator, NotOperator(msg.sender, chain.operator));
        require(number == lastNumber + 1, WrongNumber(number, lastNumber + 1));
        require(time > lastTime, SameSecond(time, lastTime));
        require(asOf >= lastAsOf, EarlyAsOf(asOf, lastAsOf));
        require(asOf < time, FutureAsOf(asOf, time));
        require(time <= asOf + margin, LateCommit(time, asOf + margin));
        (state.number, state.time, state.asOf) = (number, time, asOf);
        _commitments[id][number] = Blocks.commitmentHash(header, time, asOf);
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
    ) external payable unlocked {
        bytes32 id = Deposits.depositId(chain, msg.sender, salt, owner, asset, value);
        uint256 kind = asset == Asset.ETHER ? FUNGIBLE : _kindOf(asset);
        require(owner != address(0), ZeroOwner());
        require(_status[id] == 0, WrongStatus(id, _status[id], 0));
        _status[id] = DEPOSITED;
        if (kind == UNIQUE) _hold(chain, asset, value);
        else _addToPot(chain, _vaults[chain][asset], value);
        emit Deposited(id, chain, owner, msg.sender, salt, asset, value);
        if (asset == Asset.ETHER) Asset.pullEther(value);
        else _pullToken(asset, kind, value);
    }

    function _pullToken(address asset, uint256 kind, uint256 value) private holding {
        if (kind == UNIQUE) Asset.pullUnique(asset, value);
        else Asset.pullToken(asset, value);
    }

    /// @dev Only a chain that is known can have money; one with money is.
    function _addToPot(bytes32 chain, Vault storage vault, uint256 value) private {
        uint256 pot = vault.pot;
        require(value != 0, ZeroValue());
        require(pot != 0 || _chains[chain].depth != 0, UnknownChain(chain));
        vault.pot = pot + value;
    }

    function _hold(bytes32 chain, address asset, uint256 id) private {
        require(_chains[chain].depth != 0, UnknownChain(chain));
        require(_holders[asset][id] == 0, HeldAlready(asset, id));
        _holders[asset][id] = chain;
    }

    /// @dev What a token is, as it says itself the first time; whatever it says later.
    function _kindOf(address asset) private returns (uint256 kind) {
        kind = _kinds[asset];
        if (kind != 0) return kind;
        require(asset.code.length != 0, NoCode(asset));
        require(gasleft() >= KIND_GAS, Asset.GasShort(gasleft(), KIND_GAS));
        kind = Asset.isUnique(asset) ? UNIQUE : FUNGIBLE;
        _kinds[asset] = kind;
        emit KindFixed(asset, kind == UNIQUE);
    }

    /// @inheritdoc IRootChain
    function approve(bytes32 txHash) external unlocked {
        _approved[msg.sender][txHash] = true;
        emit Approved(msg.sender, txHash);
    }

    // A transaction in flight wants out: told in IInFlightExits. These are here for their names only; RootChainCode judges.

    /// @inheritdoc IInFlightExits
    function startInFlight(
        Chain[] calldata path,
        Transaction calldata transaction,
        bytes calldata authorisation,
        Source[] calldata sources,
        LockTerms[] calldata terms
    ) external payable {
        (path, transaction, authorisation, sources, terms);
        _runCode();
    }

    /// @inheritdoc IInFlightExits
    function piggyback(InFlightExit calldata inFlight, uint8 positions, LockTerms[] calldata terms) external payable {
        (inFlight, positions, terms);
        _runCode();
    }

    /// @inheritdoc IInFlightExits
    function compete(
        Chain[] calldata path,
        InFlightExit calldata inFlight,
        uint8 position,
        Spend calldata spend,
        LockTerms[] calldata terms
    ) external {
        (path, inFlight, position, spend, terms);
        _runCode();
    }

    /// @inheritdoc IInFlightExits
    function challengeOutput(
        Chain[] calldata path,
        InFlightExit calldata inFlight,
        uint8 position,
        Spend calldata spend,
        LockTerms[] calldata terms
    ) external {
        (path, inFlight, position, spend, terms);
        _runCode();
    }

    /// @inheritdoc IInFlightExits
    function respond(Chain[] calldata path, InFlightExit calldata inFlight, Inclusion calldata inclusion) external {
        (path, inFlight, inclusion);
        _runCode();
    }

    // The queue pays, and what could not be pushed is pulled: told in IPayouts, likewise.

    /// @inheritdoc IPayouts
    function process(
        bytes32 chain,
        address asset,
        Exit[] calldata exits,
        Member[] calldata members,
        InFlightExit[] calldata inFlight
    ) external {
        (chain, asset, exits, members, inFlight);
        _runCode();
    }

    /// @inheritdoc IPayouts
    function claimCredit(address asset, address owner, address to) external {
        (asset, owner, to);
        _runCode();
    }

    /// @inheritdoc IPayouts
    function claimToken(address asset, uint256 id, address to) external {
        (asset, id, to);
        _runCode();
    }

    /// @inheritdoc IPayouts
    function claimEscrow(address owner, LockTerms calldata terms, address asset, uint256 id, address to) external {
        (owner, terms, asset, id, to);
        _runCode();
    }

    /// @dev The same call, by other code on this storage; it ends the call with what that answers.
    function _runCode() private {
        address code = _code;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let done := delegatecall(gas(), code, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            if iszero(done) {
                revert(free, returndatasize())
            }
            return(free, returndatasize())
        }
    }

    // What anybody may ask.

    /// @inheritdoc IRootChain
    function bond(uint256 baseFee) external view returns (uint256) {
        return _bond(baseFee);
    }

    /// @inheritdoc IRootChain
    function pots(bytes32 chain, address asset) external view returns (uint256) {
        return _vaults[chain][asset].pot;
    }

    /// @inheritdoc IRootChain
    function entry(bytes32 chain, address asset, uint40 lane, uint40 index) external view returns (uint256) {
        return _vaults[chain][asset].queue.wordAt(lane, index);
    }

    /// @inheritdoc IRootChain
    function chains(bytes32 chain) external view returns (ChainState memory) {
        return _chains[chain];
    }

    /// @inheritdoc IRootChain
    function slots(bytes32 parent) external view returns (uint256) {
        return _slots[parent];
    }

    /// @inheritdoc IRootChain
    function commitments(bytes32 chain, uint256 number) external view returns (bytes32) {
        return _commitments[chain][number];
    }

    /// @inheritdoc IRootChain
    function status(bytes32 id) external view returns (uint256) {
        return _status[id];
    }

    /// @inheritdoc IRootChain
    function approved(address owner, bytes32 txHash) external view returns (bool) {
        return _approved[owner][txHash];
    }

    /// @inheritdoc IRootChain
    function kinds(address asset) external view returns (uint256) {
        return _kinds[asset];
    }

    /// @inheritdoc IRootChain
    function holders(address asset, uint256 id) external view returns (bytes32) {
        return _holders[asset][id];
    }

    /// @inheritdoc IRootChain
    function tokenCredits(address asset, uint256 id) external view returns (address) {
        return _tokenCredits[asset][id];
    }

    /// @inheritdoc IRootChain
    function escrows(address owner, bytes32 lock, address asset, uint256 id) external view returns (uint256) {
        return _escrows[_escrowKey(owner, lock, asset, id)];
    }

    /// @inheritdoc IRootChain
    function inFlights(bytes32 txHash) external view returns (uint256 state, uint56 competitor, uint56 response) {
        uint256 places = _places[txHash];
        return (InFlightState.unwrap(_inFlights[txHash]), InFlight.competitor(places), InFlight.response(places));
    }

    /// @inheritdoc IRootChain
    function verdicts() external view returns (Verdicts) {
        return _registry;
    }

    /// @inheritdoc IRootChain
    function mfp() external view returns (uint40) {
        return _mfp;
    }

    /// @inheritdoc IRootChain
    function bondTerms() external view returns (uint256 gas, uint256 feeFloor, uint256 feeCeiling) {
        return (_bondGas, _feeFloor, _feeCeiling);
    }
}

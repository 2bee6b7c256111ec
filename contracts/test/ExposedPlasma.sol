// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Signatures} from "../base/Signatures.sol";
import {Blocks, Inclusion, Level} from "../plasma/Block.sol";
import {Chain, Chains} from "../plasma/Chain.sol";
import {Deposit, Deposits} from "../plasma/Deposit.sol";
import {Exit, Exits, Permit} from "../plasma/Exit.sol";
import {ExitQueue} from "../plasma/ExitQueue.sol";
import {Group, Groups, Leaver, Membership} from "../plasma/Group.sol";
import {InFlight, InFlightExit} from "../plasma/InFlightExit.sol";
import {Locks, LockTerms} from "../plasma/LockTerms.sol";
import {Member, Rosters} from "../plasma/Roster.sol";
import {Transaction, Transactions} from "../plasma/Transaction.sol";

/// @notice Opens the hashes and the queue of Plasma to tests. Never deployed.
contract ExposedPlasma is Signatures(address(this)) {
    using ExitQueue for ExitQueue.Queue;
    using Exits for Exit;

    ExitQueue.Queue private _queue;

    function chainId(Chain calldata chain) external pure returns (bytes32) {
        return Chains.chainId(chain);
    }

    function registrationDigest(Chain calldata chain) external view returns (bytes32) {
        return _digest(Chains.registrationHash(chain));
    }

    function txHash(Transaction calldata transaction) external view returns (bytes32) {
        return _digest(Transactions.structHash(transaction));
    }

    function outputId(bytes32 hash, uint8 index) external pure returns (bytes32) {
        return Transactions.outputId(hash, index);
    }

    function depositId(Deposit calldata deposit) external pure returns (bytes32) {
        return Deposits.depositId(deposit);
    }

    function leaf(bytes32 hash) external pure returns (bytes32) {
        return Blocks.leaf(hash);
    }

    function header(bytes32 txRoot, bytes32 childrenRoot) external pure returns (bytes32) {
        return Blocks.header(txRoot, childrenRoot);
    }

    function commitmentHash(bytes32 head, uint40 time, uint40 asOf) external pure returns (bytes32) {
        return Blocks.commitmentHash(head, time, asOf);
    }

    function rootOf(bytes32 hash, Inclusion calldata proof) external pure returns (bytes32) {
        return Blocks.rootOf(hash, proof);
    }

    function headerDigest(bytes32 chain, uint40 number, uint40 asOf, bytes32 head) external view returns (bytes32) {
        return _digest(Blocks.headerHash(chain, number, asOf, head));
    }

    function slotLeaf(bytes32 head, bytes32 r, bytes32 vs) external pure returns (bytes32) {
        return Blocks.slotLeaf(head, r, vs);
    }

    function parentHeader(bytes32 head, uint8 slot, Level calldata level) external pure returns (bytes32) {
        return Blocks.parentHeader(head, slot, level);
    }

    function lockOf(LockTerms calldata terms) external pure returns (bytes32) {
        return Locks.lockOf(terms);
    }

    function memberLeaf(bytes32 id, uint256 value) external pure returns (bytes32) {
        return Groups.leaf(id, value);
    }

    function groupRoot(Member[] calldata members) external pure returns (bytes32) {
        return Rosters.rosterOf(members).rootOf();
    }

    function impliedIds(bytes32 id, Membership calldata proof) external pure returns (bytes32) {
        return Groups.impliedIds(id, proof);
    }

    function leaverHash(
        bytes32 chain,
        Group calldata group,
        Leaver calldata leaver,
        bytes32[] calldata others
    ) external view returns (bytes32) {
        return _digest(Groups.structHash(chain, group, leaver, others));
    }

    function blockRoot(
        Group calldata group,
        bytes32[] memory leaves,
        bytes32[] calldata siblings
    ) external pure returns (bytes32) {
        return Groups.blockRoot(group, leaves, siblings);
    }

    function inFlightHash(InFlightExit calldata exit) external pure returns (uint256) {
        return InFlight.hashOf(exit);
    }

    function inFlightEntry(bytes32 hash, uint40 start, uint40 exitableAt) external pure returns (uint256) {
        return InFlight.entryOf(hash, start, exitableAt);
    }

    function entry(Exit calldata exit) external pure returns (uint256) {
        return exit.entry();
    }

    /// @dev The words before and after the exit must be as they were.
    function entryOf(Exit memory exit) external pure returns (uint256 word, Exit memory same) {
        return (Exits.entryOf(exit), exit);
    }

    function startExitDigest(bytes32 chain, bytes32 id, Permit calldata permit) external view returns (bytes32) {
        return _digest(Exits.startHash(chain, keccak256(abi.encode(id)), permit));
    }

    function push(uint40 lane, uint256 word) external returns (uint40 index) {
        return _queue.push(lane, word);
    }

    function clear(uint40 lane, uint40 index) external {
        _queue.clear(lane, index);
    }

    function peek() public view returns (bool none, uint256 word, uint40 lane, uint40 index) {
        return _queue.peek(_queue.ends);
    }

    function pop() external {
        (, , uint40 lane, uint40 index) = peek();
        _queue.ends = _queue.pop(_queue.ends, lane, index);
    }
}

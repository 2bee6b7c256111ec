// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Signatures} from "../base/Signatures.sol";
import {Blocks, Inclusion} from "../plasma/Block.sol";
import {Exit, Exits, Permit} from "../plasma/Exit.sol";
import {ExitQueue} from "../plasma/ExitQueue.sol";
import {Chain, Deposit, Transaction, Transactions} from "../plasma/Transaction.sol";

/// @notice Opens the hashes and the queue of Plasma to tests. Never deployed.
contract ExposedPlasma is Signatures {
    using ExitQueue for ExitQueue.Queue;
    using Exits for Exit;

    ExitQueue.Queue private _queue;

    function chainId(Chain calldata chain) external pure returns (bytes32) {
        return Transactions.chainId(chain);
    }

    function registrationDigest(Chain calldata chain) external view returns (bytes32) {
        return _digest(Transactions.registrationHash(chain));
    }

    function txHash(Transaction calldata transaction) external view returns (bytes32) {
        return _digest(Transactions.structHash(transaction));
    }

    function outputId(bytes32 hash, uint8 index) external pure returns (bytes32) {
        return Transactions.outputId(hash, index);
    }

    function depositId(Deposit calldata deposit) external pure returns (bytes32) {
        return Transactions.depositId(deposit);
    }

    function leaf(bytes32 hash) external pure returns (bytes32) {
        return Blocks.leaf(hash);
    }

    function header(bytes32 txRoot, bytes32 childrenRoot) external pure returns (bytes32) {
        return Blocks.header(txRoot, childrenRoot);
    }

    function impliedCommitment(bytes32 hash, Inclusion calldata proof) external pure returns (bytes32) {
        return Blocks.impliedCommitment(hash, proof);
    }

    function entry(Exit calldata exit) external pure returns (uint256) {
        return exit.entry();
    }

    /// @dev The words before and after the exit must be as they were.
    function entryOf(Exit memory exit) external pure returns (uint256 word, Exit memory same) {
        return (Exits.entryOf(exit), exit);
    }

    function startExitDigest(bytes32 chain, bytes32 id, Permit calldata permit) external view returns (bytes32) {
        return _digest(Exits.startHash(chain, id, permit));
    }

    function push(uint40 lane, uint256 word) external returns (uint40 index) {
        return _queue.push(lane, word);
    }

    function clear(uint40 lane, uint40 index) external {
        _queue.clear(lane, index);
    }

    function peek() public view returns (bool none, uint256 word, uint40 lane, uint40 index) {
        return _queue.peek();
    }

    function pop() external {
        (, , uint40 lane, uint40 index) = peek();
        _queue.pop(lane, index);
    }
}

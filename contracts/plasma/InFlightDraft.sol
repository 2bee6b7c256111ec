// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InFlight} from "./InFlightExit.sol";
import {Outputs, Words} from "./Lists.sol";
import {Output, Transaction} from "./Transaction.sol";

/// @notice An in-flight exit that is being made. It lies in memory as the encoder lays it out, so that it is hashed and
/// told without a copy: from `start` on, with room before it for the head of its event, behind it for the event's rest.
struct InFlightDraft {
    uint256 start;
    Words inputs;
    Outputs outputs;
    Outputs spent;
}

using {InFlightDrafts.set, InFlightDrafts.hash, InFlightDrafts.tell} for InFlightDraft global;
/// @notice Makes in-flight exits.
library InFlightDrafts {
    /// @dev The size of an InFlightExit's head, and of its transaction's.
    uint256 private constant HEAD = 224;
    uint256 private constant TX_HEAD = 160;
    /// @dev The size of the head of InFlightStarted: where three of its arguments are, and two that are words.
    uint256 private constant EVENT_HEAD = 160;

    /// @notice Room for the exit of a transaction, with the transaction in it; what it spends is still to be written.
    /// `most` is the size of what comes behind in the event.
    function draftOf(
        Transaction calldata transaction,
        uint256 most
    ) internal pure returns (InFlightDraft memory draft) {
        bytes32[] calldata ids = transaction.inputs;
        Output[] calldata made = transaction.outputs;
        (bytes32 chain, uint256 lastBlock, bytes32 memo) = (transaction.chain, transaction.lastBlock, transaction.memo);
        assembly ("memory-safe") {
            let free := mload(0x40)
            let start := add(add(free, 128), EVENT_HEAD)
            let own := add(start, HEAD)
            let inputs := add(own, TX_HEAD)
            let outputs := add(inputs, shl(5, add(ids.length, 1)))
            let spent := add(outputs, add(32, shl(7, made.length)))
            draft := free
            mstore(draft, start)
            mstore(add(draft, 32), inputs)
            mstore(add(draft, 64), outputs)
            mstore(add(draft, 96), spent)
            mstore(start, HEAD)
            mstore(add(start, 32), sub(spent, start))
            mstore(own, chain)
            mstore(add(own, 32), TX_HEAD)
            mstore(add(own, 64), sub(outputs, own))
            mstore(add(own, 96), lastBlock)
            mstore(add(own, 128), memo)
            mstore(inputs, ids.length)
            calldatacopy(add(inputs, 32), ids.offset, shl(5, ids.length))
            mstore(outputs, made.length)
            calldatacopy(add(outputs, 32), made.offset, shl(7, made.length))
            mstore(spent, ids.length)
            mstore(0x40, add(add(add(spent, 32), shl(7, ids.length)), and(add(most, 31), not(31))))
        }
    }

    /// @notice Writes the rest of the exit.
    function set(
        InFlightDraft memory self,
        uint40 time,
        uint40 exitableAt,
        uint256 bond,
        address starter,
        bool late
    ) internal pure {
        uint256 start = self.start;
        assembly ("memory-safe") {
            mstore(add(start, 64), shr(216, shl(216, time)))
            mstore(add(start, 96), shr(216, shl(216, exitableAt)))
            mstore(add(start, 128), bond)
            mstore(add(start, 160), shr(96, shl(96, starter)))
            mstore(add(start, 192), iszero(iszero(late)))
        }
    }

    /// @notice The same word as InFlight.hashOf of the exit.
    function hash(InFlightDraft memory self) internal pure returns (uint256 word) {
        (uint256 start, uint256 size) = (self.start, _sizeOf(self));
        assembly ("memory-safe") {
            mstore8(sub(start, 33), 0x08)
            mstore(sub(start, 32), 32)
            word := keccak256(sub(start, 33), add(size, 33))
        }
        word &= InFlight.LOW_216;
    }

    /// @notice Logs InFlightStarted, its other arguments put around the exit: see there.
    function tell(
        InFlightDraft memory self,
        bytes32 topic,
        bytes32 txHash,
        bytes calldata authorisation,
        uint256 piggybacked,
        uint40 lane,
        uint40[] memory indices
    ) internal {
        (uint256 start, uint256 size) = (self.start, _sizeOf(self));
        assembly ("memory-safe") {
            let head := sub(start, EVENT_HEAD)
            let signed := add(start, size)
            let joined := add(add(signed, 32), and(add(authorisation.length, 31), not(31)))
            let end := add(add(joined, 32), shl(5, mload(indices)))
            mstore(head, EVENT_HEAD)
            mstore(add(head, 32), sub(signed, head))
            mstore(add(head, 64), piggybacked)
            mstore(add(head, 96), shr(216, shl(216, lane)))
            mstore(add(head, 128), sub(joined, head))
            // What pads the last word of the bytes is zero.
            mstore(sub(joined, 32), 0)
            mstore(signed, authorisation.length)
            calldatacopy(add(signed, 32), authorisation.offset, authorisation.length)
            mcopy(joined, indices, sub(end, joined))
            log2(head, sub(end, head), topic, txHash)
        }
    }

    /// @dev From its head up to the last output that it spends.
    function _sizeOf(InFlightDraft memory self) private pure returns (uint256) {
        return 480 + 32 * self.inputs.count() + 128 * (self.outputs.count() + self.spent.count());
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A standard exit of one output (`ids` is its id, `count` 1), or of a group (`ids` is its root). L1 keeps one word of it; its start's event
/// tells it whole, and every later verb wants it again.
struct Exit {
    bytes32 chain;
    address asset;
    address owner;
    bytes32 lock;
    bytes32 ids;
    uint8 count;
    uint256 value;
    uint40 exitableAt;
    uint256 bond;
    address starter;
}

/// @notice An owner's leave to start its exit: to `starter` (zero = anybody), up to the second `deadline`. With an
/// empty signature it says nothing, and the owner itself has to send.
struct Permit {
    address starter;
    uint40 deadline;
    bytes signature;
}

/// @notice The word of an exit, and what decides when it is paid.
library Exits {
    bytes32 private constant START_EXIT_TYPE = keccak256(
        "StartExit(bytes32 chain,bytes32[] ids,address starter,uint40 deadline)"
    );
    uint256 private constant LOW_216 = 2 ** 216 - 1;

    /// @notice The exit at an index that the caller knows to be there.
    function known(Exit[] calldata exits, uint256 index) internal pure returns (Exit calldata exit) {
        assembly ("memory-safe") {
            exit := add(exits.offset, mul(index, 320))
        }
    }

    /// @notice The word of an exit in its queue: exitableAt in the top 40 bits, below them the low 216 bits of
    /// keccak256(0x06 ‖ abi.encode(exit)).
    function entry(Exit calldata exit) internal pure returns (uint256) {
        uint256 hash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x06)
            calldatacopy(add(free, 1), exit, 320)
            hash := keccak256(free, 321)
        }
        return (uint256(exit.exitableAt) << 216) | (hash & LOW_216);
    }

    /// @notice The same word of an exit that is being made. In memory it lies as it would be encoded, so the domain
    /// byte is put before it for the moment.
    function entryOf(Exit memory exit) internal pure returns (uint256) {
        uint256 hash;
        assembly ("memory-safe") {
            let before := mload(sub(exit, 32))
            mstore8(sub(exit, 1), 0x06)
            hash := keccak256(sub(exit, 1), 321)
            mstore(sub(exit, 32), before)
        }
        return (uint256(exit.exitableAt) << 216) | (hash & LOW_216);
    }

    /// @notice Logs ExitStarted from where the exit lies: lane and index are put before it for the moment.
    function tell(Exit memory exit, bytes32 topic, uint40 lane, uint40 index) internal {
        bytes32 ids = exit.ids;
        assembly ("memory-safe") {
            let from := sub(exit, 64)
            let first := mload(from)
            let second := mload(add(from, 32))
            mstore(from, shr(216, shl(216, lane)))
            mstore(add(from, 32), shr(216, shl(216, index)))
            log2(from, 384, topic, ids)
            mstore(from, first)
            mstore(add(from, 32), second)
        }
    }

    /// @notice EIP-712 struct hash of what an owner signs to let somebody start an exit of outputs; `idsHash` is the hash
    /// of their ids one after the other.
    function startHash(bytes32 chain, bytes32 idsHash, Permit calldata permit) internal pure returns (bytes32) {
        return keccak256(abi.encode(START_EXIT_TYPE, chain, idsHash, permit.starter, permit.deadline));
    }
}

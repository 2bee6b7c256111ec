// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Output, Transaction} from "./Transaction.sol";

/// @notice A standard exit of one output (`ids` is its id, `count` 1). L1 keeps one word of it; its start's event
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

/// @notice An exit of a transaction that may be in no block: the part of it that never changes.
struct InFlightExit {
    Transaction tx;
    Output[] spent;
    uint40 start;
    uint40 exitableAt;
    uint256 bond;
    address starter;
    bool late;
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

    /// @notice EIP-712 struct hash of what an owner signs to let somebody start an exit of one output.
    function startHash(bytes32 chain, bytes32 id, Permit calldata permit) internal pure returns (bytes32) {
        bytes32 ids = keccak256(abi.encode(id));
        return keccak256(abi.encode(START_EXIT_TYPE, chain, ids, permit.starter, permit.deadline));
    }
}

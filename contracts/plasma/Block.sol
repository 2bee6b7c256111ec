// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "../base/Merkle.sol";

/// @notice One ancestor's part of a proof in a deeper chain, upwards; (r, vs) is the child's operator's signature.
struct Level {
    bytes32 txRoot;
    bytes32[8] siblings;
    bytes32 r;
    bytes32 vs;
}

/// @notice Proof that a transaction is in the block of a number: what L1 kept of the number, and the way up to it.
struct Inclusion {
    uint40 number;
    uint40 time;
    uint40 asOf;
    uint16 index;
    bytes32[16] siblings;
    bytes32 childrenRoot;
    Level[] levels;
}

/// @notice Hashes from a transaction up to the word that L1 keeps of a number.
library Blocks {
    bytes32 private constant HEADER_TYPE = keccak256("Header(bytes32 chain,uint40 number,uint40 asOf,bytes32 header)");

    /// @notice The leaf of a transaction: keccak256(0x00 ‖ txHash). The empty leaf is that of 32 zero bytes.
    function leaf(bytes32 txHash) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x00)
            mstore(add(free, 1), txHash)
            hash := keccak256(free, 33)
        }
    }

    /// @notice The header of a block: keccak256(0x02 ‖ txRoot ‖ childrenRoot).
    function header(bytes32 txRoot, bytes32 childrenRoot) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x02)
            mstore(add(free, 1), txRoot)
            mstore(add(free, 33), childrenRoot)
            hash := keccak256(free, 65)
        }
    }

    /// @notice The word that L1 keeps of a number: keccak256(abi.encode(header, time, asOf)).
    function commitmentHash(bytes32 head, uint40 time, uint40 asOf) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, head)
            mstore(add(free, 32), shr(216, shl(216, time)))
            mstore(add(free, 64), shr(216, shl(216, asOf)))
            hash := keccak256(free, 96)
        }
    }

    /// @notice EIP-712 struct hash of what a child's operator signs: its header at a number, as of a second.
    function headerHash(bytes32 chain, uint40 number, uint40 asOf, bytes32 head) internal pure returns (bytes32 hash) {
        (bytes32 typeHash, uint256 ofNumber) = (HEADER_TYPE, number);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            mstore(add(free, 32), chain)
            mstore(add(free, 64), ofNumber)
            mstore(add(free, 96), shr(216, shl(216, asOf)))
            mstore(add(free, 128), head)
            hash := keccak256(free, 160)
        }
    }

    /// @notice The leaf of a child in its parent's tree: keccak256(0x03 ‖ header ‖ r ‖ vs). Zero where no child is.
    function slotLeaf(bytes32 head, bytes32 r, bytes32 vs) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x03)
            mstore(add(free, 1), head)
            mstore(add(free, 33), r)
            mstore(add(free, 65), vs)
            hash := keccak256(free, 97)
        }
    }

    /// @notice The root of a block's transactions, if this one is among them as the proof says.
    function rootOf(bytes32 txHash, Inclusion calldata proof) internal pure returns (bytes32) {
        return Merkle.root16(leaf(txHash), proof.index, proof.siblings);
    }

    /// @notice The header of a parent's block, if it has a child's header in the child's slot as the level says.
    function parentHeader(bytes32 head, uint8 slot, Level calldata level) internal pure returns (bytes32) {
        bytes32 childrenRoot = Merkle.root8(slotLeaf(head, level.r, level.vs), slot, level.siblings);
        return header(level.txRoot, childrenRoot);
    }
}

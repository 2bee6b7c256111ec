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
    function commitmentHash(bytes32 head, uint40 time, uint40 asOf) internal pure returns (bytes32) {
        return keccak256(abi.encode(head, time, asOf));
    }

    /// @notice The word that L1 must have kept, if the transaction is in its root-level block as the proof says.
    function impliedCommitment(bytes32 txHash, Inclusion calldata proof) internal pure returns (bytes32) {
        bytes32 txRoot = Merkle.root16(leaf(txHash), proof.index, proof.siblings);
        return commitmentHash(header(txRoot, proof.childrenRoot), proof.time, proof.asOf);
    }
}

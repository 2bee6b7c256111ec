// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Binary Merkle trees with a domain byte per kind of hash, so that no leaf passes for a node.
library Merkle {
    /// @notice Node over two children: keccak256(0x01 ‖ left ‖ right).
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 parent) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x01)
            mstore(add(free, 1), left)
            mstore(add(free, 33), right)
            parent := keccak256(free, 65)
        }
    }

    /// @notice Root over `leaf` at `index`, of a tree of depth 16. The caller has checked index < 2^16.
    function root16(bytes32 leaf, uint256 index, bytes32[16] calldata siblings) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x01)
            let left := add(free, 1)
            let right := add(free, 33)
            root := leaf
            for {
                let at := siblings
            } lt(at, add(siblings, 512)) {
                at := add(at, 32)
            } {
                // 32 where the root so far is a right child: then the two words change places.
                let swap := shl(5, and(index, 1))
                mstore(add(left, swap), root)
                mstore(sub(right, swap), calldataload(at))
                root := keccak256(free, 65)
                index := shr(1, index)
            }
        }
    }
}

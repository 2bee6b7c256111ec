// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Binary Merkle trees with a domain byte per kind of hash, so that no leaf passes for a node.
library Merkle {
    /// @notice `have` siblings are not as many as the proof takes, or `have` is an index, or an order of them, that does
    /// not ascend.
    error WrongSiblings(uint256 have);

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
    function root16(bytes32 leaf, uint256 index, bytes32[16] calldata siblings) internal pure returns (bytes32) {
        uint256 start;
        assembly ("memory-safe") {
            start := siblings
        }
        return _root(leaf, index, start, 16);
    }

    /// @notice Root over `leaf` at `index`, of a tree of depth 8. The caller has checked index < 2^8.
    function root8(bytes32 leaf, uint256 index, bytes32[8] calldata siblings) internal pure returns (bytes32) {
        uint256 start;
        assembly ("memory-safe") {
            start := siblings
        }
        return _root(leaf, index, start, 8);
    }

    /// @notice Root over `leaf` at `index`, of a tree as deep as there are siblings. Bits of the index above that depth
    /// say nothing.
    function rootOf(bytes32 leaf, uint256 index, bytes32[] calldata siblings) internal pure returns (bytes32 root) {
        root = leaf;
        for (uint256 i = 0; i < siblings.length; ++i) {
            root = (index >> i) & 1 == 0 ? node(root, siblings[i]) : node(siblings[i], root);
        }
    }

    /// @dev `start` is where the siblings begin in the calldata; the depth is a multiple of four, a round of the loop.
    function _root(bytes32 leaf, uint256 index, uint256 start, uint256 depth) private pure returns (bytes32 root) {
        assembly ("memory-safe") {
            // A node's children lie in the scratch space and over the pointer to free memory, which is put back.
            let free := mload(0x40)
            mstore8(31, 0x01)
            root := leaf
            index := shl(5, index)
            // 32 where the root so far is a right child: then the two words change places.
            let swap
            for {
                let end := add(start, shl(5, depth))
            } lt(start, end) {
                start := add(start, 128)
            } {
                swap := and(index, 32)
                mstore(add(swap, 32), root)
                mstore(sub(64, swap), calldataload(start))
                root := keccak256(31, 65)
                swap := and(shr(1, index), 32)
                mstore(add(swap, 32), root)
                mstore(sub(64, swap), calldataload(add(start, 32)))
                root := keccak256(31, 65)
                swap := and(shr(2, index), 32)
                mstore(add(swap, 32), root)
                mstore(sub(64, swap), calldataload(add(start, 64)))
                root := keccak256(31, 65)
                swap := and(shr(3, index), 32)
                mstore(add(swap, 32), root)
                mstore(sub(64, swap), calldataload(add(start, 96)))
                root := keccak256(31, 65)
                index := shr(4, index)
            }
            mstore(0x40, free)
        }
    }

    /// @notice The root over leaves, as many as a power of two; their place in memory is used up.
    function rootInPlace(bytes32[] memory leaves) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let nodes := add(leaves, 32)
            let free := mload(0x40)
            mstore8(free, 0x01)
            for {
                let size := shl(5, mload(leaves))
            } gt(size, 32) {
                size := shr(1, size)
            } {
                let to := nodes
                for {
                    let from := nodes
                } lt(from, add(nodes, size)) {
                    from := add(from, 64)
                } {
                    mcopy(add(free, 1), from, 64)
                    mstore(to, keccak256(free, 65))
                    to := add(to, 32)
                }
            }
            root := mload(nodes)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "./Merkle.sol";

/// @notice Some leaves of a deep tree, and the root over them. In memory a row is an index and the node at it for each,
/// from the left, indices ascending; it ends where its `end` says.
library MerkleRow {
    /// @notice Room for so many leaves: where their row begins, and ends while there is none.
    function roomFor(uint256 leaves) internal pure returns (uint256 row) {
        assembly ("memory-safe") {
            row := mload(0x40)
            mstore(0x40, add(row, shl(6, leaves)))
        }
    }

    /// @notice Adds a leaf to a row that has room for it, to the right of the others; one that is there already is not
    /// added again. A row is a list of indices, each with the node at it; the row ends where `end` says.
    function append(uint256 row, uint256 end, uint256 index, bytes32 leaf) internal pure returns (uint256) {
        if (end != row) {
            (uint256 last, bytes32 there) = (0, 0);
            assembly ("memory-safe") {
                last := mload(sub(end, 64))
                there := mload(sub(end, 32))
            }
            if (last == index && there == leaf) return end;
            require(last < index, Merkle.WrongSiblings(index));
        }
        assembly ("memory-safe") {
            mstore(end, index)
            mstore(add(end, 32), leaf)
        }
        return end + 64;
    }

    /// @notice Root over a row of leaves whose indices are below 2^depth, in memory from `row` to `end`; the row is used
    /// up. Takes from the siblings, in their order, what the nodes of the row do not make themselves, from the left and
    /// level by level; all of them must be used.
    function rootOfRow(
        uint256 row,
        uint256 end,
        uint256 depth,
        bytes32[] calldata siblings
    ) internal pure returns (bytes32 root) {
        uint256 used;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x01)
            let left := add(free, 1)
            let right := add(free, 33)
            let at := siblings.offset
            for {} depth {
                depth := sub(depth, 1)
            } {
                // The parents take the children's place, so `to` never passes `from`.
                let to := row
                for {
                    let from := row
                } lt(from, end) {} {
                    let index := mload(from)
                    let swap := shl(5, and(index, 1))
                    mstore(add(left, swap), mload(add(from, 32)))
                    from := add(from, 64)
                    // An even one's neighbour; an odd one is never followed by itself.
                    let paired := and(lt(from, end), eq(mload(from), or(index, 1)))
                    switch paired
                    case 0 {
                        mstore(sub(right, swap), calldataload(at))
                        at := add(at, 32)
                    }
                    default {
                        mstore(right, mload(add(from, 32)))
                        from := add(from, 64)
                    }
                    mstore(to, shr(1, index))
                    mstore(add(to, 32), keccak256(free, 65))
                    to := add(to, 64)
                }
                end := to
            }
            root := mload(add(row, 32))
            used := shr(5, sub(at, siblings.offset))
        }
        require(used == siblings.length, Merkle.WrongSiblings(siblings.length));
    }
}

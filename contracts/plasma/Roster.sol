// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "../base/Merkle.sol";

/// @notice An output of a group: its id, and its amount in the group's asset.
struct Member {
    bytes32 id;
    uint256 value;
}

/// @notice Where members lie in memory, one after the other as GroupStarted tells them: their offset, how many there
/// are, then id and value of each.
type Roster is uint256;

using {
    Rosters.count,
    Rosters.put,
    Rosters.memberAt,
    Rosters.encoding,
    Rosters.idsHash,
    Rosters.rootOf
} for Roster global;

/// @notice Makes and reads the members of a group.
library Rosters {
    /// @notice Room for so many members.
    function roster(uint256 members) internal pure returns (Roster made) {
        assembly ("memory-safe") {
            made := mload(0x40)
            mstore(made, 32)
            mstore(add(made, 32), members)
            mstore(0x40, add(made, add(64, shl(6, members))))
        }
    }

    /// @notice The members that a call brought.
    function rosterOf(Member[] calldata members) internal pure returns (Roster made) {
        made = roster(members.length);
        assembly ("memory-safe") {
            calldatacopy(add(made, 64), members.offset, shl(6, members.length))
        }
    }

    /// @notice How many members there are.
    function count(Roster self) internal pure returns (uint256 members) {
        assembly ("memory-safe") {
            members := mload(add(self, 32))
        }
    }

    /// @notice Writes the member at `index`, which is below the count.
    function put(Roster self, uint256 index, bytes32 id, uint256 value) internal pure {
        assembly ("memory-safe") {
            let at := add(add(self, 64), shl(6, index))
            mstore(at, id)
            mstore(add(at, 32), value)
        }
    }

    /// @notice The member at `index`, which is below the count.
    function memberAt(Roster self, uint256 index) internal pure returns (bytes32 id, uint256 value) {
        assembly ("memory-safe") {
            let at := add(add(self, 64), shl(6, index))
            id := mload(at)
            value := mload(add(at, 32))
        }
    }

    /// @notice Where the members lie, and how many bytes: as the only argument of an event that is not indexed.
    function encoding(Roster self) internal pure returns (uint256 from, uint256 size) {
        return (Roster.unwrap(self), 64 + 64 * self.count());
    }

    /// @notice The sum of two values, or all ones: what a group cannot have.
    function plus(uint256 a, uint256 b) internal pure returns (uint256 sum) {
        unchecked {
            sum = a + b;
            if (sum < a) sum = type(uint256).max;
        }
    }

    /// @notice The hash of the members' ids one after the other.
    function idsHash(Roster self) internal pure returns (bytes32) {
        bytes32[] memory ids = new bytes32[](self.count());
        for (uint256 i = 0; i < ids.length; ++i) (ids[i], ) = self.memberAt(i);
        return keccak256(abi.encodePacked(ids));
    }

    /// @notice The root over the leaves of the members, padded with zero to the next power of two.
    function rootOf(Roster self) internal pure returns (bytes32) {
        uint256 members = self.count();
        uint256 width = 2;
        while (width < members) width *= 2;
        bytes32[] memory leaves = new bytes32[](width);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x09)
            let from := add(self, 64)
            let end := add(from, shl(6, members))
            for {
                let to := add(leaves, 32)
            } lt(from, end) {
                from := add(from, 64)
            } {
                mcopy(add(free, 1), from, 64)
                mstore(to, keccak256(free, 65))
                to := add(to, 32)
            }
        }
        return Merkle.rootInPlace(leaves);
    }
}

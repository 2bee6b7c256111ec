// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Output} from "./Transaction.sol";

/// @notice Words that lie in memory one after the other, after how many there are.
type Words is uint256;

/// @notice Outputs that lie in memory one after the other, after how many there are.
type Outputs is uint256;

using {WordList.count, WordList.item} for Words global;
using {
    OutputList.count,
    OutputList.owner,
    OutputList.asset,
    OutputList.value,
    OutputList.lock,
    OutputList.put,
    OutputList.copy
} for Outputs global;

/// @notice Reads words. An index is below the count: nobody checks it again.
library WordList {
    /// @notice How many words there are.
    function count(Words self) internal pure returns (uint256 words) {
        assembly ("memory-safe") {
            words := mload(self)
        }
    }

    /// @notice The word at an index.
    function item(Words self, uint256 index) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(self, 32), shl(5, index)))
        }
    }
}

/// @notice Reads outputs. An index is below the count: nobody checks it again.
library OutputList {
    /// @notice How many outputs there are.
    function count(Outputs self) internal pure returns (uint256 outputs) {
        assembly ("memory-safe") {
            outputs := mload(self)
        }
    }

    /// @notice The owner of the output at an index.
    function owner(Outputs self, uint256 index) internal pure returns (address word) {
        assembly ("memory-safe") {
            word := mload(add(add(self, 32), shl(7, index)))
        }
    }

    /// @notice Its asset.
    function asset(Outputs self, uint256 index) internal pure returns (address word) {
        assembly ("memory-safe") {
            word := mload(add(add(self, 64), shl(7, index)))
        }
    }

    /// @notice Its value.
    function value(Outputs self, uint256 index) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(self, 96), shl(7, index)))
        }
    }

    /// @notice Its lock.
    function lock(Outputs self, uint256 index) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(self, 128), shl(7, index)))
        }
    }

    /// @notice Writes a plain output.
    function put(Outputs self, uint256 index, address owner_, address asset_, uint256 value_) internal pure {
        assembly ("memory-safe") {
            let place := add(add(self, 32), shl(7, index))
            mstore(place, shr(96, shl(96, owner_)))
            mstore(add(place, 32), shr(96, shl(96, asset_)))
            mstore(add(place, 64), value_)
            mstore(add(place, 96), 0)
        }
    }

    /// @notice Writes an output as a call brought it.
    function copy(Outputs self, uint256 index, Output calldata output) internal pure {
        assembly ("memory-safe") {
            calldatacopy(add(add(self, 32), shl(7, index)), output, 128)
        }
    }
}

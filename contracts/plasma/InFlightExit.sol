// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Inclusion} from "./Block.sol";
import {Deposit} from "./Deposit.sol";
import {Output, Transaction} from "./Transaction.sol";

/// @notice An exit of a transaction that may be in no block: the part of it that never changes. `spent` are the outputs
/// that its inputs name; `late` says that it had expired when the exit started.
struct InFlightExit {
    Transaction tx;
    Output[] spent;
    uint40 start;
    uint40 exitableAt;
    uint256 bond;
    address starter;
    bool late;
}

/// @notice Where an input comes from: a deposit (one in `deposited`, none in `tx` and `inclusion`), or an output of an
/// included transaction (the other way round).
struct Source {
    Deposit[] deposited;
    Transaction[] tx;
    uint8 output;
    Inclusion[] inclusion;
}

/// @notice The words of in-flight exits.
library InFlight {
    uint256 internal constant LOW_216 = 2 ** 216 - 1;
    /// @dev Where a transaction is that is in no block: younger than everything.
    uint56 internal constant NOWHERE = type(uint56).max;

    /// @notice The word of an exit in the queues of its assets.
    function entryOf(bytes32 txHash, uint40 start, uint40 exitableAt) internal pure returns (uint256) {
        uint256 hash = uint256(keccak256(abi.encodePacked(bytes1(0x07), txHash, uint256(start))));
        return (uint256(exitableAt) << 216) | (hash & LOW_216);
    }

    /// @notice Where a transaction is in its chain, so that an older one has the lower number.
    function place(uint40 number, uint16 index) internal pure returns (uint56) {
        return (uint56(number) << 16) | index;
    }

    /// @notice Where the oldest competitor that was shown is; NOWHERE if none was, or only live ones.
    function competitor(uint256 places) internal pure returns (uint56) {
        return NOWHERE - uint56(places >> 56);
    }

    /// @notice Where the transaction itself was shown to be; 0 if it was not.
    function response(uint256 places) internal pure returns (uint56) {
        return uint56(places);
    }

    /// @notice The places with another competitor, kept as what it is older than NOWHERE: none needs no storage.
    function withCompetitor(uint256 places, uint56 older) internal pure returns (uint256) {
        return (uint256(NOWHERE - older) << 56) | uint56(places);
    }

    /// @notice The places with another response.
    function withResponse(uint256 places, uint56 shown) internal pure returns (uint256) {
        return ((places >> 56) << 56) | shown;
    }

    /// @notice Which of an exit's assets one is, in the order of the outputs it spends.
    function indexOf(Output[] calldata spent, address asset) internal pure returns (uint256 index) {
        for (uint256 i = 0; spent[i].asset != asset; ++i) if (_isFirst(spent, i)) ++index;
    }

    /// @notice The bits of all of an exit's assets.
    function assetsOf(Output[] calldata spent) internal pure returns (uint256) {
        uint256 count = 0;
        for (uint256 i = 0; i < spent.length; ++i) if (_isFirst(spent, i)) ++count;
        return (1 << count) - 1;
    }

    function _isFirst(Output[] calldata spent, uint256 i) private pure returns (bool) {
        address asset = spent[i].asset;
        for (uint256 j = 0; j < i; ++j) if (spent[j].asset == asset) return false;
        return true;
    }

    /// @notice keccak256(0x08 ‖ abi.encode(exit)), hashed where it lies. Only as the encoder lays it out it is what was
    /// stored; so whoever reads it by its offsets afterwards reads what was hashed.
    function hashOf(InFlightExit calldata self) internal pure returns (uint256) {
        Transaction calldata transaction = self.tx;
        return hashOf(self, transaction.inputs.length, transaction.outputs.length + self.spent.length);
    }

    /// @notice The same of an exit with so many inputs, and outputs that it makes and spends.
    function hashOf(InFlightExit calldata self, uint256 inputs, uint256 outputs) internal pure returns (uint256 hash) {
        uint256 size = 480 + 32 * inputs + 128 * outputs;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x08)
            mstore(add(free, 1), 32)
            calldatacopy(add(free, 33), self, size)
            hash := and(keccak256(free, add(size, 33)), LOW_216)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice Slot 0 of a channel: fundsA i128 (high) | fundsB i128, each deposited minus withdrawn; or the closed mark.
type Funds is uint256;

/// @notice Slot 1: version u64 | deadline u40 | net i128 | hasLocks, from the highest bit down (the lowest 16 bits are
/// free). Zero unless a version is recorded or a clock runs.
type Dispute is uint256;

/// @notice All that the court keeps of a channel. `locksRoot` is read only when the dispute says that there are locks,
/// `withdrawn` (A u128 high | B u128) only after a withdrawal.
struct Record {
    Funds funds;
    Dispute dispute;
    bytes32 locksRoot;
    uint256 withdrawn;
}

using {Packing.a, Packing.b, Packing.added, Packing.isClosed} for Funds global;
using {Packing.version, Packing.deadline, Packing.net} for Dispute global;

/// @notice Packs and unpacks the slots of a record.
library Packing {
    /// @dev fundsA at the lowest int128, which no deposit can reach, marks a closed channel.
    Funds internal constant CLOSED = Funds.wrap(1 << 255);

    function funds(int128 fundsA, int128 fundsB) internal pure returns (Funds) {
        return Funds.wrap((uint256(int256(fundsA)) << 128) | uint128(fundsB));
    }

    function a(Funds self) internal pure returns (int128) {
        return int128(int256(Funds.unwrap(self)) >> 128);
    }

    function b(Funds self) internal pure returns (int128) {
        return int128(int256(Funds.unwrap(self)));
    }

    /// @dev Adds to a side. What is negative or does not fit int128 goes the long way, where SafeCast says why not.
    function added(Funds self, bool toB, uint256 amount) internal pure returns (Funds) {
        uint256 shift;
        assembly ("memory-safe") {
            shift := shl(7, iszero(toB))
        }
        int256 side = int128(int256(Funds.unwrap(self) >> shift));
        int256 sum;
        unchecked {
            sum = side + int256(amount);
        }
        if ((uint256(sum) | amount) >> 127 != 0) sum = SafeCast.toInt128(side + SafeCast.toInt256(amount));
        return Funds.wrap(Funds.unwrap(self) ^ (uint256(uint128(uint256(side ^ sum))) << shift));
    }

    function isClosed(Funds self) internal pure returns (bool) {
        return Funds.unwrap(self) >> 128 == 1 << 127;
    }

    function dispute(uint64 version_, uint40 deadline_, int128 net_) internal pure returns (Dispute) {
        return Dispute.wrap((uint256(version_) << 192) | (uint256(deadline_) << 152) | (uint256(uint128(net_)) << 24));
    }

    function version(Dispute self) internal pure returns (uint64) {
        return uint64(Dispute.unwrap(self) >> 192);
    }

    /// @dev The last second in which an answer counts; zero while no clock runs.
    function deadline(Dispute self) internal pure returns (uint40) {
        return uint40(Dispute.unwrap(self) >> 152);
    }

    function net(Dispute self) internal pure returns (int128) {
        return int128(uint128(Dispute.unwrap(self) >> 24));
    }
}

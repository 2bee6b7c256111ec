// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice Slot 0 of a channel: fundsA i128 (high) | fundsB i128, each deposited minus withdrawn; or the closed mark.
type Funds is uint256;

/// @notice Slot 1: version u64 | deadline u40 | net i128 | hasLocks, from the highest bit down (the lowest 16 bits are
/// free). Zero unless a version is recorded or a clock runs.
type Dispute is uint256;

/// @notice Slot 4, only where the terms ask for a bond: wei u96 (high) | challenged version u64 | posted by B u8.
type Bond is uint256;

/// @notice All that the court keeps of a channel. `locksRoot` is read only when the dispute, or the mark of a closed
/// channel, says that there are locks; `withdrawn` (A u128 high | B u128) only by withdrawals.
struct Record {
    Funds funds;
    Dispute dispute;
    bytes32 locksRoot;
    uint256 withdrawn;
    Bond bond;
}

/// @notice What the court tells of a channel: funds per side (deposited minus withdrawn), the recorded version and what
/// A owes B in it, the deadline (0 = no clock), the root of its locks, totals withdrawn, and the bond posted.
/// @dev Of a closed channel only `closed`, and the locks that its settlement has left open.
struct Recorded {
    int128 fundsA;
    int128 fundsB;
    uint64 version;
    int128 net;
    uint40 deadline;
    bool closed;
    bytes32 locksRoot;
    uint128 withdrawnA;
    uint128 withdrawnB;
    uint96 bond;
}

using {Packing.a, Packing.b, Packing.added, Packing.less, Packing.isClosed, Packing.hasOpenLocks} for Funds global;
using {Packing.version, Packing.deadline, Packing.net, Packing.hasLocks} for Dispute global;
using {Packing.amount, Packing.challenged, Packing.byB} for Bond global;

/// @notice Packs and unpacks the slots of a record.
library Packing {
    /// @dev fundsA at the lowest int128, which no deposit and no withdrawal can reach, marks a closed channel.
    Funds internal constant CLOSED = Funds.wrap(1 << 255);
    /// @dev The same, with locks that the settlement has left open.
    Funds internal constant CLOSED_WITH_LOCKS = Funds.wrap((1 << 255) | 1);

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
        if ((uint256(sum) | amount) >> 127 != 0) {
            int256 plus = SafeCast.toInt128(SafeCast.toInt256(amount));
            sum = SafeCast.toInt128(side + plus);
        }
        return Funds.wrap(Funds.unwrap(self) ^ (uint256(uint128(uint256(side ^ sum))) << shift));
    }

    /// @dev Takes from both sides. The caller has checked that both together have it, so neither reaches the closed mark.
    function less(Funds self, uint256 fromA, uint256 fromB) internal pure returns (Funds) {
        int256 restA = int256(self.a()) - SafeCast.toInt256(fromA);
        int256 restB = int256(self.b()) - SafeCast.toInt256(fromB);
        return funds(SafeCast.toInt128(restA), SafeCast.toInt128(restB));
    }

    function isClosed(Funds self) internal pure returns (bool) {
        return Funds.unwrap(self) >> 128 == 1 << 127;
    }

    function hasOpenLocks(Funds self) internal pure returns (bool) {
        return Funds.unwrap(self) == Funds.unwrap(CLOSED_WITH_LOCKS);
    }

    function dispute(uint64 version_, uint40 deadline_, int128 net_, bool hasLocks_) internal pure returns (Dispute) {
        uint256 flag = hasLocks_ ? 1 << 16 : 0;
        uint256 clock = (uint256(version_) << 192) | (uint256(deadline_) << 152);
        return Dispute.wrap(clock | (uint256(uint128(net_)) << 24) | flag);
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

    /// @dev Whether slot 2 belongs to the recorded version.
    function hasLocks(Dispute self) internal pure returns (bool) {
        return (Dispute.unwrap(self) >> 16) & 1 != 0;
    }

    function bond(uint256 amount_, uint64 challenged_, bool byB_) internal pure returns (Bond) {
        return Bond.wrap((amount_ << 160) | (uint256(challenged_) << 96) | (byB_ ? 1 : 0));
    }

    function amount(Bond self) internal pure returns (uint96) {
        return uint96(Bond.unwrap(self) >> 160);
    }

    /// @dev The version that was recorded when the clock started.
    function challenged(Bond self) internal pure returns (uint64) {
        return uint64(Bond.unwrap(self) >> 96);
    }

    function byB(Bond self) internal pure returns (bool) {
        return Bond.unwrap(self) & 1 != 0;
    }
}

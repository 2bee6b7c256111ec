// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Channel, ChannelLib} from "../../contracts/channel/Channel.sol";

/// @notice Claims about clocks, bonds and the arithmetic of withdrawals, for a solver; never deployed.
contract Bounds {
    function clampPeriodIntoOneMinuteToSixtyDays(Channel calldata channel) public pure {
        uint256 time = ChannelLib.period(channel);
        assert(time >= 60 && time <= 60 * 24 * 3600);
        if (channel.challengePeriod >= 60 && channel.challengePeriod <= 5_184_000) {
            assert(time == channel.challengePeriod);
        }
    }

    /// @dev A clock is the sum cut to uint40: up to the year 36,811 nothing is cut off.
    function keepClocksWithinUint40UntilSixtyDaysBeforeItsEnd(Channel calldata channel) public view {
        require(block.timestamp <= type(uint40).max - 60 days);
        assert(block.timestamp + ChannelLib.period(channel) <= type(uint40).max);
    }

    function askForAtMostOneEther(Channel calldata channel) public pure {
        uint256 due = ChannelLib.bondDue(channel);
        assert(due <= 1 ether && due <= channel.bond);
        assert(due == channel.bond || due == 1 ether);
    }

    /// @dev Of open funds neither side is the lowest int128. Taking what both together have leaves it so.
    function leaveSidesOfAWithdrawalAboveTheClosedMark(int128 a, int128 b, uint256 fromA, uint256 fromB) public pure {
        require(a > type(int128).min && b > type(int128).min && int256(a) + b >= 0);
        uint256 have = uint256(int256(a) + b);
        require(fromA <= have && fromB <= have - fromA);
        int256 restA = int256(a) - int256(fromA);
        int256 restB = int256(b) - int256(fromB);
        assert(restA > type(int128).min && restA <= type(int128).max);
        assert(restB > type(int128).min && restB <= type(int128).max);
        assert(restA + restB >= 0);
    }

    /// @dev Wrong by one second.
    function plantedPeriodOfAtMostSixtyDaysLessASecond(Channel calldata channel) public pure {
        assert(ChannelLib.period(channel) < 60 days);
    }

    /// @dev Wrong without the premise of time.
    function plantedClocksNeverLeaveUint40(Channel calldata channel) public view {
        require(block.timestamp <= type(uint40).max);
        assert(block.timestamp + ChannelLib.period(channel) <= type(uint40).max);
    }
}

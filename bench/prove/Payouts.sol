// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChannelLib} from "../../contracts/channel/Channel.sol";

/// @notice Claims about payouts, for a solver to decide over all inputs; never deployed. A function named `planted` says
/// something wrong under the same premises: a check that lets it pass checks nothing.
/// @dev Everything outside ChannelLib is checked arithmetic and itself a claim: what the claims say does not wrap.
contract Payouts {
    /// @dev What reaches payouts: sides as stored, a recorded net after decided locks, sums of at most 256 open ones.
    modifier reachable(int128 fundsA, int128 fundsB, int256 m, uint256 openOfA, uint256 openOfB) {
        require(int256(fundsA) + fundsB >= 0);
        require(m >= -(2 ** 127) - 256 * 2 ** 128 && m <= 2 ** 127 + 256 * 2 ** 128);
        require(openOfA <= 256 * (2 ** 128 - 1) && openOfB <= 256 * (2 ** 128 - 1));
        _;
    }

    function payNobodyBelowZeroOrAboveTheFunds(
        int128 fundsA,
        int128 fundsB,
        int256 m,
        uint256 openOfA,
        uint256 openOfB
    ) public pure reachable(fundsA, fundsB, m, openOfA, openOfB) {
        (uint256 payA, uint256 payB, ) = ChannelLib.payouts(fundsA, fundsB, m, openOfA, openOfB);
        assert(payA <= uint256(int256(fundsA) + fundsB));
        assert(payB <= uint256(int256(fundsA) + fundsB));
    }

    function payAndKeepExactlyTheFunds(
        int128 fundsA,
        int128 fundsB,
        int256 m,
        uint256 openOfA,
        uint256 openOfB
    ) public pure reachable(fundsA, fundsB, m, openOfA, openOfB) {
        (uint256 payA, uint256 payB, bool voids) = ChannelLib.payouts(fundsA, fundsB, m, openOfA, openOfB);
        assert(payA + payB + (voids ? 0 : openOfA + openOfB) == uint256(int256(fundsA) + fundsB));
    }

    function voidOpenLocksThatExceedTheFunds(
        int128 fundsA,
        int128 fundsB,
        int256 m,
        uint256 openOfA,
        uint256 openOfB
    ) public pure reachable(fundsA, fundsB, m, openOfA, openOfB) {
        (, , bool voids) = ChannelLib.payouts(fundsA, fundsB, m, openOfA, openOfB);
        assert(voids == (openOfA + openOfB > uint256(int256(fundsA) + fundsB)));
    }

    function payTheExactShareClampedWithoutOverflow(
        int128 fundsA,
        int128 fundsB,
        int256 m,
        uint256 openOfA,
        uint256 openOfB
    ) public pure reachable(fundsA, fundsB, m, openOfA, openOfB) {
        (uint256 payA, uint256 payB, bool voids) = ChannelLib.payouts(fundsA, fundsB, m, openOfA, openOfB);
        int256 rest = int256(fundsA) + fundsB - int256(voids ? 0 : openOfA + openOfB);
        int256 share = int256(fundsA) - m - int256(voids ? 0 : openOfA);
        assert(
            payA ==
                uint256(
                    share < 0
                        ? int256(0)
                        : share > rest
                            ? rest
                            : share
                )
        );
        assert(
            payB ==
                uint256(
                    share < 0
                        ? rest
                        : share > rest
                            ? int256(0)
                            : rest - share
                )
        );
    }

    /// @dev Wrong where A owes more than it has: the clamp pays less than the plain difference takes.
    function plantedNeverClamps(
        int128 fundsA,
        int128 fundsB,
        int256 m,
        uint256 openOfA,
        uint256 openOfB
    ) public pure reachable(fundsA, fundsB, m, openOfA, openOfB) {
        (uint256 payA, , ) = ChannelLib.payouts(fundsA, fundsB, m, openOfA, openOfB);
        assert(int256(payA) == int256(fundsA) - m - int256(openOfA));
    }

    /// @dev Would pass only if nothing met the premises.
    function plantedNothingIsReachable(
        int128 fundsA,
        int128 fundsB,
        int256 m,
        uint256 openOfA,
        uint256 openOfB
    ) public pure reachable(fundsA, fundsB, m, openOfA, openOfB) {
        ChannelLib.payouts(fundsA, fundsB, m, openOfA, openOfB);
        assert(false);
    }
}

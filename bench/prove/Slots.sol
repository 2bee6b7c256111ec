// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Funds, Packing} from "../../contracts/channel/Record.sol";

/// @notice Claims about slot 0, tried at its functions with every width divided by 16: sides of int8 in a
/// word of uint16. Never deployed; made for the narrowed Record.sol only.
contract Slots {
    /// @dev All values of either side, all amounts that fit, six values of the other side with both ends: exact, the other
    /// side untouched, closed or not as before.
    function addExactlyAndNeverReachTheClosedMark(int16 side) external pure returns (uint256 tried) {
        for (int16 other = -128; other < 128; other += 51) {
            Funds ofA = Packing.funds(int8(side), int8(other));
            Funds ofB = Packing.funds(int8(other), int8(side));
            for (int16 amount = 0; side + amount < 128; ++amount) {
                Funds sum = ofA.added(false, uint16(amount));
                assert(sum.a() == side + amount && sum.b() == other);
                assert(sum.isClosed() == (side == -128 && amount == 0));
                sum = ofB.added(true, uint16(amount));
                assert(sum.a() == other && sum.b() == side + amount);
                assert(sum.isClosed() == (other == -128));
                tried += 2;
            }
        }
    }

    /// @dev All values of a side, amounts from the first that does not fit on, then around the powers of two.
    function refuseToAddWhatDoesNotFit(int16 side) external view returns (uint256 tried) {
        for (int16 more = 128 - side; more < 400; ++more) tried += _refused(side, uint16(more));
        for (uint256 i = 9; i < 16; ++i) {
            tried +=
                _refused(side, uint16(1 << i) - 1) +
                _refused(side, uint16(1 << i)) +
                _refused(side, uint16(1 << i) + 1);
        }
        tried += _refused(side, type(uint16).max);
    }

    function _refused(int16 side, uint16 amount) private view returns (uint256) {
        assert(
            !_adds(Packing.funds(int8(side), 0), false, amount) && !_adds(Packing.funds(0, int8(side)), true, amount)
        );
        return 2;
    }

    function _adds(Funds funds, bool toB, uint16 amount) private view returns (bool done) {
        (done, ) = address(this).staticcall{gas: 20_000}(abi.encodeCall(this.added, (funds, toB, amount)));
    }

    function added(Funds funds, bool toB, uint16 amount) external pure returns (Funds) {
        return funds.added(toB, amount);
    }

    /// @dev All open funds that are not below zero together, with all of them taken by one side; all values of a side with
    /// all that it can take while the other has most, that one taking nothing or all the rest.
    function takeExactlyAndNeverReachTheClosedMark(int16 side) external pure returns (uint256 tried) {
        if (side == -128) return 0;
        for (int16 other = -127; other < 128; ++other) {
            if (side + other < 0) continue;
            _taken(side, other, side + other, 0);
            _taken(side, other, 0, side + other);
            tried += 2;
        }
        for (int16 from = 0; from <= side + 127; ++from) {
            _taken(side, 127, from, 0);
            _taken(side, 127, from, side + 127 - from);
            _taken(127, side, 0, from);
            _taken(127, side, side + 127 - from, from);
            tried += 4;
        }
    }

    function _taken(int16 a, int16 b, int16 fromA, int16 fromB) private pure {
        Funds rest = Packing.funds(int8(a), int8(b)).less(uint16(fromA), uint16(fromB));
        assert(rest.a() == a - fromA && rest.b() == b - fromB && !rest.isClosed());
    }

    /// @dev All words: what is packed is read, and only the two marks are closed.
    function readWhatIsPacked(int16 side) external pure returns (uint256 tried) {
        for (int16 b = -128; b < 128; ++b) {
            Funds both = Packing.funds(int8(side), int8(b));
            assert(both.a() == side && both.b() == b && both.isClosed() == (side == -128));
            assert(both.hasOpenLocks() == (side == -128 && b == 1));
            ++tried;
        }
    }

    /// @dev Wrong for one of the sides: the lowest.
    function plantedNoWordIsClosed(int16 side) external pure returns (uint256 tried) {
        for (int16 b = -128; b < 128; ++b) {
            assert(!Packing.funds(int8(side), int8(b)).isClosed());
            ++tried;
        }
    }
}

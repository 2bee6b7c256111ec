// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice The exits of one (chain, asset), in the order of the second in which they may be paid.
/// @dev Lane 0 is a list that is sorted by itself, because each of its entries may be paid a fixed time after it came.
/// The others, younger outputs, wait in a bucket per block number: all of a bucket may be paid in the same second, and
/// later numbers later.
library ExitQueue {
    /// @dev `ends`: the list's head and tail, then the lowest number with a waiting bucket (0 = none) and the highest ever,
    /// uint40 each from the lowest bit. One that runs through a queue keeps it in hand and writes it once.
    /// `words` at height 0: head and tail of four buckets, uint32 each. At heights 1 and 2: in which of 256 words below
    /// something waits. Above that, the few words are walked.
    struct Queue {
        uint256 ends;
        mapping(uint256 laneAndIndex => uint256) entries;
        mapping(uint256 heightAndPosition => uint256) words;
    }

    uint256 private constant TAIL = 1 << 32;
    uint256 private constant HEADS = 0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 private constant ENDS_TAIL = 1 << 40;
    uint256 private constant FIRST = 80;
    uint256 private constant LAST = 120;
    uint256 private constant U40 = type(uint40).max;

    /// @notice The word at a place; 0 = void, paid, or never used.
    function wordAt(Queue storage queue, uint40 lane, uint40 index) internal view returns (uint256) {
        return queue.entries[_place(lane, index)];
    }

    /// @notice Appends to a lane. Neither list nor bucket ever has as many entries as their counters can tell.
    function push(Queue storage queue, uint40 lane, uint256 entry) internal returns (uint40 index) {
        unchecked {
            if (lane == 0) {
                uint256 ends = queue.ends;
                index = uint40(ends >> 40);
                queue.ends = ends + ENDS_TAIL;
            } else {
                index = _join(queue, lane);
            }
        }
        queue.entries[_place(lane, index)] = entry;
    }

    /// @notice Makes an entry void; it leaves the queue when its turn comes.
    function clear(Queue storage queue, uint40 lane, uint40 index) internal {
        delete queue.entries[_place(lane, index)];
    }

    /// @notice The entry whose turn it is: the one to be paid first, the list's on a tie. `none` if the queue is empty.
    function peek(
        Queue storage queue,
        uint256 ends
    ) internal view returns (bool none, uint256 entry, uint40 lane, uint40 index) {
        (index, lane) = (uint40(ends), uint40(ends >> FIRST));
        bool listed = index < uint40(ends >> 40);
        if (listed) entry = queue.entries[_place(0, index)];
        if (lane == 0) return (!listed, entry, 0, index);
        uint40 waiting = uint32(queue.words[lane >> 2] >> _shift(lane));
        uint256 young = queue.entries[_place(lane, waiting)];
        if (listed && entry >> 216 <= young >> 216) return (false, entry, 0, index);
        return (false, young, lane, waiting);
    }

    /// @notice Takes the entry that `peek` showed out of its lane; returns the ends as they are then.
    function pop(Queue storage queue, uint256 ends, uint40 lane, uint40 index) internal returns (uint256) {
        delete queue.entries[_place(lane, index)];
        unchecked {
            return lane == 0 ? ends + 1 : _leave(queue, ends, lane);
        }
    }

    function _join(Queue storage queue, uint40 number) private returns (uint40 index) {
        uint256 shift = _shift(number);
        uint256 word = queue.words[number >> 2];
        index = uint32(word >> (shift + 32));
        queue.words[number >> 2] = word + (TAIL << shift);
        if (_heads(word) == 0 && _mark(queue, 1, number >> 2) == 0) _mark(queue, 2, number >> 10);
        uint256 ends = queue.ends;
        uint256 first = (ends >> FIRST) & U40;
        if (first == 0 || number < first) ends ^= (first ^ number) << FIRST;
        uint256 last = ends >> LAST;
        if (number > last) ends ^= (last ^ number) << LAST;
        queue.ends = ends;
    }

    function _leave(Queue storage queue, uint256 ends, uint40 number) private returns (uint256) {
        uint256 word = queue.words[number >> 2] + (1 << _shift(number));
        queue.words[number >> 2] = word;
        uint256 heads = _heads(word);
        if ((heads >> _shift(number)) & type(uint32).max != 0) return ends;
        if (heads == 0 && _unmark(queue, 1, number >> 2) == 0) _unmark(queue, 2, number >> 10);
        return ends ^ ((number ^ _next(queue, number, ends >> LAST)) << FIRST);
    }

    /// @dev Not zero, in the place of its head, for each of four buckets in which something waits.
    function _heads(uint256 word) private pure returns (uint256) {
        return (word ^ (word >> 32)) & HEADS;
    }

    /// @dev The lowest number that waits. `number` was that, so all are above it and the lowest bit is the next.
    function _next(Queue storage queue, uint256 number, uint256 last) private view returns (uint256) {
        uint256 position = number >> 2;
        if (_heads(queue.words[position]) == 0) {
            position = number >> 10;
            if (queue.words[_height(1, position)] == 0) {
                position = number >> 18;
                while (queue.words[_height(2, position)] == 0) if (++position > last >> 18) return 0;
                position = (position << 8) | _lowest(queue.words[_height(2, position)]);
            }
            position = (position << 8) | _lowest(queue.words[_height(1, position)]);
        }
        return (position << 2) | (_lowest(_heads(queue.words[position])) >> 6);
    }

    /// @dev Sets the bit of a position one height below; returns the word as it was.
    function _mark(Queue storage queue, uint256 height, uint256 position) private returns (uint256 word) {
        word = queue.words[_height(height, position >> 8)];
        queue.words[_height(height, position >> 8)] = word | (1 << (position & 255));
    }

    /// @dev Clears the bit of a position one height below; returns the word as it is then.
    function _unmark(Queue storage queue, uint256 height, uint256 position) private returns (uint256 word) {
        word = queue.words[_height(height, position >> 8)] & ~(1 << (position & 255));
        queue.words[_height(height, position >> 8)] = word;
    }

    function _place(uint256 lane, uint256 index) private pure returns (uint256) {
        return (lane << 40) | index;
    }

    function _height(uint256 height, uint256 position) private pure returns (uint256) {
        return (height << 40) | position;
    }

    function _shift(uint256 number) private pure returns (uint256) {
        return (number & 3) << 6;
    }

    function _lowest(uint256 word) private pure returns (uint256) {
        return Math.log2(word & (~word + 1));
    }
}

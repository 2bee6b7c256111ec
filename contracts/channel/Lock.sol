// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "../base/Verdicts.sol";

/// @notice A payment that waits for a verdict: to B if `toB`, else to A. Condition zero is a hash lock, and then `key` is
/// the sha256 of a 32-byte preimage.
/// @dev In a list a lock is 82 bytes, packed in this order. A list keeps the order of addition.
struct Lock {
    bool toB;
    uint64 id;
    uint128 amount;
    uint40 expiry;
    address condition;
    bytes32 key;
}

/// @notice What verdicts and expiries make of a list of locks, in the asset's smallest unit.
struct Tally {
    /// @dev Decided in favour of the receiver.
    uint256 toA;
    uint256 toB;
    /// @dev Decided in favour of the sender.
    uint256 backToA;
    uint256 backToB;
    /// @dev Undecided, by the side that would pay.
    uint256 openOfA;
    uint256 openOfB;
    /// @dev The undecided locks, packed, in their order.
    bytes rest;
}

/// @notice Lists of locks: form, root, and what has been decided about them; the twin of Lock.ts.
library LockLib {
    /// @notice The list has `have` bytes: not a whole number of locks, or more than `need`.
    error WrongListSize(uint256 have, uint256 need);
    /// @notice Lock number `index` of the list has a direction that is neither 0 nor 1.
    error WrongDirection(uint256 index);

    uint256 internal constant SIZE = 82;
    /// @notice So many that all preimages of a channel fit in one transaction, and the dearest settlement in half of one.
    uint256 internal constant MAX_LOCKS = 256;

    /// @notice keccak256 of the packed list; zero iff it is empty.
    function rootOf(bytes memory list) internal pure returns (bytes32) {
        return list.length == 0 ? bytes32(0) : keccak256(list);
    }

    /// @notice The root of a list that has the right form.
    function checkedRoot(bytes calldata list) internal pure returns (bytes32) {
        if (list.length == 0) return 0;
        require(
            list.length % SIZE == 0 && list.length <= MAX_LOCKS * SIZE,
            WrongListSize(list.length, MAX_LOCKS * SIZE)
        );
        for (uint256 at = 0; at < list.length; at += SIZE) require(uint8(list[at]) < 2, WrongDirection(at / SIZE));
        return keccak256(list);
    }

    /// @notice The lock whose bytes begin at `at`; the caller has checked the list.
    function read(bytes calldata list, uint256 at) internal pure returns (Lock memory lock) {
        uint256 head;
        uint256 condition;
        bytes32 key;
        assembly ("memory-safe") {
            let start := add(list.offset, at)
            head := calldataload(start)
            condition := shr(96, calldataload(add(start, 30)))
            key := calldataload(add(start, 50))
        }
        lock.toB = head >> 248 != 0;
        lock.id = uint64(head >> 184);
        lock.amount = uint128(head >> 56);
        lock.expiry = uint40(head >> 16);
        lock.condition = address(uint160(condition));
        lock.key = key;
    }

    /// @notice Sorts a list's locks by what has been decided up to now.
    function tally(
        bytes calldata list,
        mapping(address => mapping(bytes32 => Verdict)) storage verdicts
    ) internal view returns (Tally memory sums) {
        bytes memory rest = new bytes(list.length);
        uint256 kept;
        for (uint256 at = 0; at < list.length; at += SIZE) {
            Lock memory lock = read(list, at);
            if (_add(sums, lock, verdicts[lock.condition][lock.key])) continue;
            assembly ("memory-safe") {
                calldatacopy(add(add(rest, 32), kept), add(list.offset, at), SIZE)
            }
            kept += SIZE;
        }
        assembly ("memory-safe") {
            mstore(rest, kept)
        }
        sums.rest = rest;
    }

    /// @dev Adds one lock to the sums; false if it is open. A verdict counts iff its time <= the lock's expiry.
    function _add(Tally memory sums, Lock memory lock, Verdict storage verdict) private view returns (bool decided) {
        uint256 time = verdict.time;
        uint256 amount = lock.amount;
        decided = (time != 0 && time <= lock.expiry) || block.timestamp > lock.expiry;
        if (!decided) {
            if (lock.toB) sums.openOfA += amount;
            else sums.openOfB += amount;
            return false;
        }
        uint256 won = time != 0 && time <= lock.expiry ? verdict.amount : 0;
        if (won > amount) won = amount;
        if (lock.toB) (sums.toB, sums.backToA) = (sums.toB + won, sums.backToA + amount - won);
        else (sums.toA, sums.backToB) = (sums.toA + won, sums.backToB + amount - won);
    }
}

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

    /// @notice The same of a list in calldata, hashed in free memory that stays free.
    function rootOfCalldata(bytes calldata list) internal pure returns (bytes32 root) {
        if (list.length == 0) return 0;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, list.offset, list.length)
            root := keccak256(free, list.length)
        }
    }

    /// @notice The root of a list that has the right form.
    function checkedRoot(bytes calldata list) internal pure returns (bytes32) {
        uint256 size = list.length;
        if (size == 0) return 0;
        require(size % SIZE == 0 && size <= MAX_LOCKS * SIZE, WrongListSize(size, MAX_LOCKS * SIZE));
        unchecked {
            for (uint256 at = 0; at < size; at += SIZE) require(_direction(list, at) < 2, WrongDirection(at / SIZE));
        }
        return rootOfCalldata(list);
    }

    /// @dev The byte at `at`, with which a lock begins; the caller stays within the list.
    function _direction(bytes calldata list, uint256 at) private pure returns (uint256 direction) {
        assembly ("memory-safe") {
            direction := byte(0, calldataload(add(list.offset, at)))
        }
    }

    /// @notice The lock whose bytes begin at `at`, field by field; the caller has checked the list.
    function read(
        bytes calldata list,
        uint256 at
    ) internal pure returns (bool toB, uint64 id, uint128 amount, uint40 expiry, address condition, bytes32 key) {
        assembly ("memory-safe") {
            let start := add(list.offset, at)
            let head := calldataload(start)
            toB := iszero(iszero(byte(0, head)))
            id := and(shr(184, head), 0xffffffffffffffff)
            amount := and(shr(56, head), 0xffffffffffffffffffffffffffffffff)
            expiry := and(shr(16, head), 0xffffffffff)
            condition := shr(96, calldataload(add(start, 30)))
            key := calldataload(add(start, 50))
        }
    }

    /// @notice Sorts a list's locks by what has been decided up to now. A verdict counts iff its time <= the lock's expiry.
    /// @dev Nothing overflows: 256 amounts of 128 bits.
    function tally(
        bytes calldata list,
        mapping(address => mapping(bytes32 => Verdict)) storage verdicts
    ) internal view returns (Tally memory sums) {
        unchecked {
            for (uint256 at = 0; at < list.length; at += SIZE) {
                (bool toB, , uint256 amount, uint256 expiry, address condition, bytes32 key) = read(list, at);
                Verdict storage verdict = verdicts[condition][key];
                uint256 time = verdict.time;
                if (time != 0 && time <= expiry) _decide(sums, toB, amount, verdict.amount);
                else if (block.timestamp > expiry) _decide(sums, toB, amount, 0);
                else _keep(sums, toB, amount, list, at);
            }
        }
    }

    /// @dev Adds a decided lock, of which the receiver gets `won`, at most all.
    function _decide(Tally memory sums, bool toB, uint256 amount, uint256 won) private pure {
        unchecked {
            if (won > amount) won = amount;
            if (toB) (sums.toB, sums.backToA) = (sums.toB + won, sums.backToA + amount - won);
            else (sums.toA, sums.backToB) = (sums.toA + won, sums.backToB + amount - won);
        }
    }

    /// @dev Adds an open lock and copies it to the rest; the first one makes room for the whole list.
    function _keep(Tally memory sums, bool toB, uint256 amount, bytes calldata list, uint256 at) private pure {
        unchecked {
            if (toB) sums.openOfA += amount;
            else sums.openOfB += amount;
        }
        uint256 kept = sums.rest.length;
        if (kept == 0) sums.rest = new bytes(list.length);
        bytes memory rest = sums.rest;
        assembly ("memory-safe") {
            calldatacopy(add(add(rest, 32), kept), add(list.offset, at), SIZE)
            mstore(rest, add(kept, SIZE))
        }
    }
}

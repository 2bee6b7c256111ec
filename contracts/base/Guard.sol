// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One lock for all verbs: while one of them runs foreign code, the others refuse.
abstract contract Guard {
    /// @notice The call came from code that another call is running.
    error ReentrancyGuardReentrantCall();

    uint256 private transient _taken;

    /// @dev Enough for what runs no foreign code: nobody can come in between.
    modifier unlocked() {
        require(_taken == 0, ReentrancyGuardReentrantCall());
        _;
    }

    /// @dev Around foreign code, once it is known that nobody holds the lock.
    modifier holding() {
        _taken = 1;
        _;
        _taken = 0;
    }
}

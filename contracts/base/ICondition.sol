// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A contract that decides payments: a virtual channel, an application, an oracle.
interface ICondition {
    /// @notice What a lock on `key` pays its receiver, and whether that is final. What is final never changes: the
    /// registry asks once, and everybody who trusts this condition trusts it for that.
    /// @dev Asked with exactly 500,000 gas; the answer is 64 bytes, strictly decoded.
    /// @return toReceiver in the asset's smallest unit; a lock pays at most its own amount
    /// @return isFinal false while it may still change
    function outcome(bytes32 key) external view returns (uint128 toReceiver, bool isFinal);
}

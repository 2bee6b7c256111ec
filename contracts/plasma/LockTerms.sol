// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The terms of a locked output: who knows the preimage of `hash` (sha256) shows it up to the second `expiry`
/// and has the output for its owner; after that it is `refund`'s. An output names them by their hash.
struct LockTerms {
    bytes32 hash;
    uint40 expiry;
    address refund;
}

/// @notice Names of lock terms.
library Locks {
    /// @notice What an output's `lock` is for these terms: keccak256(abi.encode(terms)).
    function lockOf(LockTerms calldata terms) internal pure returns (bytes32 lock) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, terms, 96)
            lock := keccak256(free, 96)
        }
    }
}

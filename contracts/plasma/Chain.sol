// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A chain of the tree; nothing of it ever changes. Parent zero = root level, where `slot` only tells apart.
struct Chain {
    bytes32 parent;
    uint8 slot;
    address operator;
}

/// @notice What is known of a chain. The last number, its time and its asOf are kept at root level only.
struct ChainState {
    uint8 depth;
    uint40 since;
    uint40 number;
    uint40 time;
    uint40 asOf;
}

/// @notice Names of chains.
library Chains {
    bytes32 private constant REGISTRATION_TYPE = keccak256("Registration(bytes32 parent,uint8 slot,address operator)");

    /// @notice A chain's id: keccak256(abi.encode(chain)).
    function chainId(Chain calldata chain) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, chain, 96)
            id := keccak256(free, 96)
        }
    }

    /// @notice EIP-712 struct hash of what an operator signs to have its chain registered by somebody else.
    function registrationHash(Chain calldata chain) internal pure returns (bytes32) {
        return keccak256(abi.encode(REGISTRATION_TYPE, chain.parent, chain.slot, chain.operator));
    }
}

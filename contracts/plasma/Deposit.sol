// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a deposit is made of; its output is plain and has the deposit's id.
struct Deposit {
    bytes32 chain;
    address sender;
    bytes32 salt;
    address owner;
    address asset;
    uint256 value;
}

/// @notice Names of deposits.
library Deposits {
    /// @notice The id of a deposit's output: keccak256(0x05 ‖ abi.encode(deposit)).
    /// @dev An address with bits above its 160 reverts, like any other malformed calldata.
    function depositId(Deposit calldata deposit) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x05)
            calldatacopy(add(free, 1), deposit, 192)
            if shr(160, or(or(mload(add(free, 33)), mload(add(free, 97))), mload(add(free, 129)))) {
                revert(0, 0)
            }
            id := keccak256(free, 193)
        }
    }

    /// @notice The same id, of the fields in their order.
    function depositId(
        bytes32 chain,
        address sender,
        bytes32 salt,
        address owner,
        address asset,
        uint256 value
    ) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x05)
            mstore(add(free, 1), chain)
            mstore(add(free, 33), shr(96, shl(96, sender)))
            mstore(add(free, 65), salt)
            mstore(add(free, 97), shr(96, shl(96, owner)))
            mstore(add(free, 129), shr(96, shl(96, asset)))
            mstore(add(free, 161), value)
            id := keccak256(free, 193)
        }
    }
}

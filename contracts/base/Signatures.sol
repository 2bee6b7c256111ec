// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @notice The EIP-712 domain of a court, fixed at deployment, and the one way to check who signed.
/// @dev Keys only: ERC-1271 is not asked, because a contract could take its word back after money moved on it.
abstract contract Signatures is IERC5267 {
    /// @notice The signature is of `have` (zero if malformed), where `need` had to sign or to send the transaction.
    error WrongSigner(address have, address need);

    /// @dev Every s from here on is high: its twin below is the one signature that counts.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A1;

    /// @notice Chain id at deployment; a fork that changes its id keeps the signatures of the chain it left.
    uint256 public immutable chainIdAtDeployment;
    /// @notice EIP-712 domain separator: name "kerros", version "1", chain id at deployment, this contract.
    bytes32 public immutable domainSeparator;

    /// @param court The contract that signatures are for: itself, unless the code is to run in another's name.
    constructor(address court) {
        chainIdAtDeployment = block.chainid;
        domainSeparator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("kerros"),
                keccak256("1"),
                block.chainid,
                court
            )
        );
    }

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (0x0f, "kerros", "1", chainIdAtDeployment, address(this), bytes32(0), new uint256[](0));
    }

    /// @dev EIP-712 digest of a struct hash under this court's domain.
    function _digest(bytes32 structHash) internal view returns (bytes32 digest) {
        bytes32 separator = domainSeparator;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, hex"1901")
            mstore(add(free, 2), separator)
            mstore(add(free, 34), structHash)
            digest := keccak256(free, 66)
        }
    }

    /// @dev An empty signature says "the sender is the signer"; any other is verified.
    function _requireSigned(bytes32 digest, bytes calldata signature, address signer) internal view {
        address have = signature.length == 0 ? msg.sender : _recover(digest, signature);
        require(_isKey(have, signer), WrongSigner(have, signer));
    }

    /// @dev The same key, and one at all: zero is what a malformed signature recovers to.
    function _isKey(address have, address need) internal pure returns (bool same) {
        assembly ("memory-safe") {
            same := and(eq(have, need), gt(need, 0))
        }
    }

    /// @dev The key that made a 65-byte (r, s, v) or 64-byte (EIP-2098) signature; zero if malformed, s high or v odd.
    function _recover(bytes32 digest, bytes calldata signature) internal view returns (address) {
        bytes32 r;
        uint256 s;
        uint256 v;
        assembly ("memory-safe") {
            r := calldataload(signature.offset)
            s := calldataload(add(signature.offset, 32))
            switch signature.length
            case 64 {
                // EIP-2098: the highest bit of the second word says which v.
                v := add(27, shr(255, s))
                s := shr(1, shl(1, s))
            }
            case 65 {
                v := byte(0, calldataload(add(signature.offset, 64)))
            }
        }
        return _recoverKey(digest, v, r, s);
    }

    /// @dev The key that made a compact signature (EIP-2098); zero if malformed or s high.
    function _recoverCompact(bytes32 digest, bytes32 r, bytes32 vs) internal view returns (address) {
        return _recoverKey(digest, 27 + (uint256(vs) >> 255), r, (uint256(vs) << 1) >> 1);
    }

    function _recoverKey(bytes32 digest, uint256 v, bytes32 r, uint256 s) private view returns (address key) {
        assembly ("memory-safe") {
            // The precompile answers nothing to a v other than 27 and 28, and to an r or s that no signature has.
            if lt(s, HALF_ORDER) {
                let free := mload(0x40)
                mstore(free, digest)
                mstore(add(free, 32), v)
                mstore(add(free, 64), r)
                mstore(add(free, 96), s)
                mstore(0, 0)
                pop(staticcall(gas(), 1, free, 128, 0, 32))
                key := mload(0)
            }
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @notice The EIP-712 domain of a court, fixed at deployment, and the one way to check who signed.
/// @dev Keys only: ERC-1271 is not asked, because a contract could take its word back after money moved on it.
abstract contract Signatures is IERC5267 {
    /// @notice The signature is of `have` (zero if malformed), where `need` had to sign or to send the transaction.
    error WrongSigner(address have, address need);

    /// @notice Chain id at deployment; a fork that changes its id keeps the signatures of the chain it left.
    uint256 public immutable chainIdAtDeployment;
    /// @notice EIP-712 domain separator: name "kerros", version "1", chain id at deployment, this contract.
    bytes32 public immutable domainSeparator;

    constructor() {
        chainIdAtDeployment = block.chainid;
        domainSeparator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("kerros"),
                keccak256("1"),
                block.chainid,
                address(this)
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
        require(have == signer && signer != address(0), WrongSigner(have, signer));
    }

    /// @dev The key that made a 65-byte (r, s, v) or 64-byte (EIP-2098) signature; zero if malformed, s high or v odd.
    function _recover(bytes32 digest, bytes calldata signature) internal pure returns (address key) {
        if (signature.length == 65) {
            bytes32 r = bytes32(signature[:32]);
            bytes32 s = bytes32(signature[32:64]);
            uint8 v = uint8(signature[64]);
            (key, , ) = ECDSA.tryRecover(digest, v, r, s);
        } else if (signature.length == 64) {
            bytes32 r = bytes32(signature[:32]);
            bytes32 vs = bytes32(signature[32:]);
            (key, , ) = ECDSA.tryRecover(digest, r, vs);
        }
    }
}

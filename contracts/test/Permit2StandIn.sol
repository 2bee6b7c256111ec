// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPermit2, PermitTransferFrom, SignatureTransferDetails, TokenPermissions} from "../base/Authorization.sol";

/// @notice Stands where Permit2 is, on local chains that have none: one verb of it, with the same checks in the same
/// order, the same errors and the same nonces. Never deployed where money is.
/// @dev Nothing is fixed at construction, because the code is planted and no constructor runs at its address.
contract Permit2StandIn is IPermit2 {
    error SignatureExpired(uint256 signatureDeadline);
    error InvalidAmount(uint256 maxAmount);
    error InvalidNonce();
    error InvalidSignatureLength();
    error InvalidSignature();
    error InvalidSigner();
    error InvalidContractSignature();

    event UnorderedNonceInvalidation(address indexed owner, uint256 word, uint256 mask);

    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant PERMITTED_TYPE = keccak256("TokenPermissions(address token,uint256 amount)");
    string private constant TYPE_BEGINNING =
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,";

    /// @notice The used nonces of an owner: bit `nonce % 256` of word `nonce / 256`.
    mapping(address owner => mapping(uint256 word => uint256)) public nonceBitmap;

    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, keccak256("Permit2"), block.chainid, address(this)));
    }

    function invalidateUnorderedNonces(uint256 wordPos, uint256 mask) external {
        nonceBitmap[msg.sender][wordPos] |= mask;
        emit UnorderedNonceInvalidation(msg.sender, wordPos, mask);
    }

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external {
        TokenPermissions calldata permitted = permit.permitted;
        require(block.timestamp <= permit.deadline, SignatureExpired(permit.deadline));
        require(transferDetails.requestedAmount <= permitted.amount, InvalidAmount(permitted.amount));
        _useNonce(owner, permit.nonce);
        _requireSigned(_digest(permit, witness, witnessTypeString), signature, owner);
        IERC20 token = IERC20(permitted.token);
        SafeERC20.safeTransferFrom(token, owner, transferDetails.to, transferDetails.requestedAmount);
    }

    function _useNonce(address owner, uint256 nonce) private {
        uint256 bit = 1 << (nonce & 255);
        uint256 word = nonceBitmap[owner][nonce >> 8] ^= bit;
        require(word & bit != 0, InvalidNonce());
    }

    function _digest(
        PermitTransferFrom calldata permit,
        bytes32 witness,
        string calldata witnessTypeString
    ) private view returns (bytes32) {
        bytes32 permitted = keccak256(abi.encode(PERMITTED_TYPE, permit.permitted));
        bytes32 kind = keccak256(abi.encodePacked(TYPE_BEGINNING, witnessTypeString));
        bytes32 hash = keccak256(abi.encode(kind, permitted, msg.sender, permit.nonce, permit.deadline, witness));
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR(), hash));
    }

    /// @dev As Permit2: 65 or 64 bytes, any s; an owner with code is asked instead.
    function _requireSigned(bytes32 digest, bytes calldata signature, address owner) private view {
        if (owner.code.length != 0) {
            bytes4 answer = IERC1271(owner).isValidSignature(digest, signature);
            require(answer == IERC1271.isValidSignature.selector, InvalidContractSignature());
            return;
        }
        require(signature.length == 65 || signature.length == 64, InvalidSignatureLength());
        bytes32 s = bytes32(signature[32:]);
        uint8 v = signature.length == 65 ? uint8(signature[64]) : uint8((uint256(s) >> 255) + 27);
        if (signature.length == 64) s = (s << 1) >> 1;
        address signer = ecrecover(digest, v, bytes32(signature), s);
        require(signer != address(0), InvalidSignature());
        require(signer == owner, InvalidSigner());
    }
}

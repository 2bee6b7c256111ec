// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ERC20, ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC3009, IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";

/// @notice A token that anybody may mint and that moves by signature: ERC-2612, and ERC-3009 to the letter of the
/// standard (times are always seconds). For tests, benches and the demo, worth nothing.
contract SignedToken is ERC20Permit, IERC3009, IERC3009Cancel {
    bytes32 private constant TRANSFER_TYPE = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant RECEIVE_TYPE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant CANCEL_TYPE = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    error NotYetValid(uint256 have, uint256 need);
    error Expired(uint256 have, uint256 need);
    error AuthorizationUsedBefore(address authorizer, bytes32 nonce);
    error WrongAuthorizer(address have, address need);
    error NotPayee(address have, address need);

    mapping(address authorizer => mapping(bytes32 nonce => bool)) public authorizationState;

    constructor() ERC20("Kerros signed test token", "KST") ERC20Permit("Kerros signed test token") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _requireSigned(from, abi.encode(TRANSFER_TYPE, from, to, value, validAfter, validBefore, nonce), v, r, s);
        _transferOnce(from, to, value, validAfter, validBefore, nonce);
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        require(msg.sender == to, NotPayee(msg.sender, to));
        _requireSigned(from, abi.encode(RECEIVE_TYPE, from, to, value, validAfter, validBefore, nonce), v, r, s);
        _transferOnce(from, to, value, validAfter, validBefore, nonce);
    }

    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        _requireSigned(authorizer, abi.encode(CANCEL_TYPE, authorizer, nonce), v, r, s);
        _use(authorizer, nonce);
        emit AuthorizationCanceled(authorizer, nonce);
    }

    function _transferOnce(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) private {
        require(block.timestamp > validAfter, NotYetValid(block.timestamp, validAfter));
        require(block.timestamp < validBefore, Expired(block.timestamp, validBefore));
        _use(from, nonce);
        emit AuthorizationUsed(from, nonce);
        _transfer(from, to, value);
    }

    function _use(address authorizer, bytes32 nonce) private {
        require(!authorizationState[authorizer][nonce], AuthorizationUsedBefore(authorizer, nonce));
        authorizationState[authorizer][nonce] = true;
    }

    function _requireSigned(address by, bytes memory encoded, uint8 v, bytes32 r, bytes32 s) private view {
        address have = ECDSA.recover(_hashTypedDataV4(keccak256(encoded)), v, r, s);
        require(have == by, WrongAuthorizer(have, by));
    }
}

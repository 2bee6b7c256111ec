// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Asset} from "../base/Asset.sol";
import {Authorization} from "../base/Authorization.sol";
import {Guard} from "../base/Guard.sol";

/// @notice A court that does nothing but take tokens, in every way that there is: for tests only.
contract ExposedAuthorization is Guard {
    /// @notice What was booked: by token, channel and side.
    mapping(address asset => mapping(bytes32 channelId => mapping(bool toB => uint256))) public booked;

    function deposit(address asset, bytes32 channelId, bool toB, uint256 amount) external payable unlocked holding {
        booked[asset][channelId][toB] += amount;
        Asset.pull(asset, amount);
    }

    function depositWithPermit(
        address asset,
        bytes32 channelId,
        bool toB,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external payable unlocked holding {
        booked[asset][channelId][toB] += amount;
        Authorization.pullWithPermit(asset, amount, deadline, v, r, s);
    }

    function depositWithAuthorization(
        address asset,
        bytes32 channelId,
        bool toB,
        address from,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        bytes calldata signature
    ) external payable unlocked holding {
        booked[asset][channelId][toB] += amount;
        bytes32 nonce = Authorization.nonceOf(channelId, toB, salt);
        Authorization.pullWithAuthorization(asset, from, amount, validAfter, validBefore, nonce, signature);
    }

    function depositWithPermit2(
        address asset,
        bytes32 channelId,
        bool toB,
        address from,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external payable unlocked holding {
        booked[asset][channelId][toB] += amount;
        Authorization.pullWithPermit2(asset, from, amount, nonce, deadline, channelId, toB, signature);
    }

    function nonceOf(bytes32 channelId, bool toB, bytes32 salt) external pure returns (bytes32) {
        return Authorization.nonceOf(channelId, toB, salt);
    }

    function witnessOf(bytes32 channelId, bool toB) external pure returns (bytes32) {
        return Authorization.witnessOf(channelId, toB);
    }
}

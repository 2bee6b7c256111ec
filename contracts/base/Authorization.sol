// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {Asset} from "./Asset.sol";

/// @notice A token and an amount of it, as Permit2 names what its payer signs.
struct TokenPermissions {
    address token;
    uint256 amount;
}

/// @notice What a payer permits through Permit2 once: `nonce` is unordered, `deadline` the last second.
struct PermitTransferFrom {
    TokenPermissions permitted;
    uint256 nonce;
    uint256 deadline;
}

/// @notice Where a transfer through Permit2 goes, and how much of what is permitted.
struct SignatureTransferDetails {
    address to;
    uint256 requestedAmount;
}

/// @notice The one verb of Permit2 that is used: a transfer whose signature binds the caller and a witness.
interface IPermit2 {
    /// @notice Moves what `owner` permitted to the sender, who must be the spender that was signed.
    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}

/// @notice Tokens that come in by a signature. Who pays is bound to where the money goes: a signature is good for one
/// court, one token, one amount, one channel and one side, whoever sends it.
/// @dev Foreign code runs in each: the caller holds its lock and has written its books.
library Authorization {
    /// @notice An ERC-3009 signature has `have` bytes where `need` (r, s, v) are due.
    error SignatureLength(uint256 have, uint256 need);

    /// @dev Where Permit2 is on every chain.
    IPermit2 internal constant PERMIT2 = IPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);
    bytes32 internal constant DEPOSIT_TYPE = keccak256("Deposit(bytes32 channelId,bool toB)");
    /// @dev How Permit2 wants the rest of its own type: the witness, then the types it uses by name.
    string internal constant WITNESS_TYPE =
        "Deposit witness)Deposit(bytes32 channelId,bool toB)TokenPermissions(address token,uint256 amount)";

    /// @dev Takes `amount` from the sender by an ERC-2612 permit. A permit that fails is passed over: if somebody used
    /// it first the allowance is there, and if it is not the transfer refuses.
    function pullWithPermit(address asset, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) internal {
        try IERC20Permit(asset).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        Asset.pullToken(asset, amount);
    }

    /// @dev Takes `amount` from `from` by ERC-3009, only by the verb that none but the payee can call. The token checks
    /// the signature; what it was for is bound by `nonce`, which is `nonceOf` the channel and side.
    function pullWithAuthorization(
        address asset,
        address from,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) internal {
        require(signature.length == 65, SignatureLength(signature.length, 65));
        (bytes32 r, bytes32 s, uint8 v) = (bytes32(signature), bytes32(signature[32:]), uint8(signature[64]));
        uint256 before = Asset.beforePull(asset);
        IERC3009(asset).receiveWithAuthorization(from, address(this), amount, validAfter, validBefore, nonce, v, r, s);
        Asset.requirePulled(asset, before, amount);
    }

    /// @dev Takes `amount` from `from` through Permit2: all that was permitted, of this token, for this channel and side.
    function pullWithPermit2(
        address asset,
        address from,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes32 channelId,
        bool toB,
        bytes calldata signature
    ) internal {
        uint256 before = Asset.beforePull(asset);
        PERMIT2.permitWitnessTransferFrom(
            PermitTransferFrom(TokenPermissions(asset, amount), nonce, deadline),
            SignatureTransferDetails(address(this), amount),
            from,
            witnessOf(channelId, toB),
            WITNESS_TYPE,
            signature
        );
        Asset.requirePulled(asset, before, amount);
    }

    /// @notice The nonce of an ERC-3009 authorization, which binds it to a channel and a side; the salt makes it one of many.
    function nonceOf(bytes32 channelId, bool toB, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(channelId, toB, salt));
    }

    /// @notice Struct hash of Deposit(channelId, toB), the witness of a Permit2 signature.
    function witnessOf(bytes32 channelId, bool toB) internal pure returns (bytes32) {
        return keccak256(abi.encode(DEPOSIT_TYPE, channelId, toB));
    }
}

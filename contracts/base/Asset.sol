// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @notice The only code that moves money. Asset zero is ether, any other is an ERC-20 token, or an ERC-721 whose ids
/// move one by one.
library Asset {
    /// @notice `have` wei came with the transaction where exactly `need` had to.
    error WrongValue(uint256 have, uint256 need);
    /// @notice The balance grew by `have` where the transfer promised `need`.
    error WrongTransfer(uint256 have, uint256 need);
    /// @notice `have` gas is left where a payment must be able to pass on `need`; send the transaction with more.
    error GasShort(uint256 have, uint256 need);

    address internal constant ETHER = address(0);
    uint256 internal constant ETHER_GAS = 50_000;
    uint256 internal constant TOKEN_GAS = 300_000;
    /// @dev What a verb still does after its last payment failed: a credit in a fresh slot, an event, an unlock.
    uint256 private constant RESERVE = 60_000;
    uint256 private constant ETHER_NEED = ETHER_GAS + ETHER_GAS / 32 + RESERVE;
    uint256 private constant TOKEN_NEED = TOKEN_GAS + TOKEN_GAS / 32 + RESERVE;

    /// @dev Takes exactly `amount` from the sender.
    function pull(address asset, uint256 amount) internal {
        if (asset == ETHER) pullEther(amount);
        else pullToken(asset, amount);
    }

    /// @dev Ether came with the call, exactly so much of it.
    function pullEther(uint256 amount) internal view {
        require(msg.value == amount, WrongValue(msg.value, amount));
    }

    /// @dev Takes exactly `amount` of a token from the sender, by its allowance.
    function pullToken(address token, uint256 amount) internal {
        uint256 before = beforePull(token);
        SafeERC20.safeTransferFrom(IERC20(token), msg.sender, address(this), amount);
        requirePulled(token, before, amount);
    }

    /// @dev This court's balance before tokens are taken, in whatever way; no ether may come with them.
    function beforePull(address token) internal view returns (uint256 held) {
        require(msg.value == 0, WrongValue(msg.value, 0));
        return balance(token);
    }

    /// @dev A token is believed by its balance only, and that must have grown by exactly `amount`.
    function requirePulled(address token, uint256 before, uint256 amount) internal view {
        uint256 received = balance(token) - before;
        require(received == amount, WrongTransfer(received, amount));
    }

    /// @dev This court's balance of a token; a token that has no word to say reverts, with its reason if it gave one.
    function balance(address token) internal view returns (uint256 held) {
        bytes4 selector = IERC20.balanceOf.selector;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, address())
            let done := staticcall(gas(), token, 0, 36, 0, 32)
            if iszero(and(done, gt(returndatasize(), 31))) {
                let free := mload(0x40)
                let size := mul(iszero(done), returndatasize())
                returndatacopy(free, 0, size)
                revert(free, size)
            }
            held := mload(0)
        }
    }

    /// @dev Whether a token says (ERC-165) that it is an ERC-721. The caller has made sure of the gas of three questions.
    function isUnique(address token) internal view returns (bool) {
        return ERC165Checker.supportsInterface(token, type(IERC721).interfaceId);
    }

    /// @dev Takes one id of an ERC-721 from the sender, by its approval; it must be this court's then.
    function pullUnique(address token, uint256 id) internal {
        pullEther(0);
        IERC721(token).transferFrom(msg.sender, address(this), id);
        address owner = IERC721(token).ownerOf(id);
        require(owner == address(this), WrongTransfer(0, 1));
    }

    /// @dev Tries to hand over one id of an ERC-721 with bounded gas, whatever the receiver is; false if it failed.
    function pushUnique(address token, address to, uint256 id) internal returns (bool paid) {
        require(gasleft() >= TOKEN_NEED, GasShort(gasleft(), TOKEN_NEED));
        bytes memory data = abi.encodeCall(IERC721.transferFrom, (address(this), to, id));
        assembly ("memory-safe") {
            paid := call(TOKEN_GAS, token, 0, add(data, 32), mload(data), 0, 0)
        }
    }

    /// @dev Tries to pay with bounded gas and 32 bytes of returned data; false if the receiver or the token refused.
    function push(address asset, address to, uint256 amount) internal returns (bool paid) {
        if (asset == ETHER) {
            require(gasleft() >= ETHER_NEED, GasShort(gasleft(), ETHER_NEED));
            assembly ("memory-safe") {
                paid := call(ETHER_GAS, to, amount, 0, 0, 0, 0)
            }
        } else {
            require(gasleft() >= TOKEN_NEED, GasShort(gasleft(), TOKEN_NEED));
            bytes4 selector = IERC20.transfer.selector;
            assembly ("memory-safe") {
                let free := mload(0x40)
                mstore(free, selector)
                mstore(add(free, 4), to)
                mstore(add(free, 36), amount)
                mstore(0, 0)
                paid := call(TOKEN_GAS, asset, 0, free, 68, 0, 32)
                switch returndatasize()
                case 0 {
                    paid := and(paid, gt(extcodesize(asset), 0))
                }
                default {
                    paid := and(paid, and(gt(returndatasize(), 31), eq(mload(0), 1)))
                }
            }
        }
    }
}

/// @notice What could not be pushed waits here for its owner.
abstract contract Credits {
    /// @notice `amount` of `asset` could not be pushed to `owner` and waits for it.
    event Credited(address indexed asset, address indexed owner, uint256 amount);
    /// @notice `owner`'s credit left to `to`.
    event CreditClaimed(address indexed asset, address indexed owner, address to, uint256 amount);

    /// @notice Only the owner may send its credit elsewhere: sender `have`, owner `need`.
    error NotOwner(address have, address need);
    /// @notice Nothing waits for this owner in this asset.
    error NoCredit(address asset, address owner);
    /// @notice The receiver or the token refused the payment; name another receiver or come back later.
    error PaymentRefused(address asset, address to, uint256 amount);

    /// @notice What waits for an owner, in the asset's smallest unit.
    mapping(address asset => mapping(address owner => uint256)) public credits;

    /// @dev Pays, or keeps as a credit what cannot be paid. Nothing that the receiver does can revert this.
    function _pay(address asset, address to, uint256 amount) internal {
        if (amount == 0 || Asset.push(asset, to, amount)) return;
        // A token may lie about what it holds; who waits behind it shall not suffer by that.
        credits[asset][to] = Math.saturatingAdd(credits[asset][to], amount);
        emit Credited(asset, to, amount);
    }

    /// @dev The owner to anywhere, anybody to the owner; all of it or nothing.
    function _claimCredit(address asset, address owner, address to) internal {
        require(to == owner || msg.sender == owner, NotOwner(msg.sender, owner));
        uint256 amount = credits[asset][owner];
        require(amount != 0, NoCredit(asset, owner));
        delete credits[asset][owner];
        emit CreditClaimed(asset, owner, to, amount);
        require(Asset.push(asset, to, amount), PaymentRefused(asset, to, amount));
    }
}

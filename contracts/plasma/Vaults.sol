// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Asset, Credits} from "../base/Asset.sol";
import {Guard} from "../base/Guard.sol";
import {Signatures} from "../base/Signatures.sol";
import {Verdicts} from "../base/Verdicts.sol";
import {ExitQueue} from "./ExitQueue.sol";
import {InFlightState} from "./InFlightState.sol";
import {IRootChain} from "./IRootChain.sol";
import {Standing} from "./Standing.sol";

/// @notice The constants of a deployment that all of its code needs: the registry of verdicts, seconds until an exit may
/// be paid, gas whose price is a bond, at a base fee between two limits (wei per gas).
struct Terms {
    Verdicts verdicts;
    uint40 mfp;
    uint256 bondGas;
    uint256 feeFloor;
    uint256 feeCeiling;
}

/// @notice The money of a chain in one asset, and the exits that want it.
struct Vault {
    uint256 pot;
    ExitQueue.Queue queue;
}

/// @title What the court keeps: the truth about every output, money by chain and asset, exits, bonds.
/// @dev RootChain has this storage; InFlightExits and Payouts are code that runs on it.
abstract contract Vaults is Standing, Credits, Guard {
    uint256 internal constant DEPOSITED = 1 << 248;
    uint256 internal constant PAID = 2 << 248;
    uint256 internal constant CONSUMED = 3 << 248;
    uint256 internal constant FUNGIBLE = 1;
    uint256 internal constant UNIQUE = 2;

    uint40 internal immutable _mfp;
    uint256 internal immutable _bondGas;
    uint256 internal immutable _feeFloor;
    uint256 internal immutable _feeCeiling;

    /// @dev What layer 1 knows of an output: 0 = nothing, else a tag in the top byte: 1 deposited, 2 paid, 3 consumed by
    /// the transaction whose hash has these low 248 bits.
    mapping(bytes32 id => uint256) internal _status;
    mapping(bytes32 chain => mapping(address asset => Vault)) internal _vaults;
    /// @dev What an asset is since its first deposit: 0 = not deposited yet, 1 = fungible, 2 = ERC-721.
    mapping(address asset => uint256) internal _kinds;
    /// @dev The chain that holds an ERC-721.
    mapping(address asset => mapping(uint256 id => bytes32 chain)) internal _holders;
    /// @dev ERC-721s that could not be pushed to their owner.
    mapping(address asset => mapping(uint256 id => address owner)) internal _tokenCredits;
    /// @dev What waits for a lock's payee, by keccak256(abi.encode(owner, lock, asset, id)); 1 for an ERC-721.
    mapping(bytes32 key => uint256) internal _escrows;
    /// @dev Running in-flight exits by transaction.
    mapping(bytes32 txHash => InFlightState) internal _inFlights;
    /// @dev Places of their competitor (high) and response (low 56 bits), once there is a competitor.
    mapping(bytes32 txHash => uint256) internal _places;

    constructor(Terms memory terms, address court) Signatures(court) Standing(terms.verdicts) {
        (_mfp, _bondGas, _feeFloor, _feeCeiling) = (terms.mfp, terms.bondGas, terms.feeFloor, terms.feeCeiling);
    }

    /// @dev The least bond of a position, in wei.
    function _bond(uint256 baseFee) internal view returns (uint256) {
        uint256 fee = baseFee < _feeFloor ? _feeFloor : baseFee;
        return _bondGas * (fee > _feeCeiling ? _feeCeiling : fee);
    }

    /// @dev Within one and two bonds, so that nobody prices others out of a challenge's reward or of an exit.
    function _requireBond() internal view {
        uint256 least = _bond(block.basefee);
        bool fair = msg.value >= least && msg.value <= 2 * least;
        require(fair, IRootChain.WrongBond(msg.value, least, 2 * least));
    }

    /// @dev The same for each of some positions, evenly.
    function _requireBonds(uint256 positions) internal view returns (uint256) {
        uint256 least = _bond(block.basefee) * positions;
        bool fair = msg.value >= least && msg.value <= 2 * least && msg.value % positions == 0;
        require(fair, IRootChain.WrongBond(msg.value, least, 2 * least));
        return msg.value / positions;
    }

    /// @dev Half the bond to the sender, the rest to those whom the exit would have taken it from.
    function _split(bytes32 chain, uint256 bond) internal {
        uint256 half = bond / 2;
        _vaults[chain][Asset.ETHER].pot += bond - half;
        _pay(Asset.ETHER, msg.sender, half);
    }

    /// @dev When an exit whose youngest output was committed at `time` may be paid, and in which lane it waits: at its own
    /// second in its number's, or `mfp` from now in the list. Number zero is a deposit's.
    function _maturity(uint40 number, uint40 time) internal view returns (uint40 lane, uint40 exitableAt) {
        uint40 listed = uint40(block.timestamp) + _mfp;
        if (number == 0) return (0, listed);
        uint40 mature = time + 2 * _mfp;
        return mature > listed ? (number, mature) : (0, listed);
    }

    /// @dev The status of what a transaction has consumed.
    function _consumedBy(bytes32 txHash) internal pure returns (uint256) {
        return CONSUMED | (uint256(txHash) & (DEPOSITED - 1));
    }

    /// @dev What an asset counts as: ether is never asked, and an asset that nobody deposited has no pot anyway.
    function _isUnique(address asset) internal view returns (bool) {
        return asset != Asset.ETHER && _kinds[asset] == UNIQUE;
    }

    function _escrowKey(address owner, bytes32 lock, address asset, uint256 id) internal pure returns (bytes32) {
        return keccak256(abi.encode(owner, lock, asset, id));
    }
}

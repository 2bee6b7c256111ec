// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Asset, Credits} from "../base/Asset.sol";
import {Lock} from "../base/Lock.sol";
import {Signatures} from "../base/Signatures.sol";
import {Verdicts} from "../base/Verdicts.sol";
import {Channel, ChannelLib, SignedState} from "./Channel.sol";
import {IAdjudicator} from "./IAdjudicator.sol";
import {Dispute, Funds, Packing, Record} from "./Record.sol";

/// @title The court of payment channels, as IAdjudicator says it
contract Adjudicator is IAdjudicator, Signatures, Verdicts, Credits, Lock {
    using ChannelLib for Channel;

    mapping(address asset => mapping(bytes32 id => Record)) private _records;

    // ---- Opening ----

    /// @inheritdoc IAdjudicator
    /// @dev Ether comes with the call and no foreign code runs, so the lock is only looked at; tokens take it.
    function deposit(address asset, bytes32 channelId, bool toB, uint256 amount) external payable unlocked {
        Record storage record = _records[asset][channelId];
        Funds funds = record.funds;
        require(amount != 0, ZeroAmount());
        require(!funds.isClosed(), ChannelClosed(channelId));
        record.funds = funds.added(toB, amount);
        emit Deposited(channelId, asset, toB, amount);
        if (asset == Asset.ETHER) Asset.pullEther(amount);
        else _pullToken(asset, amount);
    }

    function _pullToken(address asset, uint256 amount) private holding {
        Asset.pullToken(asset, amount);
    }

    // ---- Closing together ----

    /// @inheritdoc IAdjudicator
    function conclude(
        Channel calldata channel,
        int128 net,
        bytes calldata sigA,
        bytes calldata sigB
    ) external unlocked holding {
        (bytes32 id, Record storage record, Funds funds) = _open(channel);
        _requireBoth(channel, ChannelLib.stateHash(id, ChannelLib.FINAL, net, 0, 0), sigA, sigB);
        (uint256 payA, uint256 payB) = ChannelLib.payouts(funds.a(), funds.b(), net);
        record.funds = Packing.CLOSED;
        emit Concluded(id, payA, payB);
        _payBoth(channel, payA, payB);
    }

    // ---- Disputes ----

    /// @inheritdoc IAdjudicator
    function challenge(Channel calldata channel, SignedState calldata state) external payable unlocked {
        (bytes32 id, Record storage record, ) = _open(channel);
        _challenge(channel, state, id, record, _sideOfSender(channel));
    }

    /// @inheritdoc IAdjudicator
    function challengeFor(
        Channel calldata channel,
        SignedState calldata state,
        uint40 deadline,
        bytes calldata sig
    ) external payable unlocked {
        (bytes32 id, Record storage record, ) = _open(channel);
        require(block.timestamp <= deadline, TooLate(block.timestamp, deadline));
        address signer = _recover(_digest(ChannelLib.challengeHash(id, state.version, deadline)), sig);
        _challenge(channel, state, id, record, _sideOfSigner(channel, signer));
    }

    function _challenge(
        Channel calldata channel,
        SignedState calldata state,
        bytes32 id,
        Record storage record,
        bool byB
    ) private {
        Dispute dispute = record.dispute;
        require(msg.value == 0, Asset.WrongValue(msg.value, 0));
        require(dispute.deadline() == 0, ChallengeRunning(dispute.deadline()));
        (uint64 version, int128 net) = (dispute.version(), dispute.net());
        if (state.version > version) (version, net) = _verified(channel, id, state);
        uint40 until = channel.clock();
        record.dispute = Packing.dispute(version, until, net);
        emit Challenged(id, version, net, 0, until, byB, "");
    }

    /// @inheritdoc IAdjudicator
    function answer(Channel calldata channel, SignedState calldata state) external unlocked {
        bytes32 id = channel.id(chainIdAtDeployment);
        Record storage record = _records[channel.asset][id];
        Dispute dispute = record.dispute;
        uint40 deadline = dispute.deadline();
        // While a clock runs slot 0 is not read: an answer moves no money, and every verb that does looks there.
        if (deadline == 0) require(!record.funds.isClosed(), ChannelClosed(id));
        else require(block.timestamp <= deadline, TooLate(block.timestamp, deadline));
        require(state.version > dispute.version(), StaleVersion(state.version, dispute.version() + 1));
        (uint64 version, int128 net) = _verified(channel, id, state);
        record.dispute = Packing.dispute(version, deadline, net);
        emit Answered(id, version, net, 0, "");
    }

    /// @inheritdoc IAdjudicator
    function settle(Channel calldata channel, bytes calldata locks) external unlocked holding {
        (bytes32 id, Record storage record, Funds funds) = _open(channel);
        Dispute dispute = record.dispute;
        uint40 deadline = dispute.deadline();
        require(deadline != 0, NoChallenge(id));
        require(block.timestamp > deadline, ChallengeRunning(deadline));
        require(locks.length == 0, LocksTooLong(locks.length, 0));
        (uint256 payA, uint256 payB) = ChannelLib.payouts(funds.a(), funds.b(), dispute.net());
        record.funds = Packing.CLOSED;
        record.dispute = Dispute.wrap(0);
        emit Settled(id, payA, payB, 0);
        _payBoth(channel, payA, payB);
    }

    // ---- Afterwards ----

    /// @inheritdoc IAdjudicator
    function claimCredit(address asset, address owner, address to) external unlocked holding {
        _claimCredit(asset, owner, to);
    }

    // ---- What the court knows ----

    /// @inheritdoc IAdjudicator
    function idOf(Channel calldata channel) external view returns (bytes32) {
        return channel.id(chainIdAtDeployment);
    }

    /// @inheritdoc IAdjudicator
    function recordOf(
        address asset,
        bytes32 channelId
    ) external view returns (int128 fundsA, int128 fundsB, uint64 version, int128 net, uint40 deadline, bool closed) {
        Funds funds = _records[asset][channelId].funds;
        Dispute dispute = _records[asset][channelId].dispute;
        if (funds.isClosed()) return (0, 0, 0, 0, 0, true);
        return (funds.a(), funds.b(), dispute.version(), dispute.net(), dispute.deadline(), false);
    }

    // ---- Within ----

    /// @dev The channel's id, record and funds; it must not be closed.
    function _open(Channel calldata channel) private view returns (bytes32 id, Record storage record, Funds funds) {
        id = channel.id(chainIdAtDeployment);
        record = _records[channel.asset][id];
        funds = record.funds;
        require(!funds.isClosed(), ChannelClosed(id));
    }

    /// @dev Checks a given state's form and both signatures.
    function _verified(
        Channel calldata channel,
        bytes32 id,
        SignedState calldata state
    ) private view returns (uint64 version, int128 net) {
        (version, net) = (state.version, state.net);
        uint256 size = state.locks.length;
        require(version != ChannelLib.FINAL, FinalVersion());
        require(size == 0, LocksTooLong(size, 0));
        bytes32 hash = ChannelLib.stateHash(id, version, net, 0, state.batch);
        _requireBoth(channel, hash, state.sigA, state.sigB);
    }

    function _requireBoth(
        Channel calldata channel,
        bytes32 hash,
        bytes calldata sigA,
        bytes calldata sigB
    ) private view {
        bytes32 digest = _digest(hash);
        _requireSigned(digest, sigA, channel.a.signer);
        _requireSigned(digest, sigB, channel.b.signer);
    }

    /// @dev The side whose owner or signer sends; A if it is on both.
    function _sideOfSender(Channel calldata channel) private view returns (bool isB) {
        if (msg.sender == channel.a.owner || msg.sender == channel.a.signer) return false;
        require(msg.sender == channel.b.owner || msg.sender == channel.b.signer, NotParty(msg.sender));
        return true;
    }

    /// @dev The side whose signer signed; A if it is on both. Zero is what a malformed signature recovers to.
    function _sideOfSigner(Channel calldata channel, address signer) private pure returns (bool isB) {
        require(signer != address(0), NotParty(signer));
        if (signer == channel.a.signer) return false;
        require(signer == channel.b.signer, NotParty(signer));
        return true;
    }

    function _payBoth(Channel calldata channel, uint256 payA, uint256 payB) private {
        _pay(channel.asset, channel.a.owner, payA);
        _pay(channel.asset, channel.b.owner, payB);
    }
}

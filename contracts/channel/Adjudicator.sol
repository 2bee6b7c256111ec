// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Asset, Credits} from "../base/Asset.sol";
import {Authorization} from "../base/Authorization.sol";
import {Signatures} from "../base/Signatures.sol";
import {Verdicts} from "../base/Verdicts.sol";
import {Channel, ChannelLib, SignedState} from "./Channel.sol";
import {EtherDeposit, IAdjudicator, Payer} from "./IAdjudicator.sol";
import {LockLib, Tally} from "./Lock.sol";
import {Bond, Dispute, Funds, Packing, Record, Recorded} from "./Record.sol";

/// @title The court of payment channels, as IAdjudicator says it
contract Adjudicator is IAdjudicator, Signatures(address(this)), Verdicts, Credits {
    using ChannelLib for Channel;

    mapping(address asset => mapping(bytes32 id => Record)) private _records;

    // ---- Opening ----

    /// @inheritdoc IAdjudicator
    /// @dev Ether comes with the call and no foreign code runs, so the lock is only looked at; tokens take it.
    function deposit(address asset, bytes32 channelId, bool toB, uint256 amount) external payable unlocked {
        _mustAdd(asset, channelId, toB, amount);
        if (asset == Asset.ETHER) Asset.pullEther(amount);
        else _pullToken(asset, amount);
    }

    /// @inheritdoc IAdjudicator
    function depositWithPermit(
        address asset,
        bytes32 channelId,
        bool toB,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external unlocked holding {
        _mustAdd(asset, channelId, toB, amount);
        Authorization.pullWithPermit(asset, amount, deadline, v, r, s);
    }

    /// @inheritdoc IAdjudicator
    function depositWithAuthorization(
        address asset,
        bytes32 channelId,
        bool toB,
        uint256 amount,
        Payer calldata payer
    ) external unlocked holding {
        _mustAdd(asset, channelId, toB, amount);
        _pullSigned(asset, channelId, toB, amount, payer);
    }

    /// @inheritdoc IAdjudicator
    function openBoth(
        address asset,
        bytes32 channelId,
        uint256 amountA,
        uint256 amountB,
        bool payerIsB,
        Payer calldata payer
    ) external payable unlocked holding {
        _mustAdd(asset, channelId, false, amountA);
        _mustAdd(asset, channelId, true, amountB);
        if (asset == Asset.ETHER) return Asset.pullEther(amountA + amountB);
        Asset.pullToken(asset, payerIsB ? amountA : amountB);
        _pullSigned(asset, channelId, payerIsB, payerIsB ? amountB : amountA, payer);
    }

    function _pullSigned(address asset, bytes32 channelId, bool toB, uint256 amount, Payer calldata by) private {
        (uint256 validBefore, bytes32 salt) = (by.validBefore, by.salt);
        if (by.permit2) {
            return
                Authorization.pullWithPermit2(
                    asset,
                    by.from,
                    amount,
                    uint256(salt),
                    validBefore,
                    channelId,
                    toB,
                    by.signature
                );
        }
        bytes32 nonce = Authorization.nonceOf(channelId, toB, salt);
        Authorization.pullWithAuthorization(asset, by.from, amount, by.validAfter, validBefore, nonce, by.signature);
    }

    /// @inheritdoc IAdjudicator
    function deposits(EtherDeposit[] calldata list) external payable unlocked {
        uint256 total;
        uint256 back;
        for (uint256 i = 0; i < list.length; ++i) {
            EtherDeposit calldata one = list[i];
            total += one.amount;
            if (!_add(Asset.ETHER, one.channelId, one.toB, one.amount)) back += one.amount;
        }
        Asset.pullEther(total);
        if (back != 0) _payBack(back);
    }

    function _mustAdd(address asset, bytes32 channelId, bool toB, uint256 amount) private {
        require(_add(asset, channelId, toB, amount), ChannelClosed(channelId));
    }

    /// @dev Writes and tells a deposit; false if the channel is closed.
    function _add(address asset, bytes32 channelId, bool toB, uint256 amount) private returns (bool) {
        Record storage record = _records[asset][channelId];
        Funds funds = record.funds;
        require(amount != 0, ZeroAmount());
        if (funds.isClosed()) return false;
        record.funds = funds.added(toB, amount);
        emit Deposited(channelId, asset, toB, amount);
        return true;
    }

    function _payBack(uint256 amount) private holding {
        _pay(Asset.ETHER, msg.sender, amount);
    }

    function _pullToken(address asset, uint256 amount) private holding {
        Asset.pullToken(asset, amount);
    }

    // ---- While it is open ----

    /// @inheritdoc IAdjudicator
    function withdraw(
        Channel calldata channel,
        uint128 totalA,
        uint128 totalB,
        uint40 deadline,
        bytes calldata sigA,
        bytes calldata sigB
    ) external unlocked holding {
        (bytes32 id, Record storage record, Funds funds) = _open(channel);
        require(block.timestamp <= deadline, TooLate(block.timestamp, deadline));
        _requireBoth(channel, ChannelLib.withdrawalHash(id, totalA, totalB, deadline), sigA, sigB);
        (uint256 payA, uint256 payB) = _withdrawn(record, id, totalA, totalB);
        uint256 have = uint256(int256(funds.a()) + funds.b());
        require(payA + payB != 0 && payA + payB <= have, WrongWithdrawal(payA + payB, have));
        record.funds = funds.less(payA, payB);
        _payBoth(channel, channel.asset, payA, payB);
    }

    /// @dev Raises the totals and says by how much; a total that is not higher pays nothing.
    function _withdrawn(
        Record storage record,
        bytes32 id,
        uint128 totalA,
        uint128 totalB
    ) private returns (uint256 payA, uint256 payB) {
        uint256 before = record.withdrawn;
        (uint128 a, uint128 b) = (uint128(before >> 128), uint128(before));
        if (totalA > a) (payA, a) = (totalA - a, totalA);
        if (totalB > b) (payB, b) = (totalB - b, totalB);
        record.withdrawn = (uint256(a) << 128) | b;
        emit Withdrawn(id, a, b);
    }

    /// @inheritdoc IAdjudicator
    function conclude(
        Channel calldata channel,
        int128 net,
        bytes calldata sigA,
        bytes calldata sigB
    ) external unlocked holding {
        (bytes32 id, Record storage record, Funds funds) = _open(channel);
        _requireBoth(channel, ChannelLib.stateHash(id, ChannelLib.FINAL, net, 0, 0), sigA, sigB);
        (uint256 payA, uint256 payB, ) = ChannelLib.payouts(funds.a(), funds.b(), net, 0, 0);
        record.funds = Packing.CLOSED;
        emit Concluded(id, payA, payB);
        _payBoth(channel, channel.asset, payA, payB);
        if (channel.bond != 0) _payBond(channel, record, 0);
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
        uint256 due = channel.bondDue();
        require(msg.value == due, Asset.WrongValue(msg.value, due));
        require(dispute.deadline() == 0, ChallengeRunning(dispute.deadline()));
        uint40 until = channel.clock();
        (uint64 version, int128 net) = (dispute.version(), dispute.net());
        if (state.version > version) {
            bytes calldata locks = state.locks;
            bytes32 root;
            (version, net, root) = _recorded(channel, id, record, state, locks, until);
            emit Challenged(id, version, net, root, until, byB, locks);
        } else {
            record.dispute = Packing.dispute(version, until, net, dispute.hasLocks());
            emit Challenged(id, version, net, dispute.hasLocks() ? record.locksRoot : bytes32(0), until, byB, "");
        }
        if (due != 0) record.bond = Packing.bond(due, version, byB);
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
        bytes calldata locks = state.locks;
        (uint64 version, int128 net, bytes32 root) = _recorded(channel, id, record, state, locks, deadline);
        emit Answered(id, version, net, root, locks);
    }

    /// @inheritdoc IAdjudicator
    function settle(Channel calldata channel, bytes calldata locks) external unlocked holding {
        bytes32 id = channel.id(chainIdAtDeployment);
        Record storage record = _records[channel.asset][id];
        Funds funds = record.funds;
        if (funds.isClosed()) _resolve(channel, locks, id, record, funds);
        else _settle(channel, locks, id, record, funds);
    }

    function _settle(
        Channel calldata channel,
        bytes calldata locks,
        bytes32 id,
        Record storage record,
        Funds funds
    ) private {
        Dispute dispute = record.dispute;
        require(dispute.deadline() != 0, NoChallenge(id));
        require(block.timestamp > dispute.deadline(), ChallengeRunning(dispute.deadline()));
        record.dispute = Dispute.wrap(0);
        (uint256 payA, uint256 payB, bytes32 root) = dispute.hasLocks() || locks.length != 0
            ? _divide(record, funds, dispute, locks)
            : _divide(record, funds, dispute.net());
        emit Settled(id, payA, payB, root);
        _payBoth(channel, channel.asset, payA, payB);
        if (channel.bond != 0) _payBond(channel, record, dispute.version());
    }

    /// @dev Closes a channel without locks.
    function _divide(Record storage record, Funds funds, int256 net) private returns (uint256, uint256, bytes32) {
        record.funds = Packing.CLOSED;
        (uint256 payA, uint256 payB, ) = ChannelLib.payouts(funds.a(), funds.b(), net, 0, 0);
        return (payA, payB, 0);
    }

    /// @dev Closes a channel with locks: decided ones are paid with the rest, open ones stay under a new root.
    function _divide(
        Record storage record,
        Funds funds,
        Dispute dispute,
        bytes calldata locks
    ) private returns (uint256 payA, uint256 payB, bytes32 root) {
        _requireLocks(locks, dispute.hasLocks() ? record.locksRoot : bytes32(0));
        Tally memory sums = LockLib.tally(locks, _verdicts);
        int256 m = dispute.net() + int256(sums.toB) - int256(sums.toA);
        bool voids;
        (payA, payB, voids) = ChannelLib.payouts(funds.a(), funds.b(), m, sums.openOfA, sums.openOfB);
        if (!voids) root = LockLib.rootOf(sums.rest);
        record.funds = root == 0 ? Packing.CLOSED : Packing.CLOSED_WITH_LOCKS;
        record.locksRoot = root;
    }

    /// @dev Pays what has been decided since of the locks that a settlement left open.
    function _resolve(
        Channel calldata channel,
        bytes calldata locks,
        bytes32 id,
        Record storage record,
        Funds funds
    ) private {
        require(funds.hasOpenLocks(), ChannelClosed(id));
        _requireLocks(locks, record.locksRoot);
        Tally memory sums = LockLib.tally(locks, _verdicts);
        require(sums.rest.length != locks.length, NothingDecided(id));
        bytes32 root = LockLib.rootOf(sums.rest);
        if (root == 0) record.funds = Packing.CLOSED;
        record.locksRoot = root;
        (uint256 payA, uint256 payB) = (sums.toA + sums.backToA, sums.toB + sums.backToB);
        emit Settled(id, payA, payB, root);
        _payBoth(channel, channel.asset, payA, payB);
    }

    // ---- Afterwards ----

    /// @inheritdoc IAdjudicator
    function claimCredit(address asset, address owner, address to) external unlocked holding {
        _claimCredit(asset, owner, to);
    }

    /// @inheritdoc IAdjudicator
    function sweep(Channel calldata channel, address asset) external unlocked holding {
        require(asset != channel.asset, ChannelAsset(asset));
        bytes32 id = channel.id(chainIdAtDeployment);
        Funds funds = _records[asset][id].funds;
        (uint256 payA, uint256 payB) = (uint256(int256(funds.a())), uint256(int256(funds.b())));
        require(payA + payB != 0, ZeroAmount());
        _records[asset][id].funds = Funds.wrap(0);
        emit Swept(id, asset, payA, payB);
        _payBoth(channel, asset, payA, payB);
    }

    // ---- Many at once ----

    /// @inheritdoc IAdjudicator
    /// @dev Not payable, so that no item can spend the same ether twice; every item takes the lock for itself.
    function batch(bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; ++i) {
            // solhint-disable-next-line avoid-low-level-calls
            (bool done, bytes memory reason) = address(this).delegatecall(calls[i]);
            if (!done) emit ItemRefused(i, reason);
        }
    }

    // ---- What the court knows ----

    /// @inheritdoc IAdjudicator
    function idOf(Channel calldata channel) external view returns (bytes32) {
        return channel.id(chainIdAtDeployment);
    }

    /// @inheritdoc IAdjudicator
    function recordOf(address asset, bytes32 channelId) external view returns (Recorded memory told) {
        Record storage record = _records[asset][channelId];
        (Funds funds, Dispute dispute) = (record.funds, record.dispute);
        told.closed = funds.isClosed();
        if (told.closed ? funds.hasOpenLocks() : dispute.hasLocks()) told.locksRoot = record.locksRoot;
        if (told.closed) return told;
        (told.fundsA, told.fundsB) = (funds.a(), funds.b());
        (told.version, told.net, told.deadline) = (dispute.version(), dispute.net(), dispute.deadline());
        (told.withdrawnA, told.withdrawnB) = (uint128(record.withdrawn >> 128), uint128(record.withdrawn));
        told.bond = record.bond.amount();
    }

    // ---- Within ----

    /// @dev The channel's id, record and funds; it must not be closed.
    function _open(Channel calldata channel) private view returns (bytes32 id, Record storage record, Funds funds) {
        id = channel.id(chainIdAtDeployment);
        record = _records[channel.asset][id];
        funds = record.funds;
        require(!funds.isClosed(), ChannelClosed(id));
    }

    /// @dev Checks a newer state's form and both signatures, and records it.
    function _recorded(
        Channel calldata channel,
        bytes32 id,
        Record storage record,
        SignedState calldata state,
        bytes calldata locks,
        uint40 deadline
    ) private returns (uint64 version, int128 net, bytes32 root) {
        (version, net) = (state.version, state.net);
        require(version != ChannelLib.FINAL, FinalVersion());
        root = LockLib.checkedRoot(locks);
        _requireBoth(channel, ChannelLib.stateHash(id, version, net, root, state.batch), state.sigA, state.sigB);
        record.dispute = Packing.dispute(version, deadline, net, root != 0);
        if (root != 0) record.locksRoot = root;
    }

    /// @dev The list must be the one behind the root.
    function _requireLocks(bytes calldata locks, bytes32 need) private pure {
        bytes32 have = LockLib.rootOfCalldata(locks);
        require(have == need, WrongLocks(have, need));
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

    function _payBoth(Channel calldata channel, address asset, uint256 payA, uint256 payB) private {
        _pay(asset, channel.a.owner, payA);
        _pay(asset, channel.b.owner, payB);
    }

    /// @dev Pays a posted bond, once: to the other side if the recorded version is at least two above the challenged
    /// one (an honest writer may be one unanswered proposal behind), else back to the side that posted it.
    function _payBond(Channel calldata channel, Record storage record, uint256 version) private {
        Bond bond = record.bond;
        if (Bond.unwrap(bond) == 0) return;
        record.bond = Bond.wrap(0);
        bool lost = version >= uint256(bond.challenged()) + 2;
        _pay(Asset.ETHER, bond.byB() != lost ? channel.b.owner : channel.a.owner, bond.amount());
    }
}

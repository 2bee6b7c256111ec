// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Channel, SignedState} from "./Channel.sol";

/// @title The court of payment channels
/// @notice Two parties deposit under a channel id, sign states off-chain, and come back only to close or to disagree.
/// Nobody is trusted: there is no owner, no upgrade, no pause and no fee. Amounts are in the asset's smallest unit,
/// asset zero is ether, times are seconds. Everything pays the parties' owners only; what cannot be pushed to them
/// becomes a credit. A party is safe if it, or anybody for it, publishes its newest state once while a clock runs.
interface IAdjudicator {
    /// @notice `amount` of `asset` was added to a side. Only deposits of the asset that the terms name count.
    event Deposited(bytes32 indexed id, address asset, bool toB, uint256 amount);
    /// @notice A clock was started by a side; the values are those recorded after the call, `locks` is empty if nothing
    /// new was recorded. Answers count while now <= deadline.
    event Challenged(
        bytes32 indexed id,
        uint64 version,
        int128 net,
        bytes32 locksRoot,
        uint40 deadline,
        bool byB,
        bytes locks
    );
    /// @notice A newer state was recorded; the deadline did not move.
    event Answered(bytes32 indexed id, uint64 version, int128 net, bytes32 locksRoot, bytes locks);
    /// @notice The recorded state was paid after its deadline; `locksRoot` is what stays undecided.
    event Settled(bytes32 indexed id, uint256 payA, uint256 payB, bytes32 locksRoot);
    /// @notice A final state was paid.
    event Concluded(bytes32 indexed id, uint256 payA, uint256 payB);

    /// @notice The channel has been paid and takes no more calls.
    error ChannelClosed(bytes32 id);
    /// @notice Nothing to deposit: send at least one unit.
    error ZeroAmount();
    /// @notice The state has version `have`; only versions from `need` on are news. Fetch the newest state.
    error StaleVersion(uint64 have, uint64 need);
    /// @notice The state is final; it is paid by `conclude`.
    error FinalVersion();
    /// @notice A clock is set: answers count until `deadline`, settlement after it.
    error ChallengeRunning(uint40 deadline);
    /// @notice No clock is set; challenge first.
    error NoChallenge(bytes32 id);
    /// @notice The time is `have`, the last second allowed was `need`.
    error TooLate(uint256 have, uint256 need);
    /// @notice Only an owner or signer of the channel, or a signer's signed Challenge, starts a dispute.
    error NotParty(address have);
    /// @notice The list of locks has `have` bytes; this court takes at most `need`.
    error LocksTooLong(uint256 have, uint256 need);

    // ---- A channel's life, in order ----

    /// @notice Adds to a side of a channel; the first deposit opens it. Anybody may pay for any side.
    /// @dev The caller must know the terms behind the id: money under an id without terms is lost. Ether: msg.value is
    /// exactly `amount`. Tokens: the allowance of the sender, believed by balance; tokens that take a fee are refused.
    /// Allowed in the middle of a dispute. Errors: ZeroAmount, ChannelClosed, WrongValue, WrongTransfer,
    /// SafeCastOverflowedUintToInt and SafeCastOverflowedIntDowncast where a side would hold 2^127 or more.
    /// @param asset the channel's asset: money under another asset does not count
    /// @param channelId the id of the terms
    /// @param toB true to add to side B, false to side A
    /// @param amount in the asset's smallest unit, not zero
    function deposit(address asset, bytes32 channelId, bool toB, uint256 amount) external payable;

    /// @notice Pays a final state at once. Anybody with both signatures over State(id, 2^64 - 1, net, 0, 0) may; a
    /// signature is empty where the sender is that signer.
    /// @dev Irrevocable for whoever signs a final state. Works in a dispute too. Pays fundsA - net to A, the rest to B,
    /// clamped so that neither is negative. Errors: ChannelClosed, WrongSigner, GasShort.
    function conclude(Channel calldata channel, int128 net, bytes calldata sigA, bytes calldata sigB) external;

    /// @notice Starts the clock, with a co-signed state or (version 0) with none. For an owner or a signer of the channel.
    /// @dev Records the state if it is newer than what is recorded, else keeps that and reads no more of it. Errors:
    /// ChannelClosed, ChallengeRunning, FinalVersion, NotParty, WrongSigner, LocksTooLong, WrongValue.
    /// @param channel the terms
    /// @param state the newest co-signed state that the caller has
    function challenge(Channel calldata channel, SignedState calldata state) external payable;

    /// @notice The same for anybody whom a signer lets: `sig` is its signature over
    /// Challenge(id, the given state's version, deadline), good while now <= deadline.
    /// @dev Errors: as challenge, and TooLate; NotParty names the key that signed (zero if malformed).
    function challengeFor(
        Channel calldata channel,
        SignedState calldata state,
        uint40 deadline,
        bytes calldata sig
    ) external payable;

    /// @notice Records a newer co-signed state. Anybody with both signatures may, while now <= the deadline or no clock
    /// runs (then it is a checkpoint). The deadline never moves.
    /// @dev While a clock runs the court does not look whether the channel was concluded meanwhile: such an answer pays
    /// nobody and changes nothing that counts. Errors: ChannelClosed, TooLate, StaleVersion, FinalVersion, WrongSigner,
    /// LocksTooLong.
    function answer(Channel calldata channel, SignedState calldata state) external;

    /// @notice Pays the recorded state once the deadline has passed. Anybody may.
    /// @dev Pays fundsA - net to A, the rest to B, clamped so that neither is negative; nothing is rounded. Errors:
    /// ChannelClosed, NoChallenge, ChallengeRunning, LocksTooLong, GasShort.
    /// @param channel the terms
    /// @param locks the packed list behind the recorded locksRoot, empty if there is none
    function settle(Channel calldata channel, bytes calldata locks) external;

    /// @notice Sends what could not be pushed to `owner`: the owner to anywhere, anybody to the owner itself.
    /// @dev Errors: NotOwner, NoCredit, PaymentRefused, GasShort.
    function claimCredit(address asset, address owner, address to) external;

    // ---- What the court knows ----

    /// @notice The id of a channel's terms: keccak256(abi.encode(chain id at deployment, this, channel)).
    function idOf(Channel calldata channel) external view returns (bytes32);

    /// @notice Everything kept under (asset, id): funds per side (deposited minus withdrawn), the recorded version and
    /// what A owes B in it, the deadline (0 = no clock), whether the channel is closed (all else is 0 then).
    function recordOf(
        address asset,
        bytes32 channelId
    ) external view returns (int128 fundsA, int128 fundsB, uint64 version, int128 net, uint40 deadline, bool closed);
}

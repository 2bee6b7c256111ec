// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Channel, SignedState} from "./Channel.sol";
import {Recorded} from "./Record.sol";

/// @notice One of many ether deposits of one transaction.
struct EtherDeposit {
    bytes32 channelId;
    bool toB;
    uint256 amount;
}

/// @notice Somebody whose tokens come in by its signature: by ERC-3009, or through Permit2.
/// @dev By ERC-3009 the signed nonce is keccak256(abi.encode(channelId, toB, salt)), the times are its own. Through Permit2
/// the salt is the unordered nonce, `validBefore` the deadline, and `validAfter` says nothing.
struct Payer {
    address from;
    bool permit2;
    uint256 validAfter;
    uint256 validBefore;
    bytes32 salt;
    bytes signature;
}

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

    /// @notice Both sides have taken so much out of the open channel, in all.
    event Withdrawn(bytes32 indexed id, uint128 withdrawnA, uint128 withdrawnB);
    /// @notice What was deposited under an asset that is not the channel's went back.
    event Swept(bytes32 indexed id, address asset, uint256 payA, uint256 payB);
    /// @notice Item `index` of a batch was refused, with the data of its error.
    event ItemRefused(uint256 index, bytes reason);

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
    /// @notice The list of locks has the root `have`, where `need` is recorded.
    error WrongLocks(bytes32 have, bytes32 need);
    /// @notice None of the open locks has been decided since: wait for a verdict or an expiry.
    error NothingDecided(bytes32 id);
    /// @notice The totals ask for `have` more than was withdrawn: it must be above 0 and at most the funds, `need`.
    error WrongWithdrawal(uint256 have, uint256 need);
    /// @notice This is the channel's own asset: it is paid by settling or concluding.
    error ChannelAsset(address asset);

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

    /// @notice The same with an ERC-2612 permit of the sender, which may have been used before by somebody else.
    /// @dev The permit only sets the sender's own allowance. Errors: as deposit.
    function depositWithPermit(
        address asset,
        bytes32 channelId,
        bool toB,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice The same with tokens of somebody who has signed for exactly this: court, token, amount, channel and side.
    /// Anybody may send it. If the signature was used first by somebody else, the deposit is there already.
    /// @dev Until it expires, count a signature given away as deposited. Errors: as deposit, SignatureLength, and what the
    /// token or Permit2 refuse with.
    function depositWithAuthorization(
        address asset,
        bytes32 channelId,
        bool toB,
        uint256 amount,
        Payer calldata payer
    ) external;

    /// @notice Funds both sides at once. Ether: the sender pays both, `payer` says nothing. Tokens: the sender pays one side
    /// by its allowance, `payer` the other (B if `payerIsB`) by its signature for that side.
    /// @dev Errors: as deposit and depositWithAuthorization.
    function openBoth(
        address asset,
        bytes32 channelId,
        uint256 amountA,
        uint256 amountB,
        bool payerIsB,
        Payer calldata payer
    ) external payable;

    /// @notice Many ether deposits in one transaction; msg.value is exactly their sum. A channel that is closed meanwhile
    /// is left out, and its ether goes back to the sender (or waits as its credit).
    /// @dev Errors: ZeroAmount, WrongValue, GasShort, SafeCastOverflowedUintToInt, SafeCastOverflowedIntDowncast.
    function deposits(EtherDeposit[] calldata list) external payable;

    /// @notice Takes money out of an open channel, also in a dispute. Anybody with both signatures over
    /// Withdrawal(id, totalA, totalB, deadline) may, while now <= deadline.
    /// @dev Totals count all withdrawals, so a repetition pays nothing twice; a total that is not higher is passed over.
    /// Open states stay valid: they say who owes whom, not who has what. Errors: ChannelClosed, TooLate, WrongSigner,
    /// WrongWithdrawal, GasShort.
    /// @param channel the terms
    /// @param totalA what side A has withdrawn once this is done, in all
    /// @param totalB the same of side B
    /// @param deadline last second in which the signatures are good
    /// @param sigA of A's signer, or empty if it sends
    /// @param sigB of B's signer, or empty if it sends
    function withdraw(
        Channel calldata channel,
        uint128 totalA,
        uint128 totalB,
        uint40 deadline,
        bytes calldata sigA,
        bytes calldata sigB
    ) external;

    /// @notice Pays a final state at once. Anybody with both signatures over State(id, 2^64 - 1, net, 0, 0) may; a
    /// signature is empty where the sender is that signer.
    /// @dev Irrevocable for whoever signs a final state. Works in a dispute too. Pays fundsA - net to A, the rest to B,
    /// clamped so that neither is negative. Errors: ChannelClosed, WrongSigner, GasShort.
    function conclude(Channel calldata channel, int128 net, bytes calldata sigA, bytes calldata sigB) external;

    /// @notice Starts the clock, with a co-signed state or (version 0) with none. For an owner or a signer of the channel.
    /// @dev The sender posts the bond of the terms, at most one ether, as msg.value: it comes back when the channel closes,
    /// but goes to the other side if the settled version is two or more above the one recorded now. Records the state,
    /// with its list of locks, if it is newer than what is recorded, else keeps that and reads no more of it. Errors:
    /// ChannelClosed, ChallengeRunning, FinalVersion, NotParty, WrongSigner, WrongListSize, WrongDirection, WrongValue.
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
    /// WrongListSize, WrongDirection.
    function answer(Channel calldata channel, SignedState calldata state) external;

    /// @notice Pays the recorded state once the deadline has passed. Anybody may.
    /// @dev Pays fundsA - net to A, the rest to B, clamped so that neither is negative; nothing is rounded. Errors:
    /// ChannelClosed, NoChallenge, ChallengeRunning, WrongLocks, NothingDecided, GasShort.
    /// @param channel the terms
    /// @param locks the packed list behind the recorded locksRoot, empty if there is none
    function settle(Channel calldata channel, bytes calldata locks) external;

    /// @notice Pays back, by side, what was deposited under an asset that is not the channel's. Anybody may.
    /// @dev Errors: ChannelAsset, ZeroAmount (nothing is there), GasShort.
    function sweep(Channel calldata channel, address asset) external;

    /// @notice Makes many calls to this court in the sender's name, none with ether. A refused one is passed over and
    /// told by ItemRefused, so that nobody can make a hundred answers fail by closing one channel.
    function batch(bytes[] calldata calls) external;

    /// @notice Sends what could not be pushed to `owner`: the owner to anywhere, anybody to the owner itself.
    /// @dev Errors: NotOwner, NoCredit, PaymentRefused, GasShort.
    function claimCredit(address asset, address owner, address to) external;

    // ---- What the court knows ----

    /// @notice The id of a channel's terms: keccak256(abi.encode(chain id at deployment, this, channel)).
    function idOf(Channel calldata channel) external view returns (bytes32);

    /// @notice Everything kept under (asset, id).
    function recordOf(address asset, bytes32 channelId) external view returns (Recorded memory);
}

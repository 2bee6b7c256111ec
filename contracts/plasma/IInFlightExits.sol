// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Inclusion} from "./Block.sol";
import {Chain} from "./Chain.sol";
import {InFlightExit, Source} from "./InFlightExit.sol";
import {LockTerms} from "./LockTerms.sol";
import {Spend} from "./Spend.sol";
import {Transaction} from "./Transaction.sol";

/// @title In-flight exits: leaving with a transaction that may be in no block.
/// @notice The payee of the inputs of a transaction T may start its exit. Its parties piggyback the inputs and outputs that
/// they want; others show that an input or an output was spent by another transaction. In the end T is canonical, and
/// its unspent outputs are paid, or it is not, and its unspent inputs are.
///
/// The timetable, in seconds since the start s (H = mfp / 2; "processed" = the first of its queues has paid it):
/// startInFlight    when the inputs' numbers are committed, without end; not while it runs
/// piggyback        s to s + H
/// compete          s to s + H to make T non-canonical; to the input's own queue to keep the input from being paid
/// challengeOutput  s to the output's own queue
/// respond          s to processed
/// process          from max(s + mfp, time of its youngest input's number + 2 mfp) on
///
/// Positions are 0 to 3 for inputs, 4 to 7 for outputs; sets of them are bits. A verb takes, in `terms`, the lock terms
/// of the locked outputs that it deals with, in any order; a plain output needs none.
interface IInFlightExits {
    /// @notice An in-flight exit runs. Its starter has piggybacked `piggybacked`. It waits in the queue of each of its
    /// assets, in the order of the inputs that bring them in, at `indices` of `lane`.
    event InFlightStarted(
        bytes32 indexed txHash,
        InFlightExit inFlight,
        bytes authorisation,
        uint8 piggybacked,
        uint40 lane,
        uint40[] indices
    );
    /// @notice Parties want these positions, beside those that were piggybacked before.
    event Piggybacked(bytes32 indexed txHash, uint8 positions);
    /// @notice `competitor` spends the input at `position`; in its first inclusion shown it is at (number, index), or
    /// at (2^40 - 1, 2^16 - 1) if it was live.
    event Competed(
        bytes32 indexed txHash,
        uint8 position,
        bytes32 competitor,
        uint40 number,
        uint16 index,
        address challenger
    );
    /// @notice `spender` spends the output at `position`, which will not be paid in this run.
    event OutputChallenged(bytes32 indexed txHash, uint8 position, bytes32 spender, address challenger);
    /// @notice The transaction was shown to be included at (number, index), before its competitor.
    event Responded(bytes32 indexed txHash, uint40 number, uint16 index);

    /// @notice The transaction's exit runs already.
    error AlreadyRunning(bytes32 txHash);
    /// @notice The given in-flight exit does not run, or is not exactly what its start's event told.
    error NotRunning(bytes32 txHash);
    /// @notice A transaction has 1 to 4 inputs and 1 to 4 outputs; this one has `inputs` and `outputs`.
    error WrongShape(uint256 inputs, uint256 outputs);
    /// @notice The transaction names an input twice.
    error RepeatedInput(bytes32 id);
    /// @notice The inputs of an asset (an id of an ERC-721) bring `have`, its outputs take `need`.
    error Unbalanced(address asset, uint256 have, uint256 need);
    /// @notice All inputs need one payee: this one's is `have`, the first one's `need`.
    error MixedOwners(address have, address need);
    /// @notice `have` sources came for `need` inputs.
    error WrongSources(uint256 have, uint256 need);
    /// @notice The sender is a payee of none of the positions that it wants, or of no input where it would start.
    error NotParty(address sender, uint8 positions);
    /// @notice Nothing of it is left to be paid to the sender: what it owns there is finalised.
    error NothingLeft(bytes32 txHash);
    /// @notice It is `have`; that was possible before `need`.
    error TooLate(uint40 have, uint40 need);
    /// @notice These positions are piggybacked, blocked or finalised already, or do not exist.
    error WrongPositions(uint8 positions);
    /// @notice The transaction cannot compete with itself.
    error SameTransaction(bytes32 txHash);
    /// @notice The transaction has consumed its inputs: it is canonical for ever.
    error Consumed(bytes32 txHash);
    /// @notice The input is blocked already, and the competitor at `have` is not older than the one known, at `need`.
    error NotOlder(uint56 have, uint56 need);
    /// @notice Nobody doubts the transaction: there is no competitor to respond to.
    error NoCompetitor(bytes32 txHash);
    /// @notice Too late: a queue has dealt with it, its first or that of the position's asset.
    error Processed(bytes32 txHash);

    /// @notice Starts the exit of a transaction: its inputs' payee (while a lock is undecided, its owner or refund); once
    /// it has consumed its inputs the payee of an output, too. The starter's positions are piggybacked with it. Nobody
    /// else may: who starts shows in which blocks the inputs were made, and so how old the exit is.
    /// @param authorisation The signature of its inputs' payee; empty if that approved it; see Spend.
    /// @param sources Where each input comes from.
    /// @dev Send 1 + that many bonds, evenly: each within `bond` and twice that. The first comes back with the first
    /// queue unless a competitor is shown, each other one when its asset's queue has processed it unless its position
    /// was blocked. A transaction that has expired starts late: as if it had a competitor that is younger than anything.
    /// Refuses with AlreadyRunning, WrongDepth, WrongParent, WrongChain, WrongShape, RepeatedInput, WrongSources,
    /// WrongInput, WrongStatus, NoSuchPosition, TooManyInclusions, IncludedLate, NotBefore, WrongHeader,
    /// WrongCommitment, WrongLock, ZeroOwner, ZeroValue, Unbalanced, MixedOwners, Undecided, NotApproved, WrongSigner,
    /// NotParty, NothingLeft, WrongBond.
    function startInFlight(
        Chain[] calldata path,
        Transaction calldata transaction,
        bytes calldata authorisation,
        Source[] calldata sources,
        LockTerms[] calldata terms
    ) external payable;

    /// @notice Asks for positions of a running exit, as the payee of each (undecided: as owner or refund).
    /// @dev Send a bond of the size recorded with the exit for each. Refuses with NotRunning, TooLate, WrongPositions,
    /// WrongLock, NotParty, WrongBond.
    function piggyback(InFlightExit calldata inFlight, uint8 positions, LockTerms[] calldata terms) external payable;

    /// @notice Shows another transaction that counts and spends the input at `position`. Anybody. The input is not paid
    /// in this run; in the first half the transaction becomes non-canonical, unless a response is older. The first
    /// competitor has half of the start's bond, and whoever blocks a piggybacked input half of that bond; the other
    /// halves go to the chain's ether pot.
    /// @dev Refuses with NotRunning, NoSuchPosition, WrongChain, WrongInput, Expired, TooManyInclusions, NotApproved,
    /// WrongSigner, WrongLock, Undecided, SameTransaction, Consumed, NotOlder, and as proofs do.
    function compete(
        Chain[] calldata path,
        InFlightExit calldata inFlight,
        uint8 position,
        Spend calldata spend,
        LockTerms[] calldata terms
    ) external;

    /// @notice Shows a transaction that counts and spends the piggybacked output at `position`. Anybody; half of that
    /// bond goes to the sender, the rest to the chain's ether pot.
    /// @dev Refuses with NotRunning, NoSuchPosition, WrongPositions, Processed, and as challengeExit does.
    function challengeOutput(
        Chain[] calldata path,
        InFlightExit calldata inFlight,
        uint8 position,
        Spend calldata spend,
        LockTerms[] calldata terms
    ) external;

    /// @notice Shows that the transaction was included before its competitor. Anybody; not paid.
    /// @dev Refuses with NotRunning, Processed, NoCompetitor, NotOlder, and as proofs do.
    function respond(Chain[] calldata path, InFlightExit calldata inFlight, Inclusion calldata inclusion) external;
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Inclusion} from "./Block.sol";
import {Exit, InFlightExit, Permit} from "./Exit.sol";
import {Chain, Deposit, Transaction} from "./Transaction.sol";

/// @notice A transaction that spends an exiting output. It counts if its payee authorised it and if it is live (no
/// inclusion needed: its lastBlock is still ahead) or shown (one inclusion, at or before its lastBlock).
struct Spend {
    Transaction tx;
    uint8 input;
    bytes signature;
    Inclusion[] inclusion;
}

/// @title The root chain: where users put money under a tree of chains, and take out what is provably theirs.
/// @notice Nobody is trusted: an operator can stop or censor its chain, it can never take what was included and served
/// (a payment in flight needs in-flight exits, which are to come). No owner, no upgrade, no pause. Money of a chain is
/// kept apart per asset (its pot); an exit is paid from its own pot only.
/// Times are in seconds, amounts in the asset's smallest unit, bonds in wei. "Sender" is msg.sender and nobody else.
/// Every verb may also refuse with ReentrancyGuardReentrantCall(), when a receiver calls back while it is being paid.
/// A verb that pays may also refuse with GasShort, when too little is left for its receiver.
interface IRootChain {
    /// @notice A chain may have blocks from number `since` + 1 on; `path` leads to it from the root level.
    event ChainRegistered(bytes32 indexed chain, uint40 since, Chain[] path);
    /// @notice A deposit, with all that its id is made of.
    event Deposited(
        bytes32 indexed id,
        bytes32 indexed chain,
        address indexed owner,
        address sender,
        bytes32 salt,
        address asset,
        uint256 value
    );
    /// @notice The header of a number, the second it came, and the second up to which its blocks know layer 1.
    event Committed(bytes32 indexed chain, uint40 number, uint40 time, uint40 asOf, bytes32 header);
    /// @notice `owner` authorised a transaction, for ever.
    event Approved(address indexed owner, bytes32 indexed txHash);
    /// @notice An exit waits at `index` of a lane: 0 is the list, any other the bucket of that block number.
    event ExitStarted(bytes32 indexed ids, uint40 lane, uint40 index, Exit exit);
    /// @notice An exit was shown to be of a spent output, and is void.
    event ExitChallenged(bytes32 indexed ids, uint40 lane, uint40 index, bytes32 txHash, address challenger);
    /// @notice An exit was taken back by its owner, and is void.
    event ExitCancelled(bytes32 indexed ids, uint40 lane, uint40 index);
    /// @notice An exit was paid: `amount` went to its owner, or waits as its credit.
    event ExitPaid(bytes32 indexed ids, uint40 lane, uint40 index, uint256 amount);
    /// @notice An exit left the queue without payment, because everything in it had been paid before.
    event ExitDropped(bytes32 indexed ids, uint40 lane, uint40 index);
    /// @notice An exit left the queue unpaid: the pot had `have` where it wanted `need`. It may be started again.
    event ExitUnpaid(bytes32 indexed ids, uint40 lane, uint40 index, uint256 have, uint256 need);

    /// @notice The constructor's times or fees do not fit: 0 < mfp, even; margin + alarm <= mfp / 4; floor <= ceiling.
    error WrongTerms(uint40 mfp, uint40 margin, uint40 alarm, uint256 feeFloor, uint256 feeCeiling);
    /// @notice The path has `have` chains, or the proof `have` levels, where `need` fit; no deeper chains yet.
    error WrongDepth(uint256 have, uint256 need);
    /// @notice A chain of the path names the parent `have`, where its ancestor is `need` (zero at root level).
    error WrongParent(bytes32 have, bytes32 need);
    /// @notice `have` signatures came where `need` have to: the operator's, and for a child its parent's operator's.
    error WrongSignatures(uint256 have, uint256 need);
    /// @notice The chain is registered already.
    error KnownChain(bytes32 chain);
    /// @notice No such root-level chain is registered.
    error UnknownChain(bytes32 chain);
    /// @notice Only ether is taken so far.
    error UnsupportedAsset(address asset);
    /// @notice Locked outputs cannot leave yet.
    error LockedOutput(bytes32 lock);
    /// @notice In-flight exits are not processed yet: `have` were handed over where `need` may be.
    error UnsupportedExits(uint256 have, uint256 need);
    /// @notice Nobody owns it: the zero address could never take it out.
    error ZeroOwner();
    /// @notice Nothing is deposited.
    error ZeroValue();
    /// @notice The status of this output is `have`, where the verb needs `need`.
    error WrongStatus(bytes32 id, uint256 have, uint256 need);
    /// @notice This output was paid or consumed already: its status is `have`.
    error Finalised(bytes32 id, uint256 have);
    /// @notice The sender is `have`, where only the chain's operator `need` may commit.
    error NotOperator(address have, address need);
    /// @notice The next number of this chain is `need`.
    error WrongNumber(uint40 have, uint40 need);
    /// @notice A number was committed in this very second; the next one has to come later than `need`.
    error SameSecond(uint40 have, uint40 need);
    /// @notice asOf is `have`, and may not be before the last one's, `need`.
    error EarlyAsOf(uint40 have, uint40 need);
    /// @notice asOf is `have`, and has to be before this block's second, `need`.
    error FutureAsOf(uint40 have, uint40 need);
    /// @notice The commit comes at `have`, later than asOf + margin = `need`; build the block again.
    error LateCommit(uint40 have, uint40 need);
    /// @notice The transaction has `need` outputs, none at `have`; or inputs, likewise.
    error NoSuchPosition(uint256 have, uint256 need);
    /// @notice The transaction, or the path, is of chain `have`, where it has to be `need`.
    error WrongChain(bytes32 have, bytes32 need);
    /// @notice The proof leads to `have`, where layer 1 kept `need` for the number (zero: not committed).
    error WrongCommitment(bytes32 have, bytes32 need);
    /// @notice The transaction was included in number `have`, after its lastBlock `need`.
    error IncludedLate(uint40 have, uint40 need);
    /// @notice The permit is for the starter `need`.
    error WrongStarter(address have, address need);
    /// @notice The permit was good until `need`.
    error PermitExpired(uint40 have, uint40 need);
    /// @notice `have` wei came, where a bond of at least `least` and at most `most` has to.
    error WrongBond(uint256 have, uint256 least, uint256 most);
    /// @notice The transaction's input is `have`, and does not spend the exit's output `need`.
    error WrongInput(bytes32 have, bytes32 need);
    /// @notice Neither signed nor approved by `payee`.
    error NotApproved(address payee, bytes32 txHash);
    /// @notice The transaction is not live: its lastBlock is `have`, number `need` is committed. Show its inclusion.
    error Expired(uint40 have, uint40 need);
    /// @notice `have` inclusions came where at most `need` may.
    error TooManyInclusions(uint256 have, uint256 need);
    /// @notice The queue has the word `have` at this place, not this exit's `need`; zero: void, paid, or never used.
    error WrongEntry(uint256 have, uint256 need);
    /// @notice Nothing waits in this queue.
    error EmptyQueue(bytes32 chain, address asset);
    /// @notice It is `have`; the first exit may be paid from `need` on.
    error NotExitable(uint40 have, uint40 need);
    /// @notice The first exit, at this place, is not among those that were handed over.
    error MissingExit(uint40 lane, uint40 index);

    /// @notice Registers a chain. Anybody may send, with the operator's signature over Registration(bytes32 parent,
    /// uint8 slot,address operator); an empty signature says that the sender is the operator.
    /// @param path The chain's ancestors from the root level, itself last. Length 1 so far.
    /// @param signatures The operator's, then for a child its parent's operator's.
    /// @dev Refuses with WrongDepth, WrongParent, WrongSignatures, KnownChain, WrongSigner.
    function register(Chain[] calldata path, bytes[] calldata signatures) external;

    /// @notice Puts `value` of `asset` under `owner` on a chain. The deposit's id is keccak256(0x05 ‖ abi.encode(chain,
    /// sender, salt, owner, asset, value)), so a depositor uses each salt once.
    /// @param owner Who may spend it there and take it out; a contract may, if it can send `approve` or an exit itself.
    /// @dev Send exactly `value` wei. Refuses with UnsupportedAsset, ZeroOwner, ZeroValue, UnknownChain, WrongStatus,
    /// WrongValue.
    function deposit(bytes32 chain, bytes32 salt, address owner, address asset, uint256 value) external payable;

    /// @notice Anchors the blocks of a number, for a root-level chain and all below it. Its operator only.
    /// @param header keccak256(0x02 ‖ txRoot ‖ childrenRoot).
    /// @param asOf The blocks know of layer 1 exactly what happened up to this second.
    /// @dev Refuses with UnknownChain, NotOperator, WrongNumber, SameSecond, EarlyAsOf, FutureAsOf, LateCommit.
    function commit(Chain calldata chain, uint40 number, bytes32 header, uint40 asOf) external;

    /// @notice Authorises a transaction in place of a signature, for outputs that the sender owns. Never revocable.
    function approve(bytes32 txHash) external;

    /// @notice Starts the exit of an output of an included transaction. Its owner, or anybody with its permit.
    /// @param inclusion In any block of the chain that the transaction names, at or before its lastBlock.
    /// @dev Send a bond (see `bond`); it comes back unless the exit is challenged or cancelled. A permit is a signature
    /// over StartExit(bytes32 chain,bytes32[] ids,address starter,uint40 deadline), good until its deadline.
    /// Refuses with WrongBond, WrongDepth, WrongParent, WrongChain, NoSuchPosition, LockedOutput, UnsupportedAsset,
    /// IncludedLate, WrongCommitment, Finalised, WrongSigner, WrongStarter, PermitExpired.
    function startExit(
        Chain[] calldata path,
        Transaction calldata transaction,
        uint8 output,
        Inclusion calldata inclusion,
        Permit calldata permit
    ) external payable;

    /// @notice Starts the exit of a deposit. Its owner, or anybody with its permit. No block is needed for it.
    /// @dev Send a bond. Refuses with WrongBond, WrongStatus, WrongSigner, WrongStarter, PermitExpired.
    function startDepositExit(Deposit calldata deposited, Permit calldata permit) external payable;

    /// @notice Makes an exit void by a transaction that counts and spends its output. Anybody, until it is processed.
    /// Half the bond goes to the sender, the rest to the chain's ether pot.
    /// @dev Refuses with WrongChain, NoSuchPosition, WrongInput, NotApproved, WrongSigner, WrongDepth, WrongParent,
    /// Expired, TooManyInclusions, IncludedLate, WrongCommitment, WrongEntry.
    function challengeExit(
        Chain[] calldata path,
        Exit calldata exit,
        uint40 lane,
        uint40 index,
        Spend calldata spend
    ) external;

    /// @notice Makes an exit void. Its owner only, who has half the bond; the rest goes to the chain's ether pot.
    /// @dev Refuses with NotOwner, WrongEntry.
    function cancelExit(Exit calldata exit, uint40 lane, uint40 index) external;

    /// @notice Pays matured exits of a queue in its order. Anybody. Passes void entries, skips data that is not of the
    /// exit whose turn it is, and stops at an exit without data, before its time, or short of gas; so hand `exits`
    /// over in the queue's order, with a gas limit of 350,000 and 50,000 more for each.
    /// What cannot be pushed becomes a credit. An exit larger than its pot leaves unpaid.
    /// @param inFlight In-flight exits in the queue's order. None so far.
    /// @dev Refuses only where not even the first entry can be passed: UnsupportedExits, EmptyQueue, NotExitable,
    /// MissingExit, GasShort.
    function process(bytes32 chain, address asset, Exit[] calldata exits, InFlightExit[] calldata inFlight) external;

    /// @notice Pays what could not be pushed: the owner to anywhere, anybody to the owner.
    /// @dev Refuses with NotOwner, NoCredit, PaymentRefused.
    function claimCredit(address asset, address owner, address to) external;

    /// @notice The least bond of a position, in wei, at a base fee in wei per gas; at most twice of it is taken. Ask
    /// with a block's own base fee: in a simulated call the chain may say that it is zero.
    function bond(uint256 baseFee) external view returns (uint256);

    /// @notice What exits of a chain may be paid from, in the asset's smallest unit.
    function pots(bytes32 chain, address asset) external view returns (uint256);

    /// @notice The word of an exit at a place of a queue: exitableAt in the top 40 bits; 0 = void, paid or never used.
    function entry(bytes32 chain, address asset, uint40 lane, uint40 index) external view returns (uint256);
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdicts} from "../base/Verdicts.sol";
import {Inclusion} from "./Block.sol";
import {Chain, ChainState} from "./Chain.sol";
import {Deposit} from "./Deposit.sol";
import {Exit, Permit} from "./Exit.sol";
import {Group, GroupInclusion, Membership} from "./Group.sol";
import {IInFlightExits} from "./IInFlightExits.sol";
import {IPayouts} from "./IPayouts.sol";
import {LockTerms} from "./LockTerms.sol";
import {Member} from "./Roster.sol";
import {Spend} from "./Spend.sol";
import {Transaction} from "./Transaction.sol";

/// @title The root chain: where users put money under a tree of chains, and take out what is provably theirs.
/// @notice Nobody is trusted: an operator can stop or censor its chain, it can never take. No owner, no upgrade, no
/// pause. Money of a chain is kept apart per asset (its pot, or an ERC-721's holder); an exit is paid from its own only.
/// Times are in seconds, amounts in the asset's smallest unit (an id, for an ERC-721), bonds in wei. "Sender" is
/// msg.sender and nobody else. A path leads to a chain: its ancestors from the root level, itself last, 1 to 3 of them.
///
/// The timetable of standard exits (n = the number of the output's block, s = the start; H = mfp / 2):
/// startExit and its like   once n is committed, a deposit's at once; without end
/// challengeExit, cancelExit s until it is processed
/// process                  from max(time(n) + 2 mfp, s + mfp) on, a deposit's from s + mfp on
/// What was made before a chain went bad at number b is paid in full if its exit starts before time(b) + mfp.
///
/// A transaction counts if it names the chain, is authorised by its payee, and is live (the last committed number is
/// below its lastBlock) or shown (included at or before its lastBlock, in the chain that it names). The payee of an
/// output with a lock is its owner if the preimage was revealed up to the expiry, its refund if it was not and the
/// expiry has passed; before, the lock is undecided.
///
/// Every verb may also refuse with ReentrancyGuardReentrantCall(), when a receiver calls back while it is being paid.
/// A verb that pays may also refuse with GasShort, when too little is left for its receiver.
/// A proof of inclusion may be refused with WrongDepth, WrongParent, WrongChain, IncludedLate, NotBefore, WrongHeader,
/// WrongCommitment.
interface IRootChain is IInFlightExits, IPayouts {
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
    /// @notice What a token is for ever, told with its first deposit: an ERC-721 whose values are ids, or fungible.
    event KindFixed(address indexed asset, bool unique);
    /// @notice The header of a number, the second it came, and the second up to which its blocks know layer 1.
    event Committed(bytes32 indexed chain, uint40 number, uint40 time, uint40 asOf, bytes32 header);
    /// @notice `owner` authorised a transaction, for ever.
    event Approved(address indexed owner, bytes32 indexed txHash);
    /// @notice An exit waits at `index` of a lane: 0 is the list, any other the bucket of that block number.
    event ExitStarted(bytes32 indexed ids, uint40 lane, uint40 index, Exit exit);
    /// @notice The members of a group whose exit has just started: `ids` is their root.
    event GroupStarted(bytes32 indexed ids, Member[] members);
    /// @notice An exit, or the group that it is of, was shown to have a spent output, and is void.
    event ExitChallenged(bytes32 indexed ids, uint40 lane, uint40 index, bytes32 txHash, address challenger);
    /// @notice An exit was taken back by its owner, and is void.
    event ExitCancelled(bytes32 indexed ids, uint40 lane, uint40 index);
    /// @notice The terms of a lock that an exit of its output depends on: every later verb wants them again.
    event LockShown(bytes32 indexed lock, LockTerms terms);

    /// @notice The constructor's times or fees do not fit: mfp even and below 2^32; 0 < margin; margin + alarm <= mfp / 4;
    /// floor <= ceiling.
    error WrongTerms(uint40 mfp, uint40 margin, uint40 alarm, uint256 feeFloor, uint256 feeCeiling);
    /// @notice The path has `have` chains, or the proof `have` levels, where `need` fit (3 chains at most).
    error WrongDepth(uint256 have, uint256 need);
    /// @notice A chain of the path names the parent `have`, where its ancestor is `need` (zero at root level).
    error WrongParent(bytes32 have, bytes32 need);
    /// @notice No such chain is registered.
    error UnknownChain(bytes32 chain);
    /// @notice The transaction, or the path, is of chain `have`, where it has to be `need`.
    error WrongChain(bytes32 have, bytes32 need);
    /// @notice The transaction was included in number `have`, after its lastBlock `need`.
    error IncludedLate(uint40 have, uint40 need);
    /// @notice The chain has blocks from above number `need` on, `have` is not.
    error NotBefore(uint40 have, uint40 need);
    /// @notice The header of this chain is signed by `have` (zero if malformed), not by its operator `need`.
    error WrongHeader(bytes32 chain, address have, address need);
    /// @notice The proof leads to `have`, where layer 1 kept `need` for the number (zero: not committed).
    error WrongCommitment(bytes32 have, bytes32 need);
    /// @notice The transaction is not live: its lastBlock is `have`, number `need` is committed. Show its inclusion.
    error Expired(uint40 have, uint40 need);
    /// @notice `have` inclusions came where at most `need` may.
    error TooManyInclusions(uint256 have, uint256 need);
    /// @notice The transaction has `need` outputs, none at `have`; or inputs, likewise.
    error NoSuchPosition(uint256 have, uint256 need);
    /// @notice The transaction's input is `have`, where it has to spend the output `need`.
    error WrongInput(bytes32 have, bytes32 need);
    /// @notice Neither signed nor approved by `payee`.
    error NotApproved(address payee, bytes32 txHash);
    /// @notice The terms make the lock `have`, where `need` is the output's; or no terms were given (zero).
    error WrongLock(bytes32 have, bytes32 need);
    /// @notice Nobody has decided this lock yet: reveal its preimage, wait for its expiry, or show both signatures.
    error Undecided(bytes32 lock);
    /// @notice The output has a lock: it leaves by startLockedExit, alone, and cannot be cancelled.
    error LockedOutput(bytes32 lock);
    /// @notice Nobody owns it: the zero address could never take it out.
    error ZeroOwner();
    /// @notice Nothing is moved.
    error ZeroValue();
    /// @notice The status of this output is `have`, where the verb needs `need`.
    error WrongStatus(bytes32 id, uint256 have, uint256 need);
    /// @notice This output was paid or consumed already: its status is `have`.
    error Finalised(bytes32 id, uint256 have);
    /// @notice `have` wei came, where a bond (or as many as there are positions, evenly) of at least `least` and at most
    /// `most` has to.
    error WrongBond(uint256 have, uint256 least, uint256 most);
    /// @notice A group has from 2 to `most` members; `have` came.
    error WrongCount(uint256 have, uint256 most);
    /// @notice The ids of a group have to ascend strictly: `have` comes after `last`.
    error WrongOrder(bytes32 have, bytes32 last);
    /// @notice A group has one owner, one asset and one chain; this output is another's.
    error WrongMember(bytes32 id);
    /// @notice The asset is an ERC-721: its ids leave one by one.
    error NotFungible(address asset);
    /// @notice The proof of membership leads to `have`, the group is `need`.
    error WrongGroup(bytes32 have, bytes32 need);
    /// @notice The queue has the word `have` at this place, not this exit's `need`; zero: void, paid, or never used.
    error WrongEntry(uint256 have, uint256 need);
    /// @notice This slot of the parent is another chain's.
    error SlotTaken(bytes32 parent, uint8 slot);
    /// @notice There is no code at this address.
    error NoCode(address asset);
    /// @notice The chain holds this ERC-721 already.
    error HeldAlready(address asset, uint256 id);
    /// @notice `have` signatures came where `need` have to: the operator's, and for a child its parent's operator's.
    error WrongSignatures(uint256 have, uint256 need);
    /// @notice The chain is registered already.
    error KnownChain(bytes32 chain);
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
    /// @notice The permit is for the starter `need`.
    error WrongStarter(address have, address need);
    /// @notice The permit was good until `need`.
    error PermitExpired(uint40 have, uint40 need);

    /// @notice Registers a chain. Anybody may send, with the operator's signature over Registration(bytes32 parent,
    /// uint8 slot,address operator); an empty signature says that the sender is the operator. A child has blocks from
    /// the number after the last that its root had committed by then.
    /// @param signatures The operator's, then for a child its parent's operator's over the same.
    /// @dev Refuses with WrongDepth, WrongParent, WrongSignatures, KnownChain, UnknownChain, SlotTaken, WrongSigner.
    function register(Chain[] calldata path, bytes[] calldata signatures) external;

    /// @notice Puts `value` of `asset` under `owner` on a chain. The deposit's id is keccak256(0x05 ‖ abi.encode(chain,
    /// sender, salt, owner, asset, value)), so a depositor uses each salt once. What an asset is, fungible or an
    /// ERC-721, is asked with its first deposit (ERC-165) and stays.
    /// @param owner Who may spend it there and take it out; a contract may, if it can send `approve` or an exit itself.
    /// @dev Send exactly `value` wei of ether; approve tokens before. Unsupported: tokens whose balances shrink by
    /// themselves. Refuses with ZeroOwner, ZeroValue, UnknownChain, WrongStatus, NoCode, HeldAlready, GasShort,
    /// WrongValue, WrongTransfer.
    function deposit(bytes32 chain, bytes32 salt, address owner, address asset, uint256 value) external payable;

    /// @notice Anchors the blocks of a number, for a root-level chain and all below it. Its operator only.
    /// @param header keccak256(0x02 ‖ txRoot ‖ childrenRoot).
    /// @param asOf The blocks know of layer 1 exactly what happened up to this second.
    /// @dev Refuses with UnknownChain, NotOperator, WrongNumber, SameSecond, EarlyAsOf, FutureAsOf, LateCommit.
    function commit(Chain calldata chain, uint40 number, bytes32 header, uint40 asOf) external;

    /// @notice Authorises a transaction in place of a signature, for outputs whose payee the sender is. Never revocable.
    function approve(bytes32 txHash) external;

    /// @notice Starts the exit of a plain output of an included transaction. Its owner, or anybody with its permit.
    /// @dev Send a bond (see `bond`); it comes back unless the exit is challenged or cancelled, or the output was
    /// consumed by an in-flight exit. A permit is a signature over StartExit(bytes32 chain,bytes32[] ids,address
    /// starter,uint40 deadline), good until its deadline. Refuses as proofs do and with NoSuchPosition, LockedOutput,
    /// Finalised, WrongBond, WrongSigner, WrongStarter, PermitExpired.
    function startExit(
        Chain[] calldata path,
        Transaction calldata transaction,
        uint8 output,
        Inclusion calldata inclusion,
        Permit calldata permit
    ) external payable;

    /// @notice Starts the exit of a locked output. Its payee, while undecided its owner or refund, or anybody with the
    /// permit of one that may. It is paid to an escrow, which pays whom the lock has decided for.
    /// @dev Send a bond. Refuses as startExit does, and with WrongLock.
    function startLockedExit(
        Chain[] calldata path,
        Transaction calldata transaction,
        uint8 output,
        Inclusion calldata inclusion,
        LockTerms calldata terms,
        Permit calldata permit
    ) external payable;

    /// @notice Starts the exit of 2 to 64 plain outputs of one owner in one fungible asset and one block, with one bond.
    /// @dev Refuses as proofs do and with WrongCount, NoSuchPosition, WrongSiblings, WrongOrder, Finalised, NotFungible,
    /// WrongBond, WrongSigner, WrongStarter, PermitExpired.
    function startExits(
        Chain[] calldata path,
        Group calldata group,
        GroupInclusion calldata inclusion,
        Permit calldata permit
    ) external payable;

    /// @notice Starts the exit of a deposit. Its owner, or anybody with its permit. No block is needed for it.
    /// @dev Send a bond. Refuses with WrongStatus, WrongBond, WrongSigner, WrongStarter, PermitExpired.
    function startDepositExit(Deposit calldata deposited, Permit calldata permit) external payable;

    /// @notice Starts the exit of 2 to 64 deposits of one owner in one fungible asset, with one bond, ids ascending.
    /// @dev Refuses with WrongCount, WrongStatus, WrongMember, NotFungible, WrongOrder, WrongBond, WrongSigner, WrongStarter,
    /// PermitExpired.
    function startDepositExits(Deposit[] calldata deposited, Permit calldata permit) external payable;

    /// @notice Makes an exit void by a transaction that counts and spends its output. Anybody, until it is processed.
    /// Half the bond goes to the sender, the rest to the chain's ether pot.
    /// @dev Refuses with LockedOutput, WrongChain, NoSuchPosition, WrongInput, NotApproved, WrongSigner, Expired,
    /// TooManyInclusions, WrongEntry and as proofs do.
    function challengeExit(
        Chain[] calldata path,
        Exit calldata exit,
        uint40 lane,
        uint40 index,
        Spend calldata spend
    ) external;

    /// @notice The same for a locked output, with its terms.
    /// @dev Refuses as challengeExit does, and with WrongLock, Undecided.
    function challengeLocked(
        Chain[] calldata path,
        Exit calldata exit,
        uint40 lane,
        uint40 index,
        Spend calldata spend,
        LockTerms calldata terms
    ) external;

    /// @notice The same for a group, by a transaction that spends one member.
    /// @dev Refuses as challengeExit does, and with WrongGroup.
    function challengeGroup(
        Chain[] calldata path,
        Exit calldata exit,
        uint40 lane,
        uint40 index,
        Spend calldata spend,
        Membership calldata membership
    ) external;

    /// @notice Makes an exit of plain outputs void. Its owner only, who has half the bond; the rest goes to the chain's
    /// ether pot. A locked output's cannot be: its other side may rely on it.
    /// @dev Refuses with NotOwner, LockedOutput, WrongEntry.
    function cancelExit(Exit calldata exit, uint40 lane, uint40 index) external;

    /// @notice The least bond of a position, in wei, at a base fee in wei per gas; at most twice of it is taken. Ask
    /// with a block's own base fee: in a simulated call the chain may say that it is zero.
    function bond(uint256 baseFee) external view returns (uint256);

    /// @notice What exits of a chain may be paid from, in the asset's smallest unit; zero for an ERC-721.
    function pots(bytes32 chain, address asset) external view returns (uint256);

    /// @notice The word of an exit at a place of a queue: exitableAt in the top 40 bits; 0 = void, paid or never used.
    function entry(bytes32 chain, address asset, uint40 lane, uint40 index) external view returns (uint256);

    /// @notice What is known of a chain: its depth (0 = not registered), the number after which it has blocks; the last
    /// number with its time and asOf are told of a root-level chain only.
    function chains(bytes32 chain) external view returns (ChainState memory);

    /// @notice Which of a parent's 256 slots are taken, a bit each.
    function slots(bytes32 parent) external view returns (uint256);

    /// @notice keccak256(abi.encode(header, time, asOf)) of a number of a root-level chain; zero if it is not committed.
    function commitments(bytes32 chain, uint256 number) external view returns (bytes32);

    /// @notice What layer 1 knows of an output: 0 = nothing, else a tag in the top byte: 1 deposited, 2 paid, 3 consumed
    /// by the transaction whose hash has these low 248 bits.
    function status(bytes32 id) external view returns (uint256);

    /// @notice Whether `owner` approved a transaction.
    function approved(address owner, bytes32 txHash) external view returns (bool);

    /// @notice What an asset is since its first deposit: 0 = not deposited yet, 1 = fungible, 2 = ERC-721.
    function kinds(address asset) external view returns (uint256);

    /// @notice The chain that holds an ERC-721; zero if none does.
    function holders(address asset, uint256 id) external view returns (bytes32);

    /// @notice Whose an ERC-721 is that could not be pushed; zero if there is none.
    function tokenCredits(address asset, uint256 id) external view returns (address);

    /// @notice What waits under an owner and a lock, in the asset's smallest unit (id 0), or 1 for an ERC-721.
    function escrows(address owner, bytes32 lock, address asset, uint256 id) external view returns (uint256);

    /// @notice What is kept of a running in-flight exit (see InFlightState; 0 = none runs), and where its competitor and
    /// response are: number << 16 | index, all ones for a live competitor or none (the state tells which), 0 for no response.
    function inFlights(bytes32 txHash) external view returns (uint256 state, uint56 competitor, uint56 response);

    /// @notice The registry of revealed preimages that decides locked outputs.
    function verdicts() external view returns (Verdicts);

    /// @notice An exit is paid this many seconds after its start at the earliest.
    function mfp() external view returns (uint40);

    /// @notice Gas whose price is a position's bond, at a base fee between the two limits (wei per gas).
    function bondTerms() external view returns (uint256 gas, uint256 feeFloor, uint256 feeCeiling);
}

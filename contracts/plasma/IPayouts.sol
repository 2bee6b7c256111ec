// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Exit} from "./Exit.sol";
import {Member} from "./Roster.sol";
import {InFlightExit} from "./InFlightExit.sol";
import {LockTerms} from "./LockTerms.sol";

/// @title Payments: what matures is paid in the order of its age, what cannot be pushed is pulled.
/// @notice Every queue is of one chain and one asset; nothing in one waits for another. Anybody may process, at any time
/// and in slices; a hostile receiver or token costs its own payment and bounded gas.
interface IPayouts {
    /// @notice An exit was paid: `amount` (an id, for an ERC-721) went to its owner, or waits as its credit or in escrow. Of
    /// a group what was finalised before is left out.
    event ExitPaid(bytes32 indexed ids, uint40 lane, uint40 index, uint256 amount);
    /// @notice An exit left the queue without payment, because everything in it had been paid or consumed before.
    event ExitDropped(bytes32 indexed ids, uint40 lane, uint40 index);
    /// @notice An exit left the queue unpaid: the pot had `have` where it wanted `need`. It may be started again.
    event ExitUnpaid(bytes32 indexed ids, uint40 lane, uint40 index, uint256 have, uint256 need);
    /// @notice One of its queues dealt with an in-flight exit; with the first one it is decided whether it is canonical.
    event InFlightProcessed(bytes32 indexed txHash, address asset, bool canonical);
    /// @notice A position was paid: `amount` (an id, for an ERC-721) went to its owner, its escrow or its credit.
    event InFlightPaid(bytes32 indexed txHash, uint8 position, uint256 amount);
    /// @notice A position could not be paid: the pot had `have` where it wanted `need`. It may leave by a new exit.
    event InFlightUnpaid(bytes32 indexed txHash, uint8 position, uint256 have, uint256 need);
    /// @notice `value` (an id, for an ERC-721) waits in escrow for whom the lock decides.
    event Escrowed(address indexed owner, bytes32 indexed lock, address asset, uint256 value);
    /// @notice What waited in escrow went to `to`, for the payee whom the lock has decided for.
    event EscrowClaimed(address indexed owner, bytes32 indexed lock, address asset, uint256 value, address to);
    /// @notice An ERC-721 could not be pushed to `owner` and waits for it.
    event TokenCredited(address indexed asset, address indexed owner, uint256 id);
    /// @notice `owner`'s ERC-721 left to `to`.
    event TokenClaimed(address indexed asset, address indexed owner, address to, uint256 id);

    /// @notice Nothing waits in escrow for the payee of this lock.
    error NothingInEscrow(address owner, bytes32 lock, address asset, uint256 id);
    /// @notice Nothing waits in this queue.
    error EmptyQueue(bytes32 chain, address asset);
    /// @notice It is `have`; the first exit may be paid from `need` on.
    error NotExitable(uint40 have, uint40 need);
    /// @notice The first exit, at this place, is not among those that were handed over.
    error MissingExit(uint40 lane, uint40 index);

    /// @notice Pays matured exits of a queue in its order. Anybody. Passes void entries, skips data that is not of the
    /// exit whose turn it is, and stops at an exit without data, before its time, or short of gas; so hand the data over
    /// in the queue's order, each kind by itself.
    /// What cannot be pushed becomes a credit. A standard exit larger than its pot leaves unpaid, as does each position
    /// of an in-flight exit; what was finalised before is left out. Bonds return, but the bond of an exit of something
    /// consumed goes to the chain's ether pot.
    /// @param members The members of the groups among `exits`, in the same order.
    /// @dev Refuses only where not even the first entry can be passed: EmptyQueue, NotExitable, MissingExit, GasShort.
    function process(
        bytes32 chain,
        address asset,
        Exit[] calldata exits,
        Member[] calldata members,
        InFlightExit[] calldata inFlight
    ) external;

    /// @notice Pays what could not be pushed: the owner to anywhere, anybody to the owner.
    /// @dev Refuses with NotOwner, NoCredit, PaymentRefused.
    function claimCredit(address asset, address owner, address to) external;

    /// @notice Hands over an ERC-721 that could not be pushed: the owner to anywhere, anybody to the owner.
    /// @dev Refuses with NoCredit, NotOwner, PaymentRefused.
    function claimToken(address asset, uint256 id, address to) external;

    /// @notice Pays what exits have put in escrow under an owner and a lock: the decided payee to anywhere, anybody to
    /// the payee. Bonds of positions with a lock wait there in ether.
    /// @param id The ERC-721's; zero for a fungible asset.
    /// @dev Refuses with NothingInEscrow, Undecided, NotOwner, PaymentRefused.
    function claimEscrow(address owner, LockTerms calldata terms, address asset, uint256 id, address to) external;
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Asset} from "../base/Asset.sol";
import {Exit, Exits} from "./Exit.sol";
import {ExitQueue} from "./ExitQueue.sol";
import {InFlight, InFlightExit} from "./InFlightExit.sol";
import {InFlightState, InFlightStates} from "./InFlightState.sol";
import {IPayouts} from "./IPayouts.sol";
import {IRootChain} from "./IRootChain.sol";
import {Locks, LockTerms} from "./LockTerms.sol";
import {Member, Rosters} from "./Roster.sol";
import {Output, Transaction, Transactions} from "./Transaction.sol";
import {Vault, Vaults} from "./Vaults.sol";

/// @title Payments
/// @dev The rules are told in IPayouts.
abstract contract Payouts is IPayouts, Vaults {
    using ExitQueue for ExitQueue.Queue;
    using Exits for Exit;
    using InFlight for InFlightExit;
    using Locks for LockTerms;
    using Transactions for Transaction;

    /// @dev The queue that is processed, and how far its data is used up; the count of the exit, or the transaction of the
    /// in-flight exit, that was found last.
    struct Run {
        bytes32 chain;
        address asset;
        bool unique;
        uint256 exit;
        uint256 member;
        uint256 inFlight;
        uint256 count;
        bytes32 txHash;
    }

    /// @dev Whose turn it is: nobody whose data came, a void entry, a standard or an in-flight exit.
    enum Turn {
        Missing,
        Void,
        Standard,
        InFlight
    }

    /// @dev Gas with which an exit passes whatever its receivers do: pushes, credits, its bookkeeping.
    uint256 private constant ETHER_GAS = 300_000;
    uint256 private constant TOKEN_GAS = 560_000;
    uint256 private constant MEMBER_GAS = 30_000;
    uint256 private constant ETHER_POSITION_GAS = 160_000;
    uint256 private constant TOKEN_POSITION_GAS = 480_000;

    /// @inheritdoc IPayouts
    function process(
        bytes32 chain,
        address asset,
        Exit[] calldata exits,
        Member[] calldata members,
        InFlightExit[] calldata inFlight
    ) external unlocked holding {
        Run memory run = Run(chain, asset, _isUnique(asset), 0, 0, 0, 0, 0);
        Vault storage vault = _vaults[chain][asset];
        uint256 ends = vault.queue.ends;
        for (bool moved = false; ; moved = true) {
            (bool none, uint256 word, uint40 lane, uint40 index) = vault.queue.peek(ends);
            if (none) {
                require(moved, EmptyQueue(chain, asset));
                break;
            }
            (uint40 time, uint40 exitableAt) = (uint40(block.timestamp), uint40(word >> 216));
            if (time < exitableAt) {
                require(moved, NotExitable(time, exitableAt));
                break;
            }
            Turn turn = word == 0 ? Turn.Void : _find(run, word, exits, members, inFlight);
            uint256 need = _gasOf(run, turn, inFlight);
            if (gasleft() < need) {
                require(moved, Asset.GasShort(gasleft(), need));
                break;
            }
            if (turn == Turn.Missing) {
                require(moved, MissingExit(lane, index));
                break;
            }
            ends = vault.queue.pop(ends, lane, index);
            if (turn == Turn.Standard) _settle(run, vault, Exits.known(exits, run.exit), members, lane, index);
            else if (turn == Turn.InFlight) _settleInFlight(run, vault, inFlight[run.inFlight++]);
        }
        vault.queue.ends = ends;
    }

    /// @dev Moves on to the data of the entry whose turn it is, if it is among what came: what is next of either kind,
    /// else what comes later; what is passed on the way is not used.
    function _find(
        Run memory run,
        uint256 word,
        Exit[] calldata exits,
        Member[] calldata members,
        InFlightExit[] calldata inFlight
    ) private view returns (Turn) {
        (uint256 i, uint256 member, uint256 j) = (run.exit, run.member, run.inFlight);
        if (i < exits.length && _isExit(run, Exits.known(exits, i), members, member, word)) return Turn.Standard;
        if (j < inFlight.length && _isInFlight(run, inFlight[j], word)) return Turn.InFlight;
        while (i < exits.length && gasleft() >= ETHER_GAS) {
            if (exits[i].count > 1) member += exits[i].count;
            if (++i == exits.length || !_isExit(run, exits[i], members, member, word)) continue;
            (run.exit, run.member) = (i, member);
            return Turn.Standard;
        }
        while (++j < inFlight.length && gasleft() >= ETHER_GAS) {
            if (!_isInFlight(run, inFlight[j], word)) continue;
            run.inFlight = j;
            return Turn.InFlight;
        }
        return Turn.Missing;
    }

    /// @dev The word's exit, a group's with its members.
    function _isExit(
        Run memory run,
        Exit calldata exit,
        Member[] calldata members,
        uint256 first,
        uint256 word
    ) private pure returns (bool) {
        if (exit.entry() != word) return false;
        uint256 count = exit.count;
        run.count = count;
        if (count == 1) return true;
        if (first + count > members.length) return false;
        return Rosters.rosterOf(members[first:first + count]).rootOf() == exit.ids;
    }

    /// @dev The word's exit, exactly as its event told it.
    function _isInFlight(Run memory run, InFlightExit calldata inFlight, uint256 word) private view returns (bool) {
        bytes32 txHash = _digest(inFlight.tx.structHash());
        if (InFlight.entryOf(txHash, inFlight.start, inFlight.exitableAt) != word) return false;
        run.txHash = txHash;
        return InFlightState.unwrap(_inFlights[txHash]) & InFlight.LOW_216 == inFlight.hashOf();
    }

    function _gasOf(Run memory run, Turn turn, InFlightExit[] calldata inFlight) private pure returns (uint256) {
        bool ether_ = run.asset == Asset.ETHER;
        if (turn == Turn.Standard) {
            uint256 need = ether_ ? ETHER_GAS : TOKEN_GAS;
            return run.count == 1 ? need : need + MEMBER_GAS * (run.count - 1);
        }
        if (turn != Turn.InFlight) return ETHER_GAS;
        InFlightExit calldata one = inFlight[run.inFlight];
        uint256 positions = one.spent.length + one.tx.outputs.length;
        return ETHER_GAS + positions * (ether_ ? ETHER_POSITION_GAS : TOKEN_POSITION_GAS);
    }

    /// @dev Pays a standard exit once, what of it is not finalised, from its own pot; and its bond back, unless a part
    /// of it was consumed: its owner had signed that away.
    function _settle(
        Run memory run,
        Vault storage vault,
        Exit calldata exit,
        Member[] calldata members,
        uint40 lane,
        uint40 index
    ) private {
        unchecked {
            ++run.exit;
        }
        (bytes32 ids, uint256 count, uint256 value, uint256 bond) = (exit.ids, run.count, exit.value, exit.bond);
        (uint256 open, bool consumed) = (0, false);
        if (count == 1) {
            uint256 status = _status[ids];
            (open, consumed) = (status < PAID ? 1 : 0, status >= CONSUMED);
        } else {
            members = members[run.member:run.member + count];
            run.member += count;
            (value, open, consumed) = _openOf(members);
        }
        bool due = false;
        if (open == 0) {
            emit ExitDropped(ids, lane, index);
        } else if (_take(run, vault, value)) {
            if (count == 1) _status[ids] = PAID;
            else _markPaid(members, open);
            due = true;
            emit ExitPaid(ids, lane, index, value);
        } else {
            (uint256 have, uint256 need) = run.unique ? (0, 1) : (vault.pot, value);
            emit ExitUnpaid(ids, lane, index, have, need);
        }
        if (consumed) {
            _vaults[run.chain][Asset.ETHER].pot += bond;
            bond = 0;
        }
        _payOut(run, exit.owner, exit.lock, due, value, exit.starter, bond);
    }

    /// @dev What members are not finalised (a bit each) and the sum of their values; whether one was consumed.
    function _openOf(Member[] calldata members) private view returns (uint256 value, uint256 open, bool consumed) {
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 status = _status[members[i].id];
            if (status >= CONSUMED) consumed = true;
            if (status >= PAID) continue;
            value = Rosters.plus(value, members[i].value);
            open |= 1 << i;
        }
    }

    function _markPaid(Member[] calldata members, uint256 open) private {
        for (uint256 i = 0; i < members.length; ++i) if (open & (1 << i) != 0) _status[members[i].id] = PAID;
    }

    /// @dev Takes money of the queue's asset out of the chain's pot, or an ERC-721 out of its hands; all or nothing.
    function _take(Run memory run, Vault storage vault, uint256 value) private returns (bool) {
        if (run.unique) {
            if (_holders[run.asset][value] != run.chain) return false;
            delete _holders[run.asset][value];
            return true;
        }
        uint256 pot = vault.pot;
        if (value > pot) return false;
        unchecked {
            vault.pot = pot - value;
        }
        return true;
    }

    /// @dev Pays an owner if it is `due`, and a bond to whom it belongs: with one push where both go the same way.
    function _payOut(
        Run memory run,
        address owner,
        bytes32 lock,
        bool due,
        uint256 value,
        address starter,
        uint256 bond
    ) private {
        if (due && lock == 0 && run.asset == Asset.ETHER && owner == starter) {
            _pay(Asset.ETHER, owner, value + bond);
            return;
        }
        if (due) _payOwner(run, owner, lock, value);
        _pay(Asset.ETHER, starter, bond);
    }

    function _payOwner(Run memory run, address owner, bytes32 lock, uint256 value) private {
        if (lock != 0) _escrow(owner, lock, run.asset, value, run.unique);
        else if (!run.unique) _pay(run.asset, owner, value);
        else if (!Asset.pushUnique(run.asset, owner, value)) {
            _tokenCredits[run.asset][value] = owner;
            emit TokenCredited(run.asset, owner, value);
        }
    }

    /// @dev What has a lock waits for whom that decides, so that no payment needs to know the terms.
    function _escrow(address owner, bytes32 lock, address asset, uint256 value, bool unique) private {
        if (unique) _escrows[_escrowKey(owner, lock, asset, value)] = 1;
        else {
            bytes32 key = _escrowKey(owner, lock, asset, 0);
            // A token may lie about what it holds, but not stop its queue.
            _escrows[key] = Math.saturatingAdd(_escrows[key], value);
        }
        emit Escrowed(owner, lock, asset, value);
    }

    /// @dev One queue's part of an in-flight exit: the first one fixes the outcome and returns the start's bond, each
    /// pays its positions, the last one ends the exit.
    function _settleInFlight(Run memory run, Vault storage vault, InFlightExit calldata inFlight) private {
        (bytes32 txHash, Output[] calldata spent) = (run.txHash, inFlight.spent);
        InFlightState state = _inFlights[txHash];
        bool first = !state.isDecided();
        if (first) state = _decide(inFlight, txHash, state);
        emit InFlightProcessed(txHash, run.asset, state.isCanonical());
        state = state.with(InFlightStates.doing(InFlight.indexOf(spent, run.asset)));
        bool last = state.done() == InFlight.assetsOf(spent);
        if (last) {
            _inFlights[txHash] = InFlightState.wrap(0);
            if (_places[txHash] != 0) delete _places[txHash];
        } else {
            _inFlights[txHash] = state;
        }
        _settleSide(run, vault, inFlight, state, 0, spent);
        _settleSide(run, vault, inFlight, state, 4, inFlight.tx.outputs);
        if (first && !state.isDoubted()) _pay(Asset.ETHER, inFlight.starter, inFlight.bond);
    }

    /// @dev Pays positions that are wanted, not blocked and of this queue's asset, if they are on the winning side: the
    /// inputs (from 0 on) or the outputs (from 4 on).
    function _settleSide(
        Run memory run,
        Vault storage vault,
        InFlightExit calldata inFlight,
        InFlightState state,
        uint256 from,
        Output[] calldata side
    ) private {
        uint256 wanted = state.piggybacked() & ~state.blocked();
        bool wins = state.isCanonical() == (from != 0);
        for (uint256 i = 0; i < side.length; ++i) {
            if (wanted & (1 << (from + i)) == 0 || side[i].asset != run.asset) continue;
            bool due = wins && _takeFor(run, vault, inFlight, from + i, side[i].value);
            _settlePosition(run, side[i], due, inFlight.bond);
        }
    }

    /// @dev Canonical if it has consumed its inputs, or if none is finalised and nothing older competes; then it
    /// consumes them, before anything is paid.
    function _decide(
        InFlightExit calldata inFlight,
        bytes32 txHash,
        InFlightState state
    ) private returns (InFlightState) {
        bytes32[] calldata inputs = inFlight.tx.inputs;
        uint256 mark = _consumedBy(txHash);
        (uint256 own, uint256 free) = (0, 0);
        for (uint256 i = 0; i < inputs.length; ++i) {
            uint256 status = _status[inputs[i]];
            if (status == mark) ++own;
            else if (status < PAID) ++free;
        }
        if (own == inputs.length) return state.with(InFlightStates.CANONICAL);
        if (free != inputs.length || !_isUndisputed(inFlight, txHash, state))
            return state.with(InFlightStates.NOT_CANONICAL);
        for (uint256 i = 0; i < inputs.length; ++i) _status[inputs[i]] = mark;
        return state.with(InFlightStates.CANONICAL);
    }

    function _isUndisputed(
        InFlightExit calldata inFlight,
        bytes32 txHash,
        InFlightState state
    ) private view returns (bool) {
        if (!state.isDoubted() && !inFlight.late) return true;
        uint256 places = _places[txHash];
        uint56 response = InFlight.response(places);
        return response != 0 && response < InFlight.competitor(places);
    }

    /// @dev Pays a position if it is due; its bond returns either way.
    function _settlePosition(Run memory run, Output calldata output, bool due, uint256 bond) private {
        if (output.lock == 0) {
            _payOut(run, output.owner, 0, due, output.value, output.owner, bond);
            return;
        }
        if (due) _payOwner(run, output.owner, output.lock, output.value);
        _escrow(output.owner, output.lock, Asset.ETHER, bond, false);
    }

    /// @dev Takes the money of a position, if it is not finalised.
    function _takeFor(
        Run memory run,
        Vault storage vault,
        InFlightExit calldata inFlight,
        uint256 position,
        uint256 value
    ) private returns (bool taken) {
        bytes32 txHash = run.txHash;
        bytes32 id = position > 3 ? Transactions.outputId(txHash, uint8(position - 4)) : inFlight.tx.inputs[position];
        if (_status[id] >= PAID) return false;
        taken = _take(run, vault, value);
        if (taken) {
            _status[id] = PAID;
            emit InFlightPaid(txHash, uint8(position), value);
        } else {
            (uint256 have, uint256 need) = run.unique ? (0, 1) : (vault.pot, value);
            emit InFlightUnpaid(txHash, uint8(position), have, need);
        }
    }

    /// @inheritdoc IPayouts
    function claimCredit(address asset, address owner, address to) external unlocked holding {
        _claimCredit(asset, owner, to);
    }

    /// @inheritdoc IPayouts
    function claimToken(address asset, uint256 id, address to) external unlocked holding {
        address owner = _tokenCredits[asset][id];
        require(owner != address(0), NoCredit(asset, owner));
        require(to == owner || msg.sender == owner, NotOwner(msg.sender, owner));
        delete _tokenCredits[asset][id];
        emit TokenClaimed(asset, owner, to, id);
        require(Asset.pushUnique(asset, to, id), PaymentRefused(asset, to, id));
    }

    /// @inheritdoc IPayouts
    function claimEscrow(
        address owner,
        LockTerms calldata terms,
        address asset,
        uint256 id,
        address to
    ) external unlocked holding {
        bytes32 lock = terms.lockOf();
        bytes32 key = _escrowKey(owner, lock, asset, id);
        (uint256 amount, bool unique) = (_escrows[key], _isUnique(asset));
        require(amount != 0, NothingInEscrow(owner, lock, asset, id));
        address payee = _payee(owner, terms);
        require(payee != address(0), IRootChain.Undecided(lock));
        require(to == payee || msg.sender == payee, NotOwner(msg.sender, payee));
        delete _escrows[key];
        if (unique) amount = id;
        emit EscrowClaimed(owner, lock, asset, amount, to);
        bool paid = unique ? Asset.pushUnique(asset, to, amount) : Asset.push(asset, to, amount);
        require(paid, PaymentRefused(asset, to, amount));
    }
}

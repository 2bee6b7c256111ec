// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Inclusion} from "./Block.sol";
import {Chain} from "./Chain.sol";
import {Deposit, Deposits} from "./Deposit.sol";
import {ExitQueue} from "./ExitQueue.sol";
import {IInFlightExits} from "./IInFlightExits.sol";
import {InFlightDraft, InFlightDrafts} from "./InFlightDraft.sol";
import {InFlight, InFlightExit, Source} from "./InFlightExit.sol";
import {InFlightState, InFlightStates} from "./InFlightState.sol";
import {IRootChain} from "./IRootChain.sol";
import {Outputs, Words} from "./Lists.sol";
import {Locks, LockTerms} from "./LockTerms.sol";
import {Rosters} from "./Roster.sol";
import {Spend} from "./Spend.sol";
import {Output, Transaction, Transactions} from "./Transaction.sol";
import {Vaults} from "./Vaults.sol";

/// @title In-flight exits
/// @dev The rules are told in IInFlightExits. Their payment is in Payouts.
abstract contract InFlightExits is IInFlightExits, Vaults {
    using ExitQueue for ExitQueue.Queue;
    using InFlight for InFlightExit;
    using Locks for LockTerms;
    using Deposits for Deposit;
    using Transactions for Transaction;

    /// @inheritdoc IInFlightExits
    function startInFlight(
        Chain[] calldata path,
        Transaction calldata transaction,
        bytes calldata authorisation,
        Source[] calldata sources,
        LockTerms[] calldata terms
    ) external payable unlocked {
        bytes32 txHash = _digest(transaction.structHash());
        require(InFlightState.unwrap(_inFlights[txHash]) == 0, AlreadyRunning(txHash));
        uint256 most = _requireShape(transaction.inputs.length, transaction.outputs.length, authorisation.length);
        InFlightDraft memory draft = InFlightDrafts.draftOf(transaction, most);
        _requireSound(draft.inputs, draft.outputs);
        (uint40 number, uint40 time) = _readSpent(path, transaction.chain, sources, draft);
        _requireConserved(draft.spent, draft.outputs);
        _requireOnePayee(draft.spent, transaction, txHash, authorisation, terms);
        uint256 positions = _positionsOf(draft, txHash, terms);
        bool late = transaction.lastBlock <= _numberOf(path, transaction.chain);
        uint40[] memory indices;
        (number, indices) = _run(draft, transaction.chain, txHash, positions, late, number, time);
        _show(terms);
        draft.tell(InFlightStarted.selector, txHash, authorisation, positions, number, indices);
    }

    /// @dev From now on it runs: in a lane, at indices in the queues of its assets.
    function _run(
        InFlightDraft memory draft,
        bytes32 chain,
        bytes32 txHash,
        uint256 positions,
        bool late,
        uint40 number,
        uint40 time
    ) private returns (uint40 lane, uint40[] memory indices) {
        uint40 exitableAt;
        (lane, exitableAt) = _maturity(number, time);
        uint40 start = uint40(block.timestamp);
        draft.set(start, exitableAt, _requireBonds(1 + _count(positions)), msg.sender, late);
        _inFlights[txHash] = InFlightState.wrap(draft.hash() | InFlightStates.wanting(positions));
        indices = _queue(chain, draft.spent, lane, InFlight.entryOf(txHash, start, exitableAt));
    }

    /// @dev The last number of the root of a chain that the path leads to.
    function _numberOf(Chain[] calldata path, bytes32 chain) private view returns (uint40) {
        (bytes32 root, bytes32 id) = _ends(path);
        require(id == chain, IRootChain.WrongChain(id, chain));
        return _chains[root].number;
    }

    /// @dev How many there are of what; then the size of what comes behind the exit in its event, at most: the
    /// authorisation and as many indices as there are inputs, each after its length.
    function _requireShape(uint256 inputs, uint256 outputs, uint256 authorisation) private pure returns (uint256) {
        bool fits = inputs != 0 && inputs <= 4 && outputs != 0 && outputs <= 4;
        require(fits, WrongShape(inputs, outputs));
        return 96 + authorisation + 32 * inputs;
    }

    /// @dev What needs no chain to see: that nothing is spent twice, and nothing is nobody's or nothing.
    function _requireSound(Words inputs, Outputs outputs) private view {
        uint256 count = inputs.count();
        for (uint256 i = 1; i < count; ++i) {
            bytes32 input = inputs.item(i);
            for (uint256 j = 0; j < i; ++j) require(input != inputs.item(j), RepeatedInput(input));
        }
        count = outputs.count();
        for (uint256 i = 0; i < count; ++i) {
            require(outputs.owner(i) != address(0), IRootChain.ZeroOwner());
            require(outputs.value(i) != 0 || _isUnique(outputs.asset(i)), IRootChain.ZeroValue());
        }
    }

    /// @dev Reads the outputs that the inputs name, all shown; number and time of the youngest (zero if all are deposits).
    function _readSpent(
        Chain[] calldata path,
        bytes32 chain,
        Source[] calldata sources,
        InFlightDraft memory draft
    ) private view returns (uint40 number, uint40 time) {
        (Words inputs, Outputs spent) = (draft.inputs, draft.spent);
        uint256 count = inputs.count();
        require(sources.length == count, WrongSources(sources.length, count));
        for (uint256 i = 0; i < count; ++i) {
            Source calldata source = sources[i];
            (Transaction[] calldata known, Inclusion[] calldata proofs) = (source.tx, source.inclusion);
            Deposit[] calldata deposits = source.deposited;
            bool one = known.length == proofs.length && known.length + deposits.length == 1;
            require(one, WrongSources(i, 1));
            if (known.length == 0) {
                Deposit calldata deposited = deposits[0];
                _requireDeposited(chain, inputs.item(i), deposited);
                spent.put(i, deposited.owner, deposited.asset, deposited.value);
                continue;
            }
            (Transaction calldata made, Inclusion calldata proof) = (known[0], proofs[0]);
            require(made.chain == chain, IRootChain.WrongChain(made.chain, chain));
            spent.copy(i, _included(path, inputs.item(i), made, source.output, proof));
            if (proof.number > number) (number, time) = (proof.number, proof.time);
        }
    }

    /// @dev A deposit is shown by whatever layer 1 has ever known of it.
    function _requireDeposited(bytes32 chain, bytes32 input, Deposit calldata deposited) private view {
        bytes32 id = deposited.depositId();
        require(id == input, IRootChain.WrongInput(id, input));
        require(deposited.chain == chain, IRootChain.WrongChain(deposited.chain, chain));
        require(_status[id] != 0, IRootChain.WrongStatus(id, 0, DEPOSITED));
    }

    function _included(
        Chain[] calldata path,
        bytes32 input,
        Transaction calldata made,
        uint8 output,
        Inclusion calldata proof
    ) private view returns (Output calldata) {
        Output[] calldata outputs = made.outputs;
        bytes32 txHash = _digest(made.structHash(made.inputs, outputs));
        bytes32 id = Transactions.outputId(txHash, output);
        require(id == input, IRootChain.WrongInput(id, input));
        require(output < outputs.length, IRootChain.NoSuchPosition(output, outputs.length));
        _requireShown(path, made, txHash, proof);
        return outputs[output];
    }

    /// @dev Nothing comes from nowhere: of a fungible asset no more goes out than comes in, of an ERC-721 each id once.
    function _requireConserved(Outputs spent, Outputs outputs) private view {
        uint256 count = spent.count();
        for (uint256 i = 0; i < count; ++i) {
            address asset = spent.asset(i);
            if (_isUnique(asset)) _requireOnce(spent, outputs, asset, spent.value(i));
        }
        count = outputs.count();
        for (uint256 i = 0; i < count; ++i) {
            address asset = outputs.asset(i);
            if (_isUnique(asset)) _requireOnce(spent, outputs, asset, outputs.value(i));
            else if (i == 0 || asset != outputs.asset(i - 1)) _requireEnough(spent, outputs, asset);
        }
    }

    function _requireEnough(Outputs spent, Outputs outputs, address asset) private pure {
        (uint256 have, uint256 need) = (_sumOf(spent, asset), _sumOf(outputs, asset));
        require(have >= need && have != type(uint256).max, Unbalanced(asset, have, need));
    }

    function _sumOf(Outputs outputs, address asset) private pure returns (uint256 sum) {
        uint256 count = outputs.count();
        for (uint256 i = 0; i < count; ++i) {
            if (outputs.asset(i) == asset) sum = Rosters.plus(sum, outputs.value(i));
        }
    }

    function _requireOnce(Outputs spent, Outputs outputs, address asset, uint256 id) private pure {
        (uint256 have, uint256 need) = (_timesIn(spent, asset, id), _timesIn(outputs, asset, id));
        require(have == 1 && need == 1, Unbalanced(asset, have, need));
    }

    function _timesIn(Outputs outputs, address asset, uint256 id) private pure returns (uint256 times) {
        uint256 count = outputs.count();
        for (uint256 i = 0; i < count; ++i) {
            if (outputs.asset(i) == asset && outputs.value(i) == id) ++times;
        }
    }

    /// @dev One payee and one authorisation for all inputs; so a competitor proves that somebody signed twice.
    function _requireOnePayee(
        Outputs spent,
        Transaction calldata transaction,
        bytes32 txHash,
        bytes calldata authorisation,
        LockTerms[] calldata terms
    ) private view {
        (uint256 count, address owner, bytes32 lock) = (spent.count(), spent.owner(0), spent.lock(0));
        if (count == 1 && lock != 0) {
            _requireAuthorisedUnder(_termsOf(lock, terms), owner, transaction, txHash, authorisation);
            return;
        }
        address payee = _decidedPayee(owner, lock, terms);
        for (uint256 i = 1; i < count; ++i) {
            address other = _decidedPayee(spent.owner(i), spent.lock(i), terms);
            require(other == payee, MixedOwners(other, payee));
        }
        _requireAuthorised(payee, txHash, authorisation);
    }

    function _decidedPayee(
        address owner,
        bytes32 lock,
        LockTerms[] calldata terms
    ) private view returns (address payee) {
        if (lock == 0) return owner;
        payee = _payee(owner, _termsOf(lock, terms));
        require(payee != address(0), IRootChain.Undecided(lock));
    }

    /// @dev The sender's inputs and outputs that are not finalised, of which there has to be one.
    function _positionsOf(
        InFlightDraft memory draft,
        bytes32 txHash,
        LockTerms[] calldata terms
    ) private view returns (uint256 positions) {
        (Words inputs, Outputs spent, Outputs outputs) = (draft.inputs, draft.spent, draft.outputs);
        bool party = false;
        uint256 count = inputs.count();
        for (uint256 i = 0; i < count; ++i) {
            if (!_isParty(spent.owner(i), spent.lock(i), terms)) continue;
            party = true;
            if (_status[inputs.item(i)] < PAID) positions |= 1 << i;
        }
        // The starter shows how old the inputs are, so it is the one to whom that matters.
        bool starts = party || _status[inputs.item(0)] == _consumedBy(txHash);
        count = outputs.count();
        for (uint256 i = 0; i < count; ++i) {
            if (!_isParty(outputs.owner(i), outputs.lock(i), terms)) continue;
            party = true;
            if (_status[Transactions.outputId(txHash, uint8(i))] < PAID) positions |= 16 << i;
        }
        require(party && starts, NotParty(msg.sender, 0));
        require(positions != 0, NothingLeft(txHash));
    }

    /// @dev Whether the sender may speak for an output; of a lock without its terms nobody may.
    function _isParty(address owner, bytes32 lock, LockTerms[] calldata terms) private view returns (bool) {
        if (lock == 0) return msg.sender == owner;
        for (uint256 i = 0; i < terms.length; ++i) {
            if (terms[i].lockOf() == lock) return _maySpeak(msg.sender, owner, terms[i]);
        }
        return false;
    }

    /// @dev Joins the queue of each of its assets, in the order of the inputs that bring them in.
    function _queue(
        bytes32 chain,
        Outputs spent,
        uint40 lane,
        uint256 entry
    ) private returns (uint40[] memory indices) {
        (uint256 all, uint256 count) = (spent.count(), 0);
        indices = new uint40[](all);
        for (uint256 i = 0; i < all; ++i) {
            address asset = spent.asset(i);
            bool known = false;
            for (uint256 j = 0; j < i && !known; ++j) known = spent.asset(j) == asset;
            if (!known) indices[count++] = _vaults[chain][asset].queue.push(lane, entry);
        }
        assembly ("memory-safe") {
            mstore(indices, count)
        }
    }

    function _show(LockTerms[] calldata terms) private {
        for (uint256 i = 0; i < terms.length; ++i) emit IRootChain.LockShown(terms[i].lockOf(), terms[i]);
    }

    /// @inheritdoc IInFlightExits
    function piggyback(
        InFlightExit calldata inFlight,
        uint8 positions,
        LockTerms[] calldata terms
    ) external payable unlocked {
        (bytes32 txHash, InFlightState state) = _running(inFlight);
        _requireFirstHalf(inFlight);
        uint256 taken = state.piggybacked() | state.blocked();
        require(positions != 0 && positions & taken == 0, WrongPositions(positions));
        uint256 rest = positions;
        for (uint256 i = 0; rest != 0; ++i) {
            if (rest & 1 != 0) _requireParty(inFlight, txHash, positions, i, terms);
            rest >>= 1;
        }
        uint256 need = inFlight.bond * _count(positions);
        require(msg.value == need, IRootChain.WrongBond(msg.value, need, need));
        _inFlights[txHash] = state.with(InFlightStates.wanting(positions));
        _show(terms);
        emit Piggybacked(txHash, positions);
    }

    /// @dev The position exists, is not finalised, and the sender may speak for it.
    function _requireParty(
        InFlightExit calldata inFlight,
        bytes32 txHash,
        uint8 positions,
        uint256 position,
        LockTerms[] calldata terms
    ) private view {
        bool output = position > 3;
        Output[] calldata side = output ? inFlight.tx.outputs : inFlight.spent;
        uint256 i = position & 3;
        require(i < side.length, WrongPositions(positions));
        bytes32 id = output ? Transactions.outputId(txHash, uint8(i)) : inFlight.tx.inputs[i];
        require(_status[id] < PAID, WrongPositions(positions));
        require(_isParty(side[i].owner, side[i].lock, terms), NotParty(msg.sender, positions));
    }

    /// @inheritdoc IInFlightExits
    function compete(
        Chain[] calldata path,
        InFlightExit calldata inFlight,
        uint8 position,
        Spend calldata spend,
        LockTerms[] calldata terms
    ) external unlocked holding {
        (bytes32 txHash, InFlightState state) = _running(inFlight);
        Output[] calldata spent = inFlight.spent;
        require(position < spent.length, IRootChain.NoSuchPosition(position, spent.length));
        Transaction calldata transaction = inFlight.tx;
        (bytes32 id, bytes32 chain) = (transaction.inputs[position], transaction.chain);
        bytes32 competitor = _requireSpends(path, chain, spent[position], id, spend, terms);
        require(competitor != txHash, SameTransaction(txHash));
        require(_status[id] != _consumedBy(txHash), Consumed(txHash));
        uint56 place = _placeOf(spend);
        bool doubts = _doubt(inFlight, txHash, state, place);
        bool blocks = state.blocked() & (1 << position) == 0 && !_isDone(spent, state, spent[position].asset);
        require(doubts || blocks, NotOlder(place, InFlight.competitor(_places[txHash])));
        uint256 bond = doubts && !state.isDoubted() ? inFlight.bond : 0;
        if (blocks && state.piggybacked() & (1 << position) != 0) bond += inFlight.bond;
        if (doubts) state = state.with(InFlightStates.DOUBTED);
        if (blocks) state = state.with(InFlightStates.blocking(1 << position));
        _inFlights[txHash] = state;
        emit Competed(txHash, position, competitor, uint40(place >> 16), uint16(place), msg.sender);
        if (bond != 0) _split(chain, bond);
    }

    /// @dev In the first half a transaction becomes doubtful by any competitor, and more so by older ones only.
    function _doubt(
        InFlightExit calldata inFlight,
        bytes32 txHash,
        InFlightState state,
        uint56 place
    ) private returns (bool) {
        if (block.timestamp >= inFlight.start + _mfp / 2) return false;
        uint256 places = _places[txHash];
        if (place < InFlight.competitor(places)) _places[txHash] = InFlight.withCompetitor(places, place);
        else if (state.isDoubted()) return false;
        return true;
    }

    /// @inheritdoc IInFlightExits
    function challengeOutput(
        Chain[] calldata path,
        InFlightExit calldata inFlight,
        uint8 position,
        Spend calldata spend,
        LockTerms[] calldata terms
    ) external unlocked holding {
        (bytes32 txHash, InFlightState state) = _running(inFlight);
        Transaction calldata transaction = inFlight.tx;
        (Output[] calldata outputs, bytes32 chain) = (transaction.outputs, transaction.chain);
        bool exists = position > 3 && position - 4 < outputs.length;
        require(exists, IRootChain.NoSuchPosition(position, 4 + outputs.length));
        uint256 open = state.piggybacked() & ~state.blocked() & (1 << position);
        require(open != 0, WrongPositions(uint8(1 << position)));
        Output calldata output = outputs[position - 4];
        require(!_isDone(inFlight.spent, state, output.asset), Processed(txHash));
        bytes32 id = Transactions.outputId(txHash, position - 4);
        bytes32 spender = _requireSpends(path, chain, output, id, spend, terms);
        _inFlights[txHash] = state.with(InFlightStates.blocking(1 << position));
        emit OutputChallenged(txHash, position, spender, msg.sender);
        _split(chain, inFlight.bond);
    }

    /// @inheritdoc IInFlightExits
    function respond(
        Chain[] calldata path,
        InFlightExit calldata inFlight,
        Inclusion calldata inclusion
    ) external unlocked {
        (bytes32 txHash, InFlightState state) = _running(inFlight);
        require(!state.isDecided(), Processed(txHash));
        require(state.isDoubted() || inFlight.late, NoCompetitor(txHash));
        _requireShown(path, inFlight.tx, txHash, inclusion);
        uint256 places = _places[txHash];
        (uint56 have, uint56 response) = (InFlight.place(inclusion.number, inclusion.index), InFlight.response(places));
        uint56 need = response == 0 ? InFlight.competitor(places) : response;
        require(have < need, NotOlder(have, need));
        _places[txHash] = InFlight.withResponse(places, have);
        emit Responded(txHash, inclusion.number, inclusion.index);
    }

    /// @dev The exit runs and is what its event told.
    function _running(InFlightExit calldata inFlight) private view returns (bytes32 txHash, InFlightState state) {
        Transaction calldata transaction = inFlight.tx;
        (bytes32[] calldata inputs, Output[] calldata outputs) = (transaction.inputs, transaction.outputs);
        txHash = _digest(transaction.structHash(inputs, outputs));
        state = _inFlights[txHash];
        uint256 word = InFlightState.unwrap(state);
        uint256 hash = inFlight.hashOf(inputs.length, outputs.length + inFlight.spent.length);
        require(word != 0 && word & InFlight.LOW_216 == hash, NotRunning(txHash));
    }

    function _requireFirstHalf(InFlightExit calldata inFlight) private view {
        (uint40 time, uint40 end) = (uint40(block.timestamp), inFlight.start + _mfp / 2);
        require(time < end, TooLate(time, end));
    }

    /// @dev A transaction of the chain that counts and spends this output.
    function _requireSpends(
        Chain[] calldata path,
        bytes32 chain,
        Output calldata output,
        bytes32 id,
        Spend calldata spend,
        LockTerms[] calldata terms
    ) private view returns (bytes32 txHash) {
        txHash = _requireCounts(path, chain, id, spend);
        bytes32 lock = output.lock;
        if (lock == 0) _requireAuthorised(output.owner, txHash, spend.authorisation);
        else _requireAuthorisedUnder(_termsOf(lock, terms), output.owner, spend.tx, txHash, spend.authorisation);
    }

    /// @dev Where a transaction is, as far as it was shown.
    function _placeOf(Spend calldata spend) private pure returns (uint56) {
        Inclusion[] calldata proofs = spend.inclusion;
        if (proofs.length == 0) return InFlight.NOWHERE;
        Inclusion calldata proof = proofs[0];
        return InFlight.place(proof.number, proof.index);
    }

    function _isDone(Output[] calldata spent, InFlightState state, address asset) private pure returns (bool) {
        return state.done() & (1 << InFlight.indexOf(spent, asset)) != 0;
    }

    function _count(uint256 positions) private pure returns (uint256 count) {
        for (; positions != 0; positions &= positions - 1) ++count;
    }
}

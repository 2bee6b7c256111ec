// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "../base/Merkle.sol";
import {Blocks, Inclusion} from "./Block.sol";
import {Chain} from "./Chain.sol";
import {Deposit, Deposits} from "./Deposit.sol";
import {Exit, Exits, Permit} from "./Exit.sol";
import {ExitQueue} from "./ExitQueue.sol";
import {Group, GroupInclusion, Groups, Leaver, Membership} from "./Group.sol";
import {IRootChain} from "./IRootChain.sol";
import {Locks, LockTerms} from "./LockTerms.sol";
import {Roster, Rosters} from "./Roster.sol";
import {Spend} from "./Spend.sol";
import {Output, Transaction, Transactions} from "./Transaction.sol";
import {Vaults} from "./Vaults.sol";

/// @title Standard exits
/// @dev The rules are told in IRootChain. Of an exit one word is kept; its payment is in Payouts.
abstract contract StandardExits is IRootChain, Vaults {
    using ExitQueue for ExitQueue.Queue;
    using Exits for Exit;
    using Transactions for Transaction;
    using Deposits for Deposit;
    using Locks for LockTerms;

    // Money wants out.

    /// @inheritdoc IRootChain
    function startExit(
        Chain[] calldata path,
        Transaction calldata transaction,
        uint8 output,
        Inclusion calldata inclusion,
        Permit calldata permit
    ) external payable unlocked {
        (bytes32 id, Output calldata leaving) = _leaving(path, transaction, output, inclusion);
        require(leaving.lock == 0, LockedOutput(leaving.lock));
        _requireBond();
        address have = _starter(transaction.chain, id, permit);
        require(_isKey(have, leaving.owner), WrongSigner(have, leaving.owner));
        _queue(_exitOf(transaction.chain, leaving, id), inclusion.number, inclusion.time);
    }

    /// @inheritdoc IRootChain
    function startLockedExit(
        Chain[] calldata path,
        Transaction calldata transaction,
        uint8 output,
        Inclusion calldata inclusion,
        LockTerms calldata terms,
        Permit calldata permit
    ) external payable unlocked {
        (bytes32 id, Output calldata leaving) = _leaving(path, transaction, output, inclusion);
        require(terms.lockOf() == leaving.lock, WrongLock(terms.lockOf(), leaving.lock));
        _requireBond();
        address have = _starter(transaction.chain, id, permit);
        require(_maySpeak(have, leaving.owner, terms), WrongSigner(have, leaving.owner));
        emit LockShown(leaving.lock, terms);
        _queue(_exitOf(transaction.chain, leaving, id), inclusion.number, inclusion.time);
    }

    /// @dev The output that leaves, shown and not finalised.
    function _leaving(
        Chain[] calldata path,
        Transaction calldata transaction,
        uint8 output,
        Inclusion calldata inclusion
    ) private view returns (bytes32 id, Output calldata leaving) {
        Output[] calldata outputs = transaction.outputs;
        bytes32 txHash = _digest(transaction.structHash(transaction.inputs, outputs));
        id = Transactions.outputId(txHash, output);
        _requireShown(path, transaction, txHash, inclusion);
        require(output < outputs.length, NoSuchPosition(output, outputs.length));
        leaving = outputs[output];
        require(_status[id] < PAID, Finalised(id, _status[id]));
    }

    function _exitOf(bytes32 chain, Output calldata output, bytes32 id) private view returns (Exit memory) {
        return Exit(chain, output.asset, output.owner, output.lock, id, 1, output.value, 0, msg.value, msg.sender);
    }

    /// @inheritdoc IRootChain
    function startDepositExit(Deposit calldata deposited, Permit calldata permit) external payable unlocked {
        bytes32 id = deposited.depositId();
        require(_status[id] == DEPOSITED, WrongStatus(id, _status[id], DEPOSITED));
        _requireBond();
        (bytes32 chain, address owner) = (deposited.chain, deposited.owner);
        address have = _starter(chain, id, permit);
        require(_isKey(have, owner), WrongSigner(have, owner));
        _queue(Exit(chain, deposited.asset, owner, 0, id, 1, deposited.value, 0, msg.value, msg.sender), 0, 0);
    }

    /// @inheritdoc IRootChain
    function startExits(
        Chain[] calldata path,
        Group calldata group,
        GroupInclusion calldata inclusion,
        Permit calldata permit
    ) external payable unlocked {
        (, bytes32 chain) = _ends(path);
        Roster members = _requireCount(group.leavers.length, group.asset);
        bytes32 txRoot = _rootOfLeavers(chain, group, inclusion, members);
        bytes32 head = Blocks.header(txRoot, inclusion.childrenRoot);
        _requireCommitted(path, chain, head, inclusion.number, inclusion.time, inclusion.asOf, inclusion.levels);
        _startGroup(chain, group.asset, group.owner, members, true, permit, inclusion.number, inclusion.time);
    }

    /// @dev The root of the block that has the leavers' transactions as they say; writes the members that they are.
    function _rootOfLeavers(
        bytes32 chain,
        Group calldata group,
        GroupInclusion calldata inclusion,
        Roster members
    ) private view returns (bytes32) {
        uint40 number = inclusion.number;
        bytes32[] calldata others = group.others;
        bytes32[] memory leaves = new bytes32[](members.count());
        for (uint256 i = 0; i < leaves.length; ++i) {
            Leaver calldata leaver = group.leavers[i];
            (uint256 all, uint8 output, uint40 lastBlock) = (leaver.outputs, leaver.output, leaver.lastBlock);
            require(output < all && all <= 4, NoSuchPosition(output, all));
            require(all - 1 <= others.length, Merkle.WrongSiblings(group.others.length));
            require(number <= lastBlock, IncludedLate(number, lastBlock));
            bytes32 txHash = _digest(Groups.structHash(chain, group, leaver, others));
            others = others[all - 1:];
            leaves[i] = Blocks.leaf(txHash);
            members.put(i, Transactions.outputId(txHash, output), leaver.value);
        }
        require(others.length == 0, Merkle.WrongSiblings(group.others.length));
        return Groups.blockRoot(group, leaves, inclusion.siblings);
    }

    /// @inheritdoc IRootChain
    function startDepositExits(Deposit[] calldata deposited, Permit calldata permit) external payable unlocked {
        Roster members = _requireCount(deposited.length, deposited.length == 0 ? address(0) : deposited[0].asset);
        (bytes32 chain, address asset, address owner) = (deposited[0].chain, deposited[0].asset, deposited[0].owner);
        for (uint256 i = 0; i < deposited.length; ++i) {
            Deposit calldata one = deposited[i];
            bytes32 id = one.depositId();
            require(_status[id] == DEPOSITED, WrongStatus(id, _status[id], DEPOSITED));
            require(one.chain == chain && one.asset == asset && one.owner == owner, WrongMember(id));
            members.put(i, id, one.value);
        }
        _startGroup(chain, asset, owner, members, false, permit, 0, 0);
    }

    function _requireCount(uint256 count, address asset) private view returns (Roster) {
        require(count > 1 && count <= Groups.MOST, WrongCount(count, Groups.MOST));
        require(!_isUnique(asset), NotFungible(asset));
        return Rosters.roster(count);
    }

    /// @dev The sum of the members' values. None is named twice: their ids ascend. None is finalised: if that is not
    /// known of them, it is looked up.
    function _requireOrder(Roster members, bool unknown) private view returns (uint256 value) {
        bytes32 last;
        uint256 count = members.count();
        for (uint256 i = 0; i < count; ++i) {
            (bytes32 id, uint256 more) = members.memberAt(i);
            require(id > last, WrongOrder(id, last));
            if (unknown) require(_status[id] < PAID, Finalised(id, _status[id]));
            value = Rosters.plus(value, more);
            last = id;
        }
    }

    /// @dev Members that are shown leave together; whether they are finalised may still be unknown.
    function _startGroup(
        bytes32 chain,
        address asset,
        address owner,
        Roster members,
        bool unknown,
        Permit calldata permit,
        uint40 number,
        uint40 time
    ) private {
        _requireBond();
        uint256 value = _requireOrder(members, unknown);
        bytes32 ids = members.rootOf();
        bool own = permit.signature.length == 0;
        address have = own ? msg.sender : _signerOf(chain, members.idsHash(), permit);
        require(_isKey(have, owner), WrongSigner(have, owner));
        uint8 count = uint8(members.count());
        _queue(Exit(chain, asset, owner, 0, ids, count, value, 0, msg.value, msg.sender), number, time);
        bytes32 topic = GroupStarted.selector;
        (uint256 from, uint256 size) = members.encoding();
        assembly ("memory-safe") {
            log2(from, size, topic, ids)
        }
    }

    /// @dev Who starts the exit of one output: the sender, or the signer of the permit that the sender has.
    function _starter(bytes32 chain, bytes32 id, Permit calldata permit) private view returns (address) {
        if (permit.signature.length == 0) return msg.sender;
        return _signerOf(chain, keccak256(abi.encode(id)), permit);
    }

    function _signerOf(bytes32 chain, bytes32 idsHash, Permit calldata permit) private view returns (address) {
        (address starter, uint40 time) = (permit.starter, uint40(block.timestamp));
        require(starter == address(0) || starter == msg.sender, WrongStarter(msg.sender, starter));
        require(time <= permit.deadline, PermitExpired(time, permit.deadline));
        return _recover(_digest(Exits.startHash(chain, idsHash, permit)), permit.signature);
    }

    /// @dev Joins its queue: at its own second in its number's lane, or `mfp` from now in the list.
    function _queue(Exit memory exit, uint40 number, uint40 time) private {
        uint40 lane;
        (lane, exit.exitableAt) = _maturity(number, time);
        uint40 index = _vaults[exit.chain][exit.asset].queue.push(lane, exit.entryOf());
        exit.tell(ExitStarted.selector, lane, index);
    }

    // Somebody objects.

    /// @inheritdoc IRootChain
    function challengeExit(
        Chain[] calldata path,
        Exit calldata exit,
        uint40 lane,
        uint40 index,
        Spend calldata spend
    ) external unlocked holding {
        require(exit.lock == 0, LockedOutput(exit.lock));
        bytes32 txHash = _requireCounts(path, exit.chain, exit.ids, spend);
        _requireAuthorised(exit.owner, txHash, spend.authorisation);
        _void(exit, lane, index);
        emit ExitChallenged(exit.ids, lane, index, txHash, msg.sender);
        _split(exit.chain, exit.bond);
    }

    /// @inheritdoc IRootChain
    function challengeLocked(
        Chain[] calldata path,
        Exit calldata exit,
        uint40 lane,
        uint40 index,
        Spend calldata spend,
        LockTerms calldata terms
    ) external unlocked holding {
        require(terms.lockOf() == exit.lock, WrongLock(terms.lockOf(), exit.lock));
        bytes32 txHash = _requireCounts(path, exit.chain, exit.ids, spend);
        _requireAuthorisedUnder(terms, exit.owner, spend.tx, txHash, spend.authorisation);
        _void(exit, lane, index);
        emit ExitChallenged(exit.ids, lane, index, txHash, msg.sender);
        _split(exit.chain, exit.bond);
    }

    /// @inheritdoc IRootChain
    function challengeGroup(
        Chain[] calldata path,
        Exit calldata exit,
        uint40 lane,
        uint40 index,
        Spend calldata spend,
        Membership calldata membership
    ) external unlocked holding {
        bytes32[] calldata inputs = spend.tx.inputs;
        require(spend.input < inputs.length, NoSuchPosition(spend.input, inputs.length));
        bytes32 have = Groups.impliedIds(inputs[spend.input], membership);
        require(have == exit.ids, WrongGroup(have, exit.ids));
        bytes32 txHash = _requireCounts(path, exit.chain, inputs[spend.input], spend);
        _requireAuthorised(exit.owner, txHash, spend.authorisation);
        _void(exit, lane, index);
        emit ExitChallenged(exit.ids, lane, index, txHash, msg.sender);
        _split(exit.chain, exit.bond);
    }

    /// @inheritdoc IRootChain
    function cancelExit(Exit calldata exit, uint40 lane, uint40 index) external unlocked holding {
        require(msg.sender == exit.owner, NotOwner(msg.sender, exit.owner));
        require(exit.lock == 0, LockedOutput(exit.lock));
        _void(exit, lane, index);
        emit ExitCancelled(exit.ids, lane, index);
        _split(exit.chain, exit.bond);
    }

    function _void(Exit calldata exit, uint40 lane, uint40 index) private {
        ExitQueue.Queue storage queue = _vaults[exit.chain][exit.asset].queue;
        (uint256 have, uint256 need) = (queue.wordAt(lane, index), exit.entry());
        require(have == need, WrongEntry(have, need));
        queue.clear(lane, index);
    }
}

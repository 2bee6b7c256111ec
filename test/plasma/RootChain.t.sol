// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "../../contracts/base/Merkle.sol";
import {Verdicts} from "../../contracts/base/Verdicts.sol";
import {Blocks, Inclusion, Level} from "../../contracts/plasma/Block.sol";
import {Chain, Chains} from "../../contracts/plasma/Chain.sol";
import {Deposit, Deposits} from "../../contracts/plasma/Deposit.sol";
import {Exit, Permit} from "../../contracts/plasma/Exit.sol";
import {InFlightExit} from "../../contracts/plasma/InFlightExit.sol";
import {RootChain} from "../../contracts/plasma/RootChain.sol";
import {Member} from "../../contracts/plasma/Roster.sol";
import {Spend} from "../../contracts/plasma/Spend.sol";
import {Output, Transaction, Transactions} from "../../contracts/plasma/Transaction.sol";
import {vm} from "../Vm.sol";

/// @notice Drives one court with random verbs, users, times, double spends and stale data; remembers what must hold.
contract RootChainHandler {
    struct Coin {
        bytes32 id;
        uint256 owner;
        bool deposited;
        uint256 origin;
        uint8 output;
    }

    struct Running {
        Exit exit;
        uint40 lane;
        uint40 index;
        bool waits;
    }

    uint40 public constant MFP = 1000;
    uint256 private constant BOND = 100 gwei;
    uint256 private constant OPERATOR = 0x0b;

    RootChain public immutable court = new RootChain(Verdicts(address(0)), MFP, 100, 100, 100, 1 gwei, 9 gwei);
    bytes32 public immutable chain;
    uint40 private _time = 1_000_000;
    uint40 private _number;
    Coin[] private _coins;
    Deposit[] private _deposits;
    Transaction[] private _transactions;
    Inclusion[] private _inclusions;
    Running[] private _exits;
    mapping(uint40 lane => uint40) private _lengths;
    mapping(bytes32 id => uint256) public payments;

    /// @notice Deposits, forfeited halves of bonds, payouts, and bonds that are posted now.
    uint256 public deposited;
    uint256 public forfeited;
    uint256 public paid;
    uint256 public bonds;
    /// @notice What must never happen, found by the handler itself.
    string public violation;

    constructor() {
        Chain[] memory path = root();
        bytes[] memory signatures = new bytes[](1);
        vm.prank(path[0].operator);
        court.register(path, signatures);
        chain = keccak256(abi.encode(path[0]));
        vm.warp(_time);
    }

    receive() external payable {}

    function deposit(uint256 who, uint256 value) external {
        Deposit memory made = Deposit(chain, user(who), bytes32(_deposits.length), user(who), address(0), 1);
        made.value = (value % 1 ether) + 1;
        vm.deal(made.sender, address(made.sender).balance + made.value);
        vm.prank(made.sender);
        court.deposit{value: made.value}(chain, made.salt, made.owner, address(0), made.value);
        deposited += made.value;
        bytes32 id = keccak256(abi.encodePacked(bytes1(0x05), abi.encode(made)));
        _coins.push(Coin(id, who % 3, true, _deposits.length, 0));
        _deposits.push(made);
    }

    /// @notice Spends a coin, spent before or not, in a block of its own.
    function pay(uint256 which, uint256 to, uint256 part) external {
        if (_coins.length == 0) return;
        Coin memory coin = _coins[which % _coins.length];
        uint256 value = valueOf(coin);
        Transaction memory made = Transaction(chain, new bytes32[](1), new Output[](2), _number + 2, 0);
        made.inputs[0] = coin.id;
        made.outputs[0] = Output(user(to), address(0), part % (value + 1), 0);
        made.outputs[1] = Output(user(coin.owner), address(0), value - (part % (value + 1)), 0);
        commit(made);
        bytes32 hash = txHash(made);
        for (uint8 i = 0; i < 2; ++i) {
            bytes32 id = Transactions.outputId(hash, i);
            _coins.push(Coin(id, i == 0 ? to % 3 : coin.owner, false, _transactions.length - 1, i));
        }
    }

    function start(uint256 which, uint256 sender) external {
        if (_coins.length == 0) return;
        Coin memory coin = _coins[which % _coins.length];
        Permit memory own;
        uint256 status = court.status(coin.id);
        (address from, uint256 count) = (user(sender), _exits.length);
        vm.deal(from, from.balance + BOND);
        vm.prank(from);
        if (coin.deposited) {
            try court.startDepositExit{value: BOND}(_deposits[coin.origin], own) {
                remember(coin, from);
            } catch {}
        } else {
            Transaction memory of_ = _transactions[coin.origin];
            Inclusion memory shown = _inclusions[coin.origin];
            try court.startExit{value: BOND}(root(), of_, coin.output, shown, own) {
                remember(coin, from);
            } catch {}
        }
        if (_exits.length == count) return;
        if (status >> 248 == 2) violation = "a paid output exits again";
        if (from != user(coin.owner)) violation = "a stranger started an exit";
    }

    /// @notice Challenges an exit with any transaction; it must go through iff that one spends it and the exit waits.
    function challenge(uint256 which, uint256 with, bool forged) external {
        if (_exits.length == 0 || _transactions.length == 0) return;
        Running storage running = _exits[which % _exits.length];
        uint256 picked = with % _transactions.length;
        Spend memory spend = Spend(_transactions[picked], 0, "", new Inclusion[](1));
        spend.inclusion[0] = _inclusions[picked];
        uint256 owner = ownerKey(running.exit.owner);
        spend.authorisation = sign(forged ? OPERATOR : owner, txHash(spend.tx));
        bool spends = spend.tx.inputs[0] == running.exit.ids && !forged;
        try court.challengeExit(root(), running.exit, running.lane, running.index, spend) {
            if (!spends || !running.waits) violation = "a challenge that proves nothing";
            forfeit(running);
        } catch {
            if (spends && running.waits) violation = "a challenge that proves a spend was refused";
        }
    }

    function cancel(uint256 which, uint256 sender) external {
        if (_exits.length == 0) return;
        Running storage running = _exits[which % _exits.length];
        address from = user(sender);
        vm.prank(from);
        try court.cancelExit(running.exit, running.lane, running.index) {
            if (from != running.exit.owner || !running.waits) violation = "a stranger cancelled an exit";
            forfeit(running);
        } catch {}
    }

    /// @notice Hands over up to eight exits from somewhere on, in the order of their starts, matching or not.
    function process(uint256 from, uint256 count) external {
        uint256 length = _exits.length == 0 ? 0 : count % 8;
        Exit[] memory handed = new Exit[](length);
        for (uint256 i = 0; i < length; ++i) handed[i] = _exits[((from % 1000) + i) % _exits.length].exit;
        uint256 before = address(court).balance;
        try court.process(chain, address(0), handed, new Member[](0), new InFlightExit[](0)) {} catch {}
        uint256 out = 0;
        for (uint256 i = 0; i < _exits.length; ++i) out += settle(_exits[i]);
        if (before - address(court).balance != out) violation = "a process paid something else";
    }

    function wait(uint256 seconds_) external {
        _time += uint40(seconds_ % MFP) + 1;
        vm.warp(_time);
    }

    /// @notice All money that the court owes.
    function owed() external view returns (uint256) {
        return court.pots(chain, address(0)) + bonds;
    }

    function txHash(Transaction memory made) public view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", court.domainSeparator(), this.structHash(made)));
    }

    function structHash(Transaction calldata made) external pure returns (bytes32) {
        return Transactions.structHash(made);
    }

    function root() private pure returns (Chain[] memory path) {
        path = new Chain[](1);
        path[0] = Chain(0, 1, vm.addr(OPERATOR));
    }

    /// @dev A block with one transaction, at index 0 of an otherwise empty tree.
    function commit(Transaction memory made) private {
        (Inclusion memory shown, bytes32 empty) = (_empty(), Blocks.leaf(0));
        bytes32 node = Blocks.leaf(txHash(made));
        for (uint256 i = 0; i < 16; ++i) {
            shown.siblings[i] = empty;
            node = Merkle.node(node, empty);
            empty = Merkle.node(empty, empty);
        }
        vm.warp(++_time);
        (shown.number, shown.time, shown.asOf) = (++_number, _time, _time - 1);
        vm.prank(vm.addr(OPERATOR));
        court.commit(root()[0], _number, Blocks.header(node, 0), shown.asOf);
        _transactions.push(made);
        _inclusions.push(shown);
    }

    function _empty() private pure returns (Inclusion memory shown) {
        shown.levels = new Level[](0);
    }

    function remember(Coin memory coin, address starter) private {
        Exit memory exit = Exit(chain, address(0), user(coin.owner), 0, coin.id, 1, valueOf(coin), 0, BOND, starter);
        Running memory running = Running(exit, 0, 0, true);
        uint40 mature = coin.deposited ? 0 : _inclusions[coin.origin].time + 2 * MFP;
        bool young = mature > _time + MFP;
        running.exit.exitableAt = young ? mature : _time + MFP;
        running.lane = young ? _inclusions[coin.origin].number : 0;
        running.index = _lengths[running.lane]++;
        uint256 have = court.entry(chain, address(0), running.lane, running.index);
        if (have != word(running.exit)) violation = "an exit is not at the end of its lane";
        bonds += BOND;
        _exits.push(running);
    }

    /// @dev What has left an exit's place since the last look: its value if it was paid now, and its bond.
    function settle(Running storage running) private returns (uint256 out) {
        if (!running.waits || court.entry(chain, address(0), running.lane, running.index) != 0) return 0;
        if (_time < running.exit.exitableAt) violation = "an exit left before its time";
        running.waits = false;
        bonds -= BOND;
        out = BOND;
        bytes32 id = running.exit.ids;
        if (court.status(id) >> 248 != 2 || payments[id] != 0) return out;
        payments[id] = running.exit.value + 1;
        paid += running.exit.value;
        out += running.exit.value;
    }

    function forfeit(Running storage running) private {
        running.waits = false;
        bonds -= BOND;
        forfeited += BOND - BOND / 2;
    }

    function word(Exit memory exit) private pure returns (uint256) {
        uint256 hash = uint256(keccak256(abi.encodePacked(bytes1(0x06), abi.encode(exit))));
        return (uint256(exit.exitableAt) << 216) | ((hash << 40) >> 40);
    }

    function valueOf(Coin memory coin) private view returns (uint256) {
        if (coin.deposited) return _deposits[coin.origin].value;
        return _transactions[coin.origin].outputs[coin.output].value;
    }

    function user(uint256 who) private pure returns (address) {
        return vm.addr(100 + (who % 3));
    }

    function ownerKey(address owner) private pure returns (uint256 key) {
        for (key = 100; key < 102 && vm.addr(key) != owner; ++key) {}
    }

    function sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}

/// @notice What holds after any sequence of the handler's calls.
contract RootChainInvariants {
    RootChainHandler private _handler;

    function setUp() public {
        _handler = new RootChainHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_nothingForbiddenHappened() public view {
        require(bytes(_handler.violation()).length == 0, _handler.violation());
    }

    function invariant_courtHoldsExactlyWhatItOwes() public view {
        require(address(_handler.court()).balance == _handler.owed(), "pots and bonds are not the balance");
    }

    function invariant_payoutsNeverExceedDepositsAndForfeits() public view {
        require(_handler.paid() <= _handler.deposited() + _handler.forfeited(), "a pot paid more than it had");
    }
}

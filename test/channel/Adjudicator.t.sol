// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Adjudicator} from "../../contracts/channel/Adjudicator.sol";
import {Channel, ChannelLib, Party, SignedState} from "../../contracts/channel/Channel.sol";
import {Recorded} from "../../contracts/channel/Record.sol";
import {Token} from "../../contracts/test/Token.sol";
import {vm} from "../Vm.sol";

/// @notice Drives one court with random verbs, parties, times and old states; remembers what must hold.
contract AdjudicatorHandler {
    uint256 private constant KEY_A = 0xA11CE;
    uint256 private constant KEY_B = 0xB0B;
    uint256 private constant CHANNELS = 4;
    uint256 private constant LIMIT = 1e24;

    Adjudicator public immutable court = new Adjudicator();
    Token public immutable token = new Token();
    uint256 private _time = 1_000_000;
    uint256 private _signed;

    /// @notice Deposits so far and payments so far, per asset (0 ether, 1 token).
    uint256[2] public deposited;
    uint256[2] public paid;
    /// @notice What must never happen, found by the handler itself: 0 = nothing.
    string public violation;

    constructor() {
        token.mint(address(this), 1e36);
        token.approve(address(court), type(uint256).max);
    }

    receive() external payable {}

    function deposit(uint256 which, bool toB, uint256 amount) external {
        Channel memory channel = terms(which);
        amount = (amount % LIMIT) + 1;
        bool ether_ = channel.asset == address(0);
        if (ether_) vm.deal(address(this), amount);
        (, , , , , bool closed) = record(which);
        bytes32 id = court.idOf(channel);
        try court.deposit{value: ether_ ? amount : 0}(channel.asset, id, toB, amount) {
            deposited[ether_ ? 0 : 1] += amount;
            if (closed) violation = "a closed channel took a deposit";
        } catch {}
    }

    function challenge(uint256 which, uint64 version, int128 net, bool byB, bool withState) external {
        Channel memory channel = terms(which);
        (, , uint64 before, , uint40 clock, ) = record(which);
        SignedState memory state = signed(channel, version, net);
        if (!withState) delete state;
        vm.prank(byB ? channel.b.owner : channel.a.owner);
        try court.challenge(channel, state) {
            (, , uint64 recorded, , uint40 deadline, ) = record(which);
            if (clock != 0) violation = "a clock was started twice";
            if (recorded < before) violation = "a version went back";
            if (deadline != _time + 1 hours) violation = "a wrong deadline";
        } catch {}
    }

    function strangerChallenges(uint256 which, uint64 version, int128 net, address who) external {
        Channel memory channel = terms(which);
        vm.assume(who != channel.a.owner && who != channel.b.owner);
        SignedState memory state = signed(channel, version, net);
        vm.prank(who);
        try court.challenge(channel, state) {
            violation = "a stranger started a clock";
        } catch {}
    }

    function answer(uint256 which, uint64 version, int128 net, bool forged) external {
        Channel memory channel = terms(which);
        (, , uint64 before, , uint40 clock, ) = record(which);
        SignedState memory state = signed(channel, version, net);
        if (forged) state.net = net == 0 ? int128(1) : int128(0);
        try court.answer(channel, state) {
            (, , uint64 recorded, , uint40 deadline, bool closed) = record(which);
            if (forged) violation = "a forged state was recorded";
            if (!closed && recorded <= before) violation = "an answer that was not newer";
            if (!closed && deadline != clock) violation = "an answer moved the deadline";
            if (clock != 0 && _time > clock) violation = "an answer after the deadline";
        } catch {}
    }

    function settle(uint256 which) external {
        Channel memory channel = terms(which);
        (, , , , uint40 clock, bool closed) = record(which);
        uint256 held = holdings(channel.asset);
        try court.settle(channel, "") {
            paid[channel.asset == address(0) ? 0 : 1] += held - holdings(channel.asset);
            if (clock == 0 || _time <= clock) violation = "settled before the deadline";
            if (closed) violation = "a channel was paid twice";
        } catch {}
    }

    function conclude(uint256 which, int128 net, bool onlyA) external {
        Channel memory channel = terms(which);
        (, , , , , bool closed) = record(which);
        uint256 held = holdings(channel.asset);
        (bytes memory sigA, bytes memory sigB) = both(channel, ChannelLib.FINAL, net);
        try court.conclude(channel, net, sigA, onlyA ? sigA : sigB) {
            paid[channel.asset == address(0) ? 0 : 1] += held - holdings(channel.asset);
            if (onlyA) violation = "one party concluded alone";
            if (closed) violation = "a channel was paid twice";
        } catch {}
    }

    function wait_(uint256 time) external {
        _time += time % 2 hours;
        vm.warp(_time);
    }

    function holdings(address asset) public view returns (uint256) {
        return asset == address(0) ? address(court).balance : token.balanceOf(address(court));
    }

    /// @notice The funds of all open channels in an asset (0 ether, 1 token).
    function openFunds(uint256 kind) external view returns (int256 sum) {
        for (uint256 i = kind; i < CHANNELS; i += 2) {
            (int128 a, int128 b, , , , ) = record(i);
            sum += int256(a) + b;
        }
    }

    function terms(uint256 which) public view returns (Channel memory channel) {
        which %= CHANNELS;
        (address a, address b) = (vm.addr(KEY_A), vm.addr(KEY_B));
        channel.a = Party(a, a);
        channel.b = Party(b, b);
        channel.asset = which % 2 == 0 ? address(0) : address(token);
        channel.challengePeriod = 1 hours;
        channel.salt = bytes32(which);
    }

    function record(uint256 which) public view returns (int128, int128, uint64, int128, uint40, bool) {
        Channel memory channel = terms(which);
        Recorded memory told = court.recordOf(channel.asset, court.idOf(channel));
        return (told.fundsA, told.fundsB, told.version, told.net, told.deadline, told.closed);
    }

    function signed(Channel memory channel, uint64 version, int128 net) private returns (SignedState memory state) {
        // Versions grow slowly, so that old, equal and newer ones all occur.
        state.version = uint64(version % (++_signed / 4 + 2));
        state.net = net;
        (state.sigA, state.sigB) = both(channel, state.version, net);
    }

    function both(
        Channel memory channel,
        uint64 version,
        int128 net
    ) private view returns (bytes memory sigA, bytes memory sigB) {
        bytes32 hash = ChannelLib.stateHash(court.idOf(channel), version, net, 0, 0);
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", court.domainSeparator(), hash));
        return (signature(KEY_A, digest), signature(KEY_B, digest));
    }

    function signature(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}

/// @notice What must hold of the court whatever anybody does, and the arithmetic of its payouts.
contract AdjudicatorTest {
    AdjudicatorHandler private _handler;

    function setUp() public {
        _handler = new AdjudicatorHandler();
        vm.warp(1_000_000);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_funds_of_open_channels_are_what_the_court_holds() external view {
        for (uint256 kind = 0; kind < 2; ++kind) {
            uint256 held = _handler.holdings(kind == 0 ? address(0) : address(_handler.token()));
            require(int256(held) == _handler.openFunds(kind), "insolvent");
            require(_handler.deposited(kind) == held + _handler.paid(kind), "money appeared or vanished");
        }
    }

    function invariant_no_rule_of_the_court_was_broken() external view {
        require(bytes(_handler.violation()).length == 0, _handler.violation());
    }

    function testFuzz_payouts_are_whole_and_never_negative(int128 fundsA, int128 fundsB, int128 net) external pure {
        vm.assume(int256(fundsA) + fundsB >= 0);
        (uint256 payA, uint256 payB, ) = ChannelLib.payouts(fundsA, fundsB, net, 0, 0);
        require(int256(payA + payB) == int256(fundsA) + fundsB, "not the whole");
        int256 due = int256(fundsA) - net;
        if (due >= 0 && due <= int256(fundsA) + fundsB) require(int256(payA) == due, "not what is due");
        else require(payA == 0 || payB == 0, "not clamped");
    }
}

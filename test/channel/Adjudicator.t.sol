// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Channel, ChannelLib, Party, SignedState} from "../../contracts/channel/Channel.sol";
import {EtherDeposit, Payer} from "../../contracts/channel/IAdjudicator.sol";
import {Lock} from "../../contracts/channel/Lock.sol";
import {OddCondition} from "../../contracts/test/OddCondition.sol";
import {OddToken} from "../../contracts/test/OddToken.sol";
import {Receiver} from "../../contracts/test/Receiver.sol";
import {vm} from "../Vm.sol";
import {AdjudicatorBooks, Book, Sums} from "./AdjudicatorBooks.sol";

/// @notice Drives one court with random verbs, parties, times, lists and lies: of every call it says beforehand whether it
/// must go through, and afterwards who must have got what.
contract AdjudicatorHandler is AdjudicatorBooks {
    // ---- Money in ----

    function deposit(uint256 which, bool toB, uint256 how, uint256 amount) external {
        (Channel memory channel, Book storage book) = find(which);
        bool strays = how % 4 == 0;
        address asset = strays ? other(channel.asset) : channel.asset;
        amount = mint(asset, amount);
        bytes32 id = court.idOf(channel);
        // This token believes every permit.
        bytes memory data =
            how % 3 == 0 && asset != address(0)
                ? abi.encodeCall(court.depositWithPermit, (asset, id, toB, amount, 0, 27, 0, 0))
                : abi.encodeCall(court.deposit, (asset, id, toB, amount));
        bool due = (strays || !book.closed) && !(_odd && asset != address(0));
        if (!expect("deposit", due, address(this), asset == address(0) ? amount : 0, data)) return;
        if (strays) book.stray[side(toB)] += amount;
        else book.funds[side(toB)] += int256(amount);
    }

    function openBoth(uint256 which, uint256 amountA, uint256 amountB) external {
        which &= 2;
        (Channel memory channel, Book storage book) = find(which);
        (amountA, amountB) = ((amountA % LIMIT) + 1, (amountB % LIMIT) + 1);
        Payer memory nobody;
        bytes memory data = abi.encodeCall(
            court.openBoth,
            (address(0), court.idOf(channel), amountA, amountB, false, nobody)
        );
        if (!expect("openBoth", !book.closed, address(this), amountA + amountB, data)) return;
        (book.funds[0], book.funds[1]) = (book.funds[0] + int256(amountA), book.funds[1] + int256(amountB));
    }

    /// @dev Into both channels in ether; what a closed one cannot take comes back.
    function deposits(uint256 amount, bool toB) external {
        amount = (amount % LIMIT) + 1;
        EtherDeposit[] memory list = new EtherDeposit[](2);
        uint256 back;
        for (uint256 i = 0; i < 2; ++i) {
            (Channel memory channel, Book storage book) = find(2 * i);
            list[i] = EtherDeposit(court.idOf(channel), toB, amount + i);
            if (book.closed) back += amount + i;
            else book.funds[side(toB)] += int256(amount + i);
        }
        uint256 before = address(this).balance;
        expect("deposits", true, address(this), 2 * amount + 1, abi.encodeCall(court.deposits, (list)));
        must(address(this).balance == before + back, "a closed channel's ether did not come back");
    }

    /// @dev Ether that a destroyed contract leaves behind, tokens that somebody sends by mistake.
    function donate(bool ether_, uint256 amount) external {
        amount %= LIMIT;
        donated[ether_ ? 0 : 1] += amount;
        if (ether_) vm.deal(address(court), address(court).balance + amount);
        else token.mint(address(court), amount);
    }

    // ---- Disputes ----

    /// @dev From end to end, so that its last steps are common.
    function dispute(uint256 which, uint64 version, int128 net, uint256 seed) external {
        challenge(which, version, net, seed % 4, (seed % 1e9) * 160);
        wait_(seed % 50 minutes);
        answer(which, version / 2 + 2, net, (seed % 1e9) * 160);
        wait_(61 minutes);
        settle(which, seed >> 16);
        reveal(seed >> 24);
        settle(which, seed >> 32);
    }

    function challenge(uint256 which, uint64 version, int128 net, uint256 who, uint256 seed) public {
        (Channel memory channel, Book storage book) = find(which);
        (SignedState memory state, bool good) = signed(channel, version, net, seed);
        uint256 value = min(channel.bond, 1 ether) + (seed % 16 == 15 ? 1 : 0);
        (address sender, bytes memory data, bool party, bool byB) = challenger(channel, state, who);
        bool newer = state.version > book.version;
        bool due = party && seed % 16 != 15 && !book.closed && book.deadline == 0 && (good || !newer);
        if (!expect("challenge", due, sender, value, data)) return;
        book.deadline = _time + 1 hours;
        if (newer) record(book, state);
        (book.bond, book.challenged, book.byB) = (value, book.version, byB);
    }

    /// @dev Owners and signers as senders, anybody with a signer's word, and those who have no word at all.
    function challenger(
        Channel memory channel,
        SignedState memory state,
        uint256 who
    ) private view returns (address sender, bytes memory data, bool party, bool byB) {
        who %= 8;
        byB = who % 4 > 1;
        Party memory own = byB ? channel.b : channel.a;
        party = who != 6;
        if (who < 4) return (who % 2 == 0 ? own.owner : own.signer, callOf(channel, state), party, byB);
        if (who == 6) return (address(this), callOf(channel, state), party, byB);
        (party, byB) = (who != 7, who == 5);
        bytes32 hash = ChannelLib.challengeHash(court.idOf(channel), state.version, FOREVER);
        bytes memory sig = signature(
            who == 7
                ? KEY_C
                : byB
                    ? KEY_B
                    : KEY_A,
            hash
        );
        data = abi.encodeCall(court.challengeFor, (channel, state, FOREVER, sig));
        return (address(this), data, party, byB);
    }

    function answer(uint256 which, uint64 version, int128 net, uint256 seed) public {
        (Channel memory channel, Book storage book) = find(which);
        (SignedState memory state, bool good) = signed(channel, version, net, seed);
        bool inTime = book.deadline == 0 ? !book.closed : _time <= book.deadline;
        bool due = inTime && good && state.version > book.version;
        bytes memory data = abi.encodeCall(court.answer, (channel, state));
        if (expect("answer", due, address(this), 0, data)) record(book, state);
    }

    /// @dev Also of what was settled before, and also twice in one batch, of which the second must be refused.
    function settle(uint256 which, uint256 how) public {
        (Channel memory channel, Book storage book) = find(which);
        Lock[] storage locks = _lists[book.root];
        Sums memory sums = tally(locks);
        bytes memory list = packed(locks);
        bool wrong = how % 8 == 7;
        bool due = !wrong && (book.closed ? sums.rest != book.root : book.deadline != 0 && _time > book.deadline);
        bytes memory data = abi.encodeCall(court.settle, (channel, wrong ? bytes.concat(list, hex"00") : list));
        uint256[4] memory before = wealth(channel);
        string memory act = book.closed ? "settle again" : "settle";
        if (how % 4 == 0 && due) {
            expect("batch", true, address(this), 0, abi.encodeCall(court.batch, (twice(data))));
            ++done[act];
        } else if (!expect(act, due, address(this), 0, data)) return;
        (uint256 payA, uint256 payB) = book.closed ? again(book, sums) : first(book, sums, book.net);
        bool lost = book.version >= uint256(book.challenged) + 2;
        if (book.closed) return requirePaid(channel, before, [payA, payB, 0, 0]);
        if (lost && book.bond != 0) ++done["bond lost"];
        if (sums.won[0] + sums.won[1] != 0) ++done["lock won"];
        (uint256 bondA, uint256 bondB) = bondTo(book, book.byB != lost);
        close(book);
        (book.version, book.net, book.deadline) = (0, 0, 0);
        requirePaid(channel, before, [payA, payB, bondA, bondB]);
    }

    function conclude(uint256 which, int128 net, uint256 how) external {
        (Channel memory channel, Book storage book) = find(which);
        net = tame(net);
        bool good = how % 4 == 0;
        bytes32 hash = ChannelLib.stateHash(court.idOf(channel), ChannelLib.FINAL, net, 0, 0);
        (bytes memory sigA, bytes memory sigB) = both(hash);
        uint256[4] memory before = wealth(channel);
        bytes memory data = abi.encodeCall(court.conclude, (channel, net, sigA, good ? sigB : sigA));
        if (!expect("conclude", good && !book.closed, address(this), 0, data)) return;
        Sums memory none;
        (uint256 payA, uint256 payB) = first(book, none, net);
        (uint256 bondA, uint256 bondB) = bondTo(book, book.byB);
        // A clock that runs goes on, and answers to it still go through, for nothing.
        close(book);
        requirePaid(channel, before, [payA, payB, bondA, bondB]);
    }

    // ---- Verdicts, withdrawals, what is left over ----

    function reveal(uint256 key) public {
        bytes32[] memory preimages = new bytes32[](2);
        (preimages[0], preimages[1]) = (preimage(key), preimage(key >> 8));
        expect("reveal", true, address(this), 0, abi.encodeCall(court.reveal, (preimages)));
        for (uint256 i = 0; i < 2; ++i) decide(address(0), sha256(abi.encode(preimages[i])), type(uint128).max);
    }

    function judge(uint256 key, uint128 amount, bool isFinal) external {
        bytes32 hash = sha256(abi.encode(preimage(key)));
        amount = uint128(amount % LIMIT);
        _condition.behave(isFinal ? OddCondition.Manner.Final : OddCondition.Manner.Open, amount);
        bool due = isFinal && _verdicts[address(_condition)][hash].time == 0;
        bytes memory data = abi.encodeCall(court.judge, (address(_condition), hash));
        if (expect("judge", due, address(this), 0, data)) decide(address(_condition), hash, amount);
    }

    function withdraw(uint256 which, uint256 a, uint256 b, uint256 how) external {
        (Channel memory channel, Book storage book) = find(which);
        uint128 totalA = uint128(how % 3 == 0 ? book.withdrawn[0] / 2 : book.withdrawn[0] + (a % LIMIT));
        uint128 totalB = uint128(how % 3 == 1 ? book.withdrawn[1] : book.withdrawn[1] + (b % LIMIT));
        bool good = how % 8 != 7;
        (bytes memory sigA, bytes memory sigB) = both(
            ChannelLib.withdrawalHash(court.idOf(channel), totalA, totalB, _time)
        );
        uint256 payA = totalA > book.withdrawn[0] ? totalA - book.withdrawn[0] : 0;
        uint256 payB = totalB > book.withdrawn[1] ? totalB - book.withdrawn[1] : 0;
        bool due = payA + payB != 0 && int256(payA + payB) <= book.funds[0] + book.funds[1];
        uint256[4] memory before = wealth(channel);
        bytes memory data = abi.encodeCall(court.withdraw, (channel, totalA, totalB, _time, sigA, good ? sigB : sigA));
        if (!expect("withdraw", due && good && !book.closed, address(this), 0, data)) return;
        requirePaid(channel, before, [payA, payB, 0, 0]);
        (book.funds[0], book.funds[1]) = (book.funds[0] - int256(payA), book.funds[1] - int256(payB));
        (book.withdrawn[0], book.withdrawn[1]) = (book.withdrawn[0] + payA, book.withdrawn[1] + payB);
    }

    function sweep(uint256 which, bool own) external {
        (Channel memory channel, Book storage book) = find(which);
        address asset = own ? channel.asset : other(channel.asset);
        bool due = !own && book.stray[0] + book.stray[1] != 0;
        (uint256 a, uint256 b) = (worth(asset, channel.a.owner), worth(asset, channel.b.owner));
        if (!expect("sweep", due, address(this), 0, abi.encodeCall(court.sweep, (channel, asset)))) return;
        must(worth(asset, channel.a.owner) == a + book.stray[0], "a sweep paid A wrongly");
        must(worth(asset, channel.b.owner) == b + book.stray[1], "a sweep paid B wrongly");
        delete book.stray;
    }

    function claimCredit(uint256 which, bool ether_, bool elsewhere) external {
        (Channel memory channel, ) = find(which);
        address asset = ether_ ? address(0) : address(token);
        address owner = channel.a.owner;
        uint256 credit = court.credits(asset, owner);
        bool refuses = ether_ ? owner == address(_receiver) && _receiver.manner() != Receiver.Manner.Accepts : _odd;
        uint256 before = worth(asset, owner);
        bytes memory data = abi.encodeCall(court.claimCredit, (asset, owner, elsewhere ? address(this) : owner));
        if (expect("claimCredit", credit != 0 && !refuses && !elsewhere, address(this), 0, data))
            must(court.credits(asset, owner) == 0, "a credit stayed");
        must(worth(asset, owner) == before, "a credit was not paid whole");
    }

    /// @dev The receiver of ether, or the token, changes its mind.
    function turn(bool receiver_, bool refuses, bool lies) external {
        if (receiver_) {
            _receiver.behave(refuses ? Receiver.Manner.Reverts : Receiver.Manner.Accepts, address(0), "");
            return;
        }
        _odd = refuses;
        OddToken.Manner refusal = lies ? OddToken.Manner.ReturnsFalse : OddToken.Manner.Reverts;
        token.behave(refuses ? refusal : OddToken.Manner.Honest, address(0), "");
    }

    function wait_(uint256 time) public {
        _time += uint40(time % 100 minutes);
        vm.warp(_time);
    }

    /// @dev Other terms in the place of a channel of which nothing is left.
    function reopen(uint256 which) external {
        (, Book storage book) = find(which);
        if (!book.closed || book.root != 0 || book.stray[0] + book.stray[1] != 0) return;
        delete _books[which % CHANNELS];
        book.salt = ++_salt;
        ++done["reopen"];
    }
}

/// @notice What must hold of the court whatever anybody does, and the arithmetic of its payouts.
contract AdjudicatorTest {
    AdjudicatorHandler private _handler;

    function setUp() public {
        _handler = new AdjudicatorHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_1_funds_open_locks_bonds_and_credits_are_what_the_court_holds() external view {
        requireSolvent(_handler);
    }

    function invariant_every_call_ends_and_pays_as_it_must() external view {
        requireLawful(_handler);
    }

    /// @dev The invariants say something only if the acts go through.
    function test_random_acts_reach_every_verb_and_keep_the_invariants() external {
        for (uint256 i = 0; i < 2000; ++i) act(uint256(keccak256(abi.encode(i))));
        requireSolvent(_handler);
        requireLawful(_handler);
        string[17] memory acts = [
            "deposit",
            "openBoth",
            "deposits",
            "challenge",
            "answer",
            "settle",
            "settle again",
            "batch",
            "conclude",
            "reveal",
            "judge",
            "withdraw",
            "sweep",
            "claimCredit",
            "reopen",
            "bond lost",
            "lock won"
        ];
        for (uint256 i = 0; i < acts.length; ++i) require(_handler.done(acts[i]) != 0, acts[i]);
    }

    function act(uint256 dice) private {
        (uint256 verb, uint256 which, uint256 x, uint256 y) = (dice % 20, dice >> 8, dice >> 16, dice >> 100);
        bool flip = dice & (1 << 80) != 0;
        if (verb < 2) _handler.deposit(which, flip, x, y);
        else if (verb == 2) _handler.openBoth(which, x, y);
        else if (verb == 3) _handler.deposits(x, flip);
        else if (verb == 4) _handler.donate(flip, x);
        else if (verb < 7) _handler.challenge(which, uint64(x), int128(int256(y)), dice >> 20, dice >> 30);
        else if (verb == 7) _handler.answer(which, uint64(x), int128(int256(y)), dice >> 30);
        else if (verb < 10) _handler.settle(which, x);
        else if (verb == 10) _handler.conclude(which, int128(int256(y)), dice >> 30);
        else if (verb == 11) _handler.reveal(x);
        else if (verb == 12) _handler.judge(x, uint128(y), flip);
        else if (verb == 13) _handler.withdraw(which, x, y, dice >> 30);
        else if (verb == 14) _handler.sweep(which, x % 8 == 0);
        else if (verb == 15) flip ? _handler.claimCredit(which, x % 2 == 0, x % 16 > 13) : _handler.reopen(which);
        else if (verb == 16) _handler.turn(flip, x % 2 == 0, x % 4 > 1);
        else if (verb == 17) _handler.wait_(x);
        else _handler.dispute(which, uint64(x), int128(int256(y)), dice >> 30);
    }

    function requireSolvent(AdjudicatorHandler handler) private view {
        uint256 held = address(handler.court()).balance;
        require(held == handler.owed(0) + handler.donated(0), "the court does not hold the ether that it owes");
        held = handler.token().balanceOf(address(handler.court()));
        require(held == handler.owed(1) + handler.donated(1), "the court does not hold the tokens that it owes");
    }

    function requireLawful(AdjudicatorHandler handler) private view {
        require(bytes(handler.violation()).length == 0, handler.violation());
        require(handler.agrees(), "the court tells of a channel what never happened");
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

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "../../contracts/base/Verdicts.sol";
import {Adjudicator} from "../../contracts/channel/Adjudicator.sol";
import {Channel, ChannelLib, Party, SignedState} from "../../contracts/channel/Channel.sol";
import {Lock} from "../../contracts/channel/Lock.sol";
import {Recorded} from "../../contracts/channel/Record.sol";
import {OddCondition} from "../../contracts/test/OddCondition.sol";
import {OddToken} from "../../contracts/test/OddToken.sol";
import {Receiver} from "../../contracts/test/Receiver.sol";
import {vm} from "../Vm.sol";

/// @notice What the handler has written down about a channel; index 0 is side A, 1 is side B.
struct Book {
    uint256 salt;
    int256[2] funds;
    uint256[2] withdrawn;
    /// @dev Money that came under the asset that is not the channel's.
    uint256[2] stray;
    bool closed;
    /// @dev What a settlement has left under open locks.
    uint256 underLocks;
    uint64 version;
    int128 net;
    uint40 deadline;
    bytes32 root;
    uint256 bond;
    uint64 challenged;
    bool byB;
}

/// @notice What a list of locks comes to now, by side: won by it as receiver, back to it as sender, open as sender.
struct Sums {
    uint256[2] won;
    uint256[2] back;
    uint256[2] open;
    bytes32 rest;
}

/// @notice A court, its people, and books of what must have happened in it: nothing here is read from the court but what
/// it is compared with.
abstract contract AdjudicatorBooks {
    uint256 internal constant KEY_A = 0xA11CE;
    uint256 internal constant KEY_B = 0xB0B;
    uint256 internal constant KEY_C = 0xC;
    uint256 internal constant CHANNELS = 4;
    uint256 internal constant LIMIT = 1e24;
    uint40 internal constant FOREVER = type(uint40).max;

    Adjudicator public immutable court = new Adjudicator();
    OddToken public immutable token = new OddToken();
    OddCondition internal immutable _condition = new OddCondition();
    Receiver internal immutable _receiver = new Receiver();
    address internal immutable _alice = vm.addr(KEY_A);
    address internal immutable _bob = vm.addr(KEY_B);

    uint40 internal _time = 1_000_000;
    uint256 internal _signed;
    uint256 internal _salt;
    bool internal _odd;
    Book[CHANNELS] internal _books;
    mapping(bytes32 root => Lock[]) internal _lists;
    mapping(address condition => mapping(bytes32 key => Verdict)) internal _verdicts;

    /// @notice Money that was forced on the court, per asset (0 ether, 1 token): it belongs to nobody.
    uint256[2] public donated;
    /// @notice How often each act went through.
    mapping(string act => uint256) public done;
    /// @notice What must never happen, found by the handler itself; empty = nothing.
    string public violation;

    constructor() {
        for (uint256 i = 0; i < CHANNELS; ++i) _books[i].salt = ++_salt;
        vm.warp(_time);
    }

    receive() external payable {}

    // ---- What must hold ----

    /// @notice What the court owes by the handler's books, in an asset (0 ether, 1 token).
    function owed(uint256 kind) external view returns (uint256 sum) {
        for (uint256 i = 0; i < CHANNELS; ++i) {
            Book storage book = _books[i];
            if (kind == 0) sum += book.bond;
            if (i % 2 == kind) sum += uint256(book.funds[0] + book.funds[1]) + book.underLocks;
            else sum += book.stray[0] + book.stray[1];
        }
        address asset = kind == 0 ? address(0) : address(token);
        return
            sum + court.credits(asset, _alice) + court.credits(asset, _bob) + court.credits(asset, address(_receiver));
    }

    /// @notice Whether the court tells of every channel what the books say.
    function agrees() external view returns (bool same) {
        same = true;
        for (uint256 i = 0; i < CHANNELS; ++i) {
            Book storage book = _books[i];
            Channel memory channel = terms(i);
            Recorded memory told = court.recordOf(channel.asset, court.idOf(channel));
            same = same && told.closed == book.closed && told.locksRoot == book.root && told.bond == book.bond;
            same = same && told.fundsA == book.funds[0] && told.fundsB == book.funds[1];
            if (book.closed) continue;
            same = same && told.version == book.version && told.net == book.net && told.deadline == book.deadline;
            same = same && told.withdrawnA == book.withdrawn[0] && told.withdrawnB == book.withdrawn[1];
        }
    }

    // ---- Within ----

    function first(Book storage book, Sums memory sums, int256 net) internal returns (uint256 payA, uint256 payB) {
        int256 total = book.funds[0] + book.funds[1];
        bool voids = int256(sums.open[0] + sums.open[1]) > total;
        if (voids) (sums.open[0], sums.open[1], sums.rest) = (0, 0, 0);
        int256 under = int256(sums.open[0] + sums.open[1]);
        int256 due = book.funds[0] - net + int256(sums.won[0]) - int256(sums.won[1]) - int256(sums.open[0]);
        if (due < 0) due = 0;
        if (due > total - under) due = total - under;
        (book.underLocks, book.root) = (uint256(under), sums.rest);
        (payA, payB) = (uint256(due), uint256(total - under - due));
    }

    function again(Book storage book, Sums memory sums) internal returns (uint256 payA, uint256 payB) {
        (payA, payB) = (sums.won[0] + sums.back[0], sums.won[1] + sums.back[1]);
        must(payA + payB <= book.underLocks, "a settlement paid more than was left");
        (book.underLocks, book.root) = (book.underLocks - payA - payB, sums.rest);
        must(sums.rest != 0 || book.underLocks == 0, "the last lock left money behind");
    }

    function bondTo(Book storage book, bool toB) internal returns (uint256 bondA, uint256 bondB) {
        (bondA, bondB) = toB ? (uint256(0), book.bond) : (book.bond, uint256(0));
        book.bond = 0;
    }

    function close(Book storage book) internal {
        book.closed = true;
        delete book.funds;
        delete book.withdrawn;
    }

    function decide(address condition, bytes32 key, uint128 amount) internal {
        Verdict storage verdict = _verdicts[condition][key];
        if (verdict.time == 0) (verdict.time, verdict.amount) = (_time, amount);
        (uint40 time, uint128 told) = court.verdict(condition, key);
        must(time == verdict.time && told == verdict.amount, "a verdict changed");
    }

    function must(bool holds, string memory otherwise) internal {
        if (!holds && bytes(violation).length == 0) violation = otherwise;
    }

    /// @dev Makes a call that must go through, or must be refused.
    function expect(
        string memory act,
        bool due,
        address sender,
        uint256 value,
        bytes memory data
    ) internal returns (bool) {
        vm.deal(sender, sender.balance + value);
        vm.prank(sender);
        (bool went, ) = address(court).call{value: value}(data);
        if (went) ++done[act];
        else if (value != 0) vm.deal(sender, sender.balance - value);
        must(went == due, string.concat(act, went ? " went through and must not" : " was refused and must not be"));
        return went;
    }

    /// @dev Both owners got exactly this of the channel's asset, and this of bonds: nobody more, nobody less.
    function requirePaid(Channel memory channel, uint256[4] memory before, uint256[4] memory due) internal {
        if (channel.asset == address(0)) (due[0], due[1]) = (due[0] + due[2], due[1] + due[3]);
        if (channel.asset == address(0)) (due[2], due[3]) = (due[0], due[1]);
        uint256[4] memory left = wealth(channel);
        for (uint256 i = 0; i < 4; ++i) must(left[i] == before[i] + due[i], "an owner was not paid what is due");
    }

    /// @dev What the owners have and may claim: of the channel's asset, then of ether.
    function wealth(Channel memory channel) internal view returns (uint256[4] memory) {
        (address asset, address a, address b) = (channel.asset, channel.a.owner, channel.b.owner);
        return [worth(asset, a), worth(asset, b), worth(address(0), a), worth(address(0), b)];
    }

    function worth(address asset, address owner) internal view returns (uint256) {
        return (asset == address(0) ? owner.balance : token.balanceOf(owner)) + court.credits(asset, owner);
    }

    function mint(address asset, uint256 amount) internal returns (uint256) {
        amount = (amount % LIMIT) + 1;
        if (asset == address(0)) return amount;
        token.mint(address(this), amount);
        token.approve(address(court), amount);
        return amount;
    }

    function record(Book storage book, SignedState memory state) internal {
        (book.version, book.net) = (state.version, state.net);
        if (!book.closed) book.root = rootOf(state.locks);
    }

    function tally(Lock[] storage locks) internal returns (Sums memory sums) {
        Lock[] memory rest = new Lock[](locks.length);
        uint256 kept;
        for (uint256 i = 0; i < locks.length; ++i) {
            Lock memory lock = locks[i];
            Verdict memory verdict = _verdicts[lock.condition][lock.key];
            (uint256 to, uint256 from) = (side(lock.toB), side(!lock.toB));
            bool inTime = verdict.time != 0 && verdict.time <= lock.expiry;
            uint256 won = inTime ? min(verdict.amount, lock.amount) : 0;
            if (inTime || _time > lock.expiry) {
                sums.won[to] += won;
                sums.back[from] += lock.amount - won;
            } else {
                sums.open[from] += lock.amount;
                rest[kept++] = lock;
            }
        }
        if (kept != 0) sums.rest = keep(rest, kept);
    }

    /// @dev Remembers a list under its root.
    function keep(Lock[] memory locks, uint256 count) internal returns (bytes32 root) {
        bytes memory list;
        for (uint256 i = 0; i < count; ++i) list = bytes.concat(list, pack(locks[i]));
        root = rootOf(list);
        if (_lists[root].length == 0) for (uint256 i = 0; i < count; ++i) _lists[root].push(locks[i]);
    }

    function packed(Lock[] storage locks) internal view returns (bytes memory list) {
        for (uint256 i = 0; i < locks.length; ++i) list = bytes.concat(list, pack(locks[i]));
    }

    function pack(Lock memory lock) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(lock.toB ? 1 : 0), lock.id, lock.amount, lock.expiry, lock.condition, lock.key);
    }

    function rootOf(bytes memory list) internal pure returns (bytes32) {
        return list.length == 0 ? bytes32(0) : keccak256(list);
    }

    /// @dev A state with up to three locks; both have signed it, unless the seed makes it a lie.
    function signed(
        Channel memory channel,
        uint64 version,
        int128 net,
        uint256 seed
    ) internal returns (SignedState memory state, bool good) {
        // Versions grow slowly, so that old, equal and newer ones all occur; now and then a final one.
        state.version = seed % 32 == 31 ? ChannelLib.FINAL : uint64(version % (++_signed / 4 + 2));
        state.net = tame(net);
        state.batch = bytes32(seed);
        state.locks = someLocks(uint256(keccak256(abi.encode(seed, version, net))));
        bytes32 root = rootOf(state.locks);
        (state.sigA, state.sigB) = both(
            ChannelLib.stateHash(court.idOf(channel), state.version, state.net, root, state.batch)
        );
        uint256 lie = seed % 10;
        good = lie < 7 && state.version != ChannelLib.FINAL;
        if (lie == 7) state.net = state.net == 1 ? int128(2) : int128(1);
        if (lie == 8) state.sigB = state.sigA;
        if (lie == 9) state.locks = bytes.concat(state.locks, pack(Lock(true, 9, 9, FOREVER, address(0), 0)));
    }

    function someLocks(uint256 seed) internal returns (bytes memory list) {
        Lock[] memory locks = new Lock[](seed % 4);
        for (uint256 i = 0; i < locks.length; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            uint128 amount = uint128(dice % 16 == 15 ? type(uint128).max : (dice >> 16) % (LIMIT / 4));
            address condition = dice % 3 == 0 ? address(_condition) : address(0);
            uint40 expiry = _time + uint40((dice >> 8) % 3 hours);
            locks[i] = Lock(
                dice & 1 == 0,
                uint64(i),
                amount,
                expiry,
                condition,
                sha256(abi.encode(preimage(dice >> 200)))
            );
            list = bytes.concat(list, pack(locks[i]));
        }
        keep(locks, locks.length);
    }

    /// @dev One of few preimages, so that equal keys are common; of others after a while, because known ones decide at once.
    function preimage(uint256 dice) internal view returns (bytes32) {
        return bytes32(((_signed / 32) << 8) | (dice % 12));
    }

    /// @dev Mostly a net that the funds can bear, else any.
    function tame(int128 net) internal pure returns (int128) {
        return net % 5 == 0 ? net : net % int128(int256(LIMIT));
    }

    function both(bytes32 hash) internal view returns (bytes memory sigA, bytes memory sigB) {
        return (signature(KEY_A, hash), signature(KEY_B, hash));
    }

    function signature(uint256 key, bytes32 hash) internal view returns (bytes memory) {
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", court.domainSeparator(), hash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function callOf(Channel memory channel, SignedState memory state) internal view returns (bytes memory) {
        return abi.encodeCall(court.challenge, (channel, state));
    }

    function twice(bytes memory data) internal pure returns (bytes[] memory calls) {
        calls = new bytes[](2);
        (calls[0], calls[1]) = (data, data);
    }

    function find(uint256 which) internal view returns (Channel memory, Book storage) {
        return (terms(which % CHANNELS), _books[which % CHANNELS]);
    }

    /// @dev Ether and tokens by turns; in the last two side A is owned by a contract; all but the first ask for a bond.
    function terms(uint256 which) internal view returns (Channel memory channel) {
        channel.a = Party(which < 2 ? _alice : address(_receiver), _alice);
        channel.b = Party(_bob, _bob);
        channel.asset = which % 2 == 0 ? address(0) : address(token);
        channel.challengePeriod = 1 hours;
        if (which == 1) channel.bond = 0.1 ether;
        if (which == 2) channel.bond = type(uint96).max;
        if (which == 3) channel.bond = 1;
        channel.salt = bytes32(_books[which].salt);
    }

    function other(address asset) internal view returns (address) {
        return asset == address(0) ? address(token) : address(0);
    }

    function side(bool toB) internal pure returns (uint256) {
        return toB ? 1 : 0;
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }
}

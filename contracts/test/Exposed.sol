// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "../base/Merkle.sol";
import {Signatures} from "../base/Signatures.sol";
import {Channel, ChannelLib} from "../channel/Channel.sol";
import {Lock, LockLib} from "../channel/Lock.sol";
import {Bond, Dispute, Funds, Packing} from "../channel/Record.sol";

/// @notice Opens what is internal, so that tests can hold it against its TypeScript twin.
contract Exposed is Signatures(address(this)) {
    using ChannelLib for Channel;

    function node(bytes32 left, bytes32 right) external pure returns (bytes32) {
        return Merkle.node(left, right);
    }

    function root16(bytes32 leaf, uint256 index, bytes32[16] calldata siblings) external pure returns (bytes32) {
        return Merkle.root16(leaf, index, siblings);
    }

    function recover(bytes32 digest, bytes calldata signature) external view returns (address) {
        return _recover(digest, signature);
    }

    function channelId(Channel calldata channel) external view returns (bytes32) {
        return channel.id(chainIdAtDeployment);
    }

    function stateDigest(
        bytes32 id,
        uint64 version,
        int128 net,
        bytes32 locksRoot,
        bytes32 batch
    ) external view returns (bytes32) {
        return _digest(ChannelLib.stateHash(id, version, net, locksRoot, batch));
    }

    function challengeDigest(bytes32 id, uint64 version, uint40 deadline) external view returns (bytes32) {
        return _digest(ChannelLib.challengeHash(id, version, deadline));
    }

    function period(Channel calldata channel) external pure returns (uint256) {
        return channel.period();
    }

    function payouts(
        int128 fundsA,
        int128 fundsB,
        int256 m,
        uint256 openOfA,
        uint256 openOfB
    ) external pure returns (uint256, uint256, bool) {
        return ChannelLib.payouts(fundsA, fundsB, m, openOfA, openOfB);
    }

    function withdrawalDigest(
        bytes32 id,
        uint128 totalA,
        uint128 totalB,
        uint40 deadline
    ) external view returns (bytes32) {
        return _digest(ChannelLib.withdrawalHash(id, totalA, totalB, deadline));
    }

    function bondDue(Channel calldata channel) external pure returns (uint256) {
        return channel.bondDue();
    }

    function checkedRoot(bytes calldata list) external pure returns (bytes32) {
        return LockLib.checkedRoot(list);
    }

    function readLock(bytes calldata list, uint256 index) external pure returns (Lock memory) {
        (bool toB, uint64 id, uint128 amount, uint40 expiry, address condition, bytes32 key) = LockLib.read(
            list,
            index * LockLib.SIZE
        );
        return Lock(toB, id, amount, expiry, condition, key);
    }

    function packFunds(int128 a, int128 b) external pure returns (uint256, int128, int128, bool) {
        Funds funds = Packing.funds(a, b);
        return (Funds.unwrap(funds), funds.a(), funds.b(), funds.isClosed());
    }

    function addFunds(int128 a, int128 b, bool toB, uint256 amount) external pure returns (int128, int128) {
        Funds funds = Packing.funds(a, b).added(toB, amount);
        return (funds.a(), funds.b());
    }

    function packDispute(
        uint64 version,
        uint40 deadline,
        int128 net,
        bool hasLocks
    ) external pure returns (uint64, uint40, int128, bool) {
        Dispute dispute = Packing.dispute(version, deadline, net, hasLocks);
        return (dispute.version(), dispute.deadline(), dispute.net(), dispute.hasLocks());
    }

    function packBond(uint96 amount, uint64 challenged, bool byB) external pure returns (uint96, uint64, bool) {
        Bond bond = Packing.bond(amount, challenged, byB);
        return (bond.amount(), bond.challenged(), bond.byB());
    }
}

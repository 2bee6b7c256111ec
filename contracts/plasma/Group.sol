// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "../base/Merkle.sol";
import {MerkleRow} from "../base/MerkleRow.sol";
import {Level} from "./Block.sol";
import {Transactions} from "./Transaction.sol";

/// @notice Proof that an output is the member at `index` of a group.
struct Membership {
    uint256 value;
    uint8 index;
    bytes32[] siblings;
}

/// @notice An output that leaves with a group, and what its transaction has beside it: the hash of its inputs, how many
/// outputs there are and which one this is, lastBlock, memo; and the transaction's index in the block.
struct Leaver {
    bytes32 inputs;
    uint8 outputs;
    uint8 output;
    uint256 value;
    uint40 lastBlock;
    bytes32 memo;
    uint16 index;
}

/// @notice Plain outputs of one owner in one asset that leave together, their ids ascending. `others` are the struct
/// hashes of their transactions' other outputs, in the order of the leavers; `order` names the leavers (a byte each) in
/// the order of their transactions in the block.
struct Group {
    address owner;
    address asset;
    Leaver[] leavers;
    bytes32[] others;
    bytes order;
}

/// @notice Proof that the transactions of a group are in the block of a number: as Inclusion, but with only those
/// siblings that the transactions do not make themselves, from the left, level by level from the leaves upwards.
struct GroupInclusion {
    uint40 number;
    uint40 time;
    uint40 asOf;
    bytes32[] siblings;
    bytes32 childrenRoot;
    Level[] levels;
}

/// @notice Hashes of groups: what stands for its members in an exit, and for its transactions in a block.
library Groups {
    uint256 internal constant MOST = 64;

    /// @notice A member's leaf: keccak256(0x09 ‖ id ‖ value).
    function leaf(bytes32 id, uint256 value) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x09)
            mstore(add(free, 1), id)
            mstore(add(free, 33), value)
            hash := keccak256(free, 65)
        }
    }

    /// @notice The group that has this member, if the proof is right.
    function impliedIds(bytes32 id, Membership calldata proof) internal pure returns (bytes32) {
        return Merkle.rootOf(leaf(id, proof.value), proof.index, proof.siblings);
    }

    /// @notice EIP-712 struct hash of a leaver's transaction; `others` begins with the hashes of its other outputs.
    function structHash(
        bytes32 chain,
        Group calldata group,
        Leaver calldata leaver,
        bytes32[] calldata others
    ) internal pure returns (bytes32) {
        bytes32 own = Transactions.outputHash(group.owner, group.asset, leaver.value, 0);
        (uint256 before, uint256 all) = (leaver.output, leaver.outputs);
        bytes32 outputs;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, others.offset, shl(5, before))
            mstore(add(free, shl(5, before)), own)
            let rest := add(shl(5, before), 32)
            calldatacopy(add(free, rest), add(others.offset, shl(5, before)), sub(shl(5, all), rest))
            outputs := keccak256(free, shl(5, all))
        }
        return Transactions.structHash(chain, leaver.inputs, outputs, leaver.lastBlock, leaver.memo);
    }

    /// @notice The root of a block that has a group's transactions, `leaves` in the order of its leavers, where they say.
    function blockRoot(
        Group calldata group,
        bytes32[] memory leaves,
        bytes32[] calldata siblings
    ) internal pure returns (bytes32) {
        uint256 count_ = leaves.length;
        bytes calldata order = group.order;
        require(order.length == count_, Merkle.WrongSiblings(order.length));
        (uint256 row, uint256 seen) = (MerkleRow.roomFor(count_), 0);
        uint256 end = row;
        for (uint256 i = 0; i < count_; ++i) {
            uint256 one = uint8(order[i]);
            require(one < count_, Merkle.WrongSiblings(one));
            seen |= 1 << one;
            end = MerkleRow.append(row, end, group.leavers[one].index, leaves[one]);
        }
        require(seen == (1 << count_) - 1, Merkle.WrongSiblings(seen));
        return MerkleRow.rootOfRow(row, end, 16, siblings);
    }
}

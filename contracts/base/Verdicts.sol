// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Asset} from "./Asset.sol";
import {Guard} from "./Guard.sol";
import {ICondition} from "./ICondition.sol";

/// @notice A decision: when (seconds, 0 = none yet), and how much goes to the receiver.
struct Verdict {
    uint40 time;
    uint128 amount;
}

/// @notice What layer 1 has decided, once and for ever, about hashes and conditions. One registry for every channel
/// lock and every Plasma output on the same hash: condition zero is the hash lock, its key the sha256 of a preimage.
abstract contract Verdicts is Guard {
    /// @notice `preimage` is public from now on; it decides the hash lock keyed by its sha256.
    event Revealed(bytes32 preimage);
    /// @notice A condition's outcome is final: locks on this key pay their receiver `amount`, at most their own.
    event Judged(address indexed condition, bytes32 indexed key, uint128 amount);

    /// @notice Condition zero is the hash lock: reveal its preimage instead.
    error NoCondition();
    /// @notice This key has its verdict; it never changes.
    error AlreadyJudged(address condition, bytes32 key);
    /// @notice The condition did not answer in 64 well-formed bytes, or says that its outcome may still change.
    error NotFinal(address condition, bytes32 key);

    uint256 private constant CONDITION_GAS = 500_000;

    mapping(address condition => mapping(bytes32 key => Verdict)) internal _verdicts;

    /// @notice The verdict on a key: its time (0 = none yet) and the amount that goes to the receiver; of a preimage
    /// 2^128 - 1, which is all of any lock.
    function verdict(address condition, bytes32 key) external view returns (uint40 time, uint128 amount) {
        Verdict storage v = _verdicts[condition][key];
        return (v.time, v.amount);
    }

    /// @notice Publishes 32-byte preimages. Anybody may, at any time, from anywhere; the first time of each stays for
    /// ever, a repetition is silently passed over so that one known preimage does not spoil a batch.
    function reveal(bytes32[] calldata preimages) external {
        mapping(bytes32 => Verdict) storage hashLocks = _verdicts[address(0)];
        for (uint256 i = 0; i < preimages.length; ++i) {
            bytes32 preimage = preimages[i];
            Verdict storage v = hashLocks[_sha256(preimage)];
            if (v.time != 0) continue;
            _decide(v, type(uint128).max);
            emit Revealed(preimage);
        }
    }

    /// @notice Writes a condition's final outcome. Anybody may; once.
    /// @dev Errors: NoCondition, AlreadyJudged, NotFinal, GasShort.
    function judge(address condition, bytes32 key) external unlocked {
        require(condition != address(0), NoCondition());
        Verdict storage v = _verdicts[condition][key];
        require(v.time == 0, AlreadyJudged(condition, key));
        (bool isFinal, uint128 amount) = _ask(condition, key);
        require(isFinal, NotFinal(condition, key));
        _decide(v, amount);
        emit Judged(condition, key, amount);
    }

    /// @dev Writes a verdict of now in one go: both fields are one word, the time lowest.
    function _decide(Verdict storage v, uint128 amount) private {
        uint40 time = uint40(block.timestamp);
        assembly ("memory-safe") {
            sstore(v.slot, or(shl(40, amount), time))
        }
    }

    /// @dev sha256 of one word, without leaving scratch memory.
    function _sha256(bytes32 word) private view returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, word)
            pop(staticcall(gas(), 2, 0, 32, 0, 32))
            hash := mload(0)
        }
    }

    /// @dev Asks with all of the promised gas, so that nobody can make an honest condition fail by sending less.
    function _ask(address condition, bytes32 key) private view returns (bool isFinal, uint128 amount) {
        bytes memory question = abi.encodeCall(ICondition.outcome, (key));
        uint256 need = CONDITION_GAS + CONDITION_GAS / 32;
        require(gasleft() >= need, Asset.GasShort(gasleft(), need));
        uint256 word;
        assembly ("memory-safe") {
            let done := staticcall(CONDITION_GAS, condition, add(question, 32), mload(question), 0, 64)
            word := mload(0)
            isFinal := and(and(done, eq(returndatasize(), 64)), eq(mload(32), 1))
            isFinal := and(isFinal, iszero(shr(128, word)))
        }
        amount = uint128(word);
    }
}

/// @notice The registry alone, for a deployment of the root chain without channels.
contract VerdictRegistry is Verdicts {}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What layer 1 has decided, once and for ever, about hashes and conditions. One registry for every channel
/// lock and every Plasma output on the same hash.
abstract contract Verdicts {
    /// @notice `preimage` is public from now on; it decides the hash lock keyed by its sha256.
    event Revealed(bytes32 preimage);

    struct Verdict {
        uint40 time;
        uint128 amount;
    }

    mapping(address condition => mapping(bytes32 key => Verdict)) private _verdicts;

    /// @notice The verdict on a key: its time (0 = none yet) and the amount that goes to the receiver. Condition zero
    /// is the hash lock: key = sha256(preimage), amount = 2^128 - 1.
    function verdict(address condition, bytes32 key) external view returns (uint40 time, uint128 amount) {
        Verdict storage v = _verdicts[condition][key];
        return (v.time, v.amount);
    }

    /// @notice Publishes 32-byte preimages. Anybody may; the first time of each stays for ever, a repetition is
    /// silently passed over so that one known preimage does not spoil a batch.
    function reveal(bytes32[] calldata preimages) external {
        for (uint256 i = 0; i < preimages.length; ++i) {
            Verdict storage v = _verdicts[address(0)][sha256(abi.encodePacked(preimages[i]))];
            if (v.time != 0) continue;
            (v.time, v.amount) = (uint40(block.timestamp), type(uint128).max);
            emit Revealed(preimages[i]);
        }
    }
}

/// @notice The registry alone, for a deployment of the root chain without channels.
contract VerdictRegistry is Verdicts {}

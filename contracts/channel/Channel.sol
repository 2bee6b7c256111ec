// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One side of a channel: `owner` is paid and may be a contract; `signer` is a key and signs.
struct Party {
    address owner;
    address signer;
}

/// @notice The terms of a channel: immutable, passed with every call, never stored. Asset zero is ether.
/// @dev The period is seconds, clamped into [1 minute, 60 days] when used; the bond is wei.
struct Channel {
    Party a;
    Party b;
    address asset;
    uint32 challengePeriod;
    uint96 bond;
    bytes32 salt;
}

/// @notice A state as it travels to the court. Version 0 means "no state", and then nothing else of it is read.
/// @dev `net` is what A owes B so far, negative if B owes A. `locks` is the packed list behind the signed locksRoot.
/// A signature is empty where the sender is that side's signer.
struct SignedState {
    uint64 version;
    int128 net;
    bytes32 batch;
    bytes locks;
    bytes sigA;
    bytes sigB;
}

/// @notice Ids, hashes and arithmetic of channels; the twin of Channel.ts.
library ChannelLib {
    /// @notice A state of this version is paid at once by `conclude` and refused by every other verb.
    uint64 internal constant FINAL = type(uint64).max;

    bytes32 internal constant STATE_TYPE = keccak256(
        "State(bytes32 channelId,uint64 version,int128 net,bytes32 locksRoot,bytes32 batch)"
    );
    bytes32 internal constant CHALLENGE_TYPE = keccak256("Challenge(bytes32 channelId,uint64 version,uint40 deadline)");

    bytes32 internal constant WITHDRAWAL_TYPE = keccak256(
        "Withdrawal(bytes32 channelId,uint128 totalA,uint128 totalB,uint40 deadline)"
    );

    /// @notice keccak256(abi.encode(chainId, court, channel)).
    /// @dev Copied as it stands: terms with dirty bits would hash to an id that nobody else computes, and reading such
    /// a field reverts.
    function id(Channel calldata channel, uint256 chainId) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, chainId)
            mstore(add(free, 32), address())
            calldatacopy(add(free, 64), channel, 256)
            hash := keccak256(free, 320)
        }
    }

    /// @notice Struct hash of State(channelId, version, net, locksRoot, batch).
    function stateHash(
        bytes32 channelId,
        uint64 version,
        int128 net,
        bytes32 locksRoot,
        bytes32 batch
    ) internal pure returns (bytes32 hash) {
        (bytes32 stateType, uint256 versionWord, int256 netWord) = (STATE_TYPE, version, net);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, stateType)
            mstore(add(free, 32), channelId)
            mstore(add(free, 64), versionWord)
            mstore(add(free, 96), netWord)
            mstore(add(free, 128), locksRoot)
            mstore(add(free, 160), batch)
            hash := keccak256(free, 192)
        }
    }

    /// @notice Struct hash of Challenge(channelId, version, deadline).
    function challengeHash(bytes32 channelId, uint64 version, uint40 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(CHALLENGE_TYPE, channelId, version, deadline));
    }

    /// @notice Struct hash of Withdrawal(channelId, totalA, totalB, deadline).
    function withdrawalHash(
        bytes32 channelId,
        uint128 totalA,
        uint128 totalB,
        uint40 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(WITHDRAWAL_TYPE, channelId, totalA, totalB, deadline));
    }

    /// @notice Wei that a challenger posts: the terms' bond, at most one ether, so that no terms can block an exit.
    function bondDue(Channel calldata channel) internal pure returns (uint256 due) {
        due = channel.bond;
        if (due > 1 ether) return 1 ether;
    }

    /// @notice Seconds from challenge to settlement: the terms' period, clamped so that no terms can block an exit.
    function period(Channel calldata channel) internal pure returns (uint256 time) {
        time = channel.challengePeriod;
        if (time < 1 minutes) return 1 minutes;
        if (time > 60 days) return 60 days;
    }

    /// @notice The deadline of a clock that starts now.
    function clock(Channel calldata channel) internal view returns (uint40) {
        unchecked {
            return uint40(block.timestamp + period(channel));
        }
    }

    /// @notice What each side is paid: exact, never negative; with what stays under open locks the sum is the funds.
    /// @dev `m` is the net after decided locks; open locks are void if they are together more than the funds.
    function payouts(
        int256 fundsA,
        int256 fundsB,
        int256 m,
        uint256 openOfA,
        uint256 openOfB
    ) internal pure returns (uint256 payA, uint256 payB, bool voids) {
        unchecked {
            int256 total = fundsA + fundsB;
            voids = int256(openOfA + openOfB) > total;
            if (voids) (openOfA, openOfB) = (0, 0);
            int256 rest = total - int256(openOfA + openOfB);
            int256 share = fundsA - m - int256(openOfA);
            if (share < 0) share = 0;
            if (share > rest) share = rest;
            return (uint256(share), uint256(rest - share), voids);
        }
    }
}

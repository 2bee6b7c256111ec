// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What layer 1 keeps of a running exit, from the highest byte down: the positions piggybacked, the positions
/// blocked, the queues that are done (a bit per asset, in the order of `spent`), flags; then the low 216 bits of
/// keccak256(0x08 ‖ abi.encode(exit)).
type InFlightState is uint256;

using {
    InFlightStates.piggybacked,
    InFlightStates.blocked,
    InFlightStates.done,
    InFlightStates.isDecided,
    InFlightStates.isCanonical,
    InFlightStates.isDoubted,
    InFlightStates.with
} for InFlightState global;

/// @notice Packs and unpacks the state of a running in-flight exit.
library InFlightStates {
    uint256 internal constant CANONICAL = 1 << 224;
    uint256 internal constant NOT_CANONICAL = 2 << 224;
    uint256 internal constant DOUBTED = 4 << 224;
    uint256 private constant DECIDED = CANONICAL | NOT_CANONICAL;
    uint256 private constant PIGGYBACKED = 248;
    uint256 private constant BLOCKED = 240;
    uint256 private constant DONE = 232;

    /// @notice Positions that somebody wants: bits 0 to 3 inputs, 4 to 7 outputs.
    function piggybacked(InFlightState self) internal pure returns (uint256) {
        return InFlightState.unwrap(self) >> PIGGYBACKED;
    }

    /// @notice Positions that were shown to be spent by another transaction.
    function blocked(InFlightState self) internal pure returns (uint256) {
        return (InFlightState.unwrap(self) >> BLOCKED) & 255;
    }

    /// @notice Assets whose queue has processed the exit.
    function done(InFlightState self) internal pure returns (uint256) {
        return (InFlightState.unwrap(self) >> DONE) & 255;
    }

    /// @notice Whether the first queue has fixed the outcome.
    function isDecided(InFlightState self) internal pure returns (bool) {
        return InFlightState.unwrap(self) & DECIDED != 0;
    }

    /// @notice Whether the outcome is that outputs are paid.
    function isCanonical(InFlightState self) internal pure returns (bool) {
        return InFlightState.unwrap(self) & CANONICAL != 0;
    }

    /// @notice Whether a competitor was shown.
    function isDoubted(InFlightState self) internal pure returns (bool) {
        return InFlightState.unwrap(self) & DOUBTED != 0;
    }

    /// @notice The same with more bits set.
    function with(InFlightState self, uint256 bits) internal pure returns (InFlightState) {
        return InFlightState.wrap(InFlightState.unwrap(self) | bits);
    }

    /// @notice The bits that say: piggybacked.
    function wanting(uint256 positions) internal pure returns (uint256) {
        return positions << PIGGYBACKED;
    }

    /// @notice The bits that say: blocked.
    function blocking(uint256 positions) internal pure returns (uint256) {
        return positions << BLOCKED;
    }

    /// @notice The bit that says: this asset's queue is done.
    function doing(uint256 asset) internal pure returns (uint256) {
        return 1 << (DONE + asset);
    }
}

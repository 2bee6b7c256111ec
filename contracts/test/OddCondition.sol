// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A condition that answers in one chosen way: for tests only.
contract OddCondition {
    enum Manner {
        Final,
        Open,
        Reverts,
        BurnsGas,
        Short,
        Long,
        DirtyBool,
        HugeAmount,
        NeedsGas,
        GivesUp
    }

    Manner public manner;
    uint256 public amount;

    function behave(Manner manner_, uint256 amount_) external {
        (manner, amount) = (manner_, amount_);
    }

    function outcome(bytes32) external view returns (uint256, uint256) {
        Manner m = manner;
        uint256 word = amount;
        if (m == Manner.Reverts) revert("this condition says nothing");
        if (m == Manner.BurnsGas) while (true) {}
        if (m == Manner.NeedsGas) while (gasleft() > 60_000) {}
        // It asks somebody who insists on gas, and takes a refusal for a final nothing.
        if (m == Manner.GivesUp && gasleft() < 300_000) word = 0;
        if (m == Manner.HugeAmount) word = 1 << 128;
        uint256 size =
            m == Manner.Short
                ? 32
                : m == Manner.Long
                    ? 96
                    : 64;
        uint256 flag =
            m == Manner.Open
                ? 0
                : m == Manner.DirtyBool
                    ? 2
                    : 1;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, word)
            mstore(add(free, 32), flag)
            mstore(add(free, 64), not(0))
            return(free, size)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A contract that owns a side of a channel or an output and receives ether in one chosen manner: for tests only.
contract Receiver {
    enum Manner {
        Accepts,
        Reverts,
        BurnsGas,
        Reenters,
        ReturnBomb
    }

    Manner public manner;
    address public victim;
    bytes public payload;
    bool public reentered;

    /// @notice From now on receives like this; `Reenters` calls `payload` on `victim` at every receipt.
    function behave(Manner manner_, address target_, bytes calldata payload_) external {
        (manner, victim, payload, reentered) = (manner_, target_, payload_, false);
    }

    /// @notice Calls on behalf of this contract, so that a contract can be a sender; passes a refusal on.
    function act(address to, bytes calldata data) external payable returns (bytes memory) {
        (bool done, bytes memory result) = to.call{value: msg.value}(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }

    receive() external payable {
        if (manner == Manner.Reverts) revert("this receiver says no");
        if (manner == Manner.BurnsGas) while (true) {}
        if (manner == Manner.Reenters) {
            (bool done, ) = victim.call(payload);
            if (done) reentered = true;
        }
        if (manner == Manner.ReturnBomb) {
            assembly ("memory-safe") {
                return(0, 20000)
            }
        }
    }
}

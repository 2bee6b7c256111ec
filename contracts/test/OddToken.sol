// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A token that misbehaves in one chosen way: for tests only.
contract OddToken {
    /// @dev How `transfer` and `transferFrom` answer and what they do besides.
    enum Manner {
        Honest,
        TakesFee,
        ReturnsFalse,
        ReturnsNothing,
        Returns64Bytes,
        ReturnsTwo,
        Reverts,
        BurnsGas,
        ReturnBomb,
        Reenters,
        PaysTwice,
        KeepsBack,
        Returns31Bytes,
        ReturnsDirtyBool
    }

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    Manner public manner;
    address public victim;
    bytes public payload;
    bool public reentered;
    /// @notice The selector of the error that refused the last attempt to re-enter.
    bytes4 public refusal;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    /// @notice From now on misbehaves like this; `Reenters` calls `payload` on `victim` in every transfer, `KeepsBack` does
    /// so instead of one transfer and is honest from then on.
    function behave(Manner manner_, address target_, bytes calldata payload_) external {
        (manner, victim, payload, reentered) = (manner_, target_, payload_, false);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return _answer();
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return _answer();
    }

    /// @notice ERC-2612's verb, believing every signature.
    function permit(address owner, address spender, uint256 amount, uint256, uint8, bytes32, bytes32) external {
        if (manner == Manner.Reenters) _reenter();
        allowance[owner][spender] = amount;
    }

    /// @notice ERC-3009's verb, believing every signature.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 amount,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external returns (bool) {
        _move(from, to, amount);
        return _answer();
    }

    function _move(address from, address to, uint256 amount) private {
        if (manner == Manner.Reverts) revert("the token says no");
        if (manner == Manner.BurnsGas) while (true) {}
        if (manner == Manner.ReturnsFalse) return;
        if (manner == Manner.Reenters) _reenter();
        if (manner == Manner.KeepsBack) {
            manner = Manner.Honest;
            return _reenter();
        }
        balanceOf[from] -= amount;
        balanceOf[to] +=
            manner == Manner.TakesFee
                ? amount - 1
                : manner == Manner.PaysTwice
                    ? 2 * amount
                    : amount;
    }

    function _reenter() private {
        bytes memory answer;
        (reentered, answer) = victim.call(payload);
        refusal = bytes4(answer);
    }

    function _answer() private view returns (bool) {
        Manner m = manner;
        if (m == Manner.ReturnsFalse) return false;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 1)
            if eq(m, 3) {
                return(free, 0)
            }
            if eq(m, 4) {
                return(free, 64)
            }
            if eq(m, 5) {
                mstore(free, 2)
                return(free, 32)
            }
            if eq(m, 8) {
                return(free, 100000)
            }
            if eq(m, 12) {
                return(free, 31)
            }
            if eq(m, 13) {
                mstore(free, or(shl(255, 1), 1))
                return(free, 32)
            }
        }
        return true;
    }
}

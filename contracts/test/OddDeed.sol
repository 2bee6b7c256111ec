// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice An ERC-721, or not, that misbehaves in one chosen way: for tests only. It also answers to an ERC-20's words.
contract OddDeed {
    /// @dev What it says of itself by ERC-165.
    enum Claim {
        Unique,
        Fungible,
        Everything,
        Nothing,
        BurnsGas
    }
    /// @dev What its transfers do.
    enum Manner {
        Honest,
        DoesNothing,
        Reverts,
        BurnsGas,
        Reenters,
        ReturnBomb
    }

    mapping(uint256 id => address) public ownerOf;
    mapping(address owner => uint256) public balanceOf;
    Claim public claim;
    Manner public manner;
    address public victim;
    bytes public payload;
    /// @notice The selector of the error that refused the last attempt to re-enter; all ones if none did.
    bytes4 public refusal;

    function mint(address to, uint256 id) external {
        ownerOf[id] = to;
        ++balanceOf[to];
    }

    /// @notice From now on it says this of itself.
    function say(Claim claim_) external {
        claim = claim_;
    }

    /// @notice From now on its transfers do this; `Reenters` calls `payload` on `victim` in every one.
    function behave(Manner manner_, address victim_, bytes calldata payload_) external {
        (manner, victim, payload) = (manner_, victim_, payload_);
    }

    function supportsInterface(bytes4 id) external view returns (bool) {
        Claim said = claim;
        if (said == Claim.BurnsGas) while (true) {}
        require(said != Claim.Nothing);
        if (said == Claim.Everything) return true;
        return id == 0x01ffc9a7 || (id == 0x80ac58cd && said == Claim.Unique);
    }

    function transfer(address to, uint256 id) external returns (bool) {
        _move(msg.sender, to, id);
        return true;
    }

    function transferFrom(address from, address to, uint256 id) external returns (bool) {
        _move(from, to, id);
        return true;
    }

    function _move(address from, address to, uint256 id) private {
        Manner m = manner;
        if (m == Manner.DoesNothing) return;
        if (m == Manner.Reverts) revert("the deed says no");
        if (m == Manner.BurnsGas) while (true) {}
        if (m == Manner.Reenters) {
            (bool done, bytes memory answer) = victim.call(payload);
            refusal = done ? bytes4(0xffffffff) : bytes4(answer);
        }
        require(ownerOf[id] == from);
        (ownerOf[id], balanceOf[from], balanceOf[to]) = (to, balanceOf[from] - 1, balanceOf[to] + 1);
        if (m == Manner.ReturnBomb) {
            assembly ("memory-safe") {
                return(0, 100000)
            }
        }
    }
}

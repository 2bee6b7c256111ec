// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A token whose issuer may block holders, stop every transfer, and change all balances by a factor, as issuers
/// of widely used ones can; here anybody is the issuer. For tests only.
contract IssuedToken {
    error Blocked(address holder);
    error Paused();

    mapping(address holder => mapping(address spender => uint256)) public allowance;
    mapping(address holder => bool) public isBlocked;
    bool public isPaused;
    /// @notice Millionths that a share is worth.
    uint256 public factor = 1e6;
    mapping(address holder => uint256) private _shares;

    function mint(address to, uint256 amount) external {
        _shares[to] += (amount * 1e6) / factor;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function ban(address holder, bool isBlocked_) external {
        isBlocked[holder] = isBlocked_;
    }

    function pause(bool isPaused_) external {
        isPaused = isPaused_;
    }

    /// @notice From now on every share is worth so many millionths.
    function rebase(uint256 factor_) external {
        factor = factor_;
    }

    function balanceOf(address holder) external view returns (uint256) {
        return (_shares[holder] * factor) / 1e6;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        require(!isBlocked[msg.sender], Blocked(msg.sender));
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        require(!isPaused, Paused());
        require(!isBlocked[from], Blocked(from));
        require(!isBlocked[to], Blocked(to));
        uint256 shares = (amount * 1e6) / factor;
        _shares[from] -= shares;
        _shares[to] += shares;
        return true;
    }
}

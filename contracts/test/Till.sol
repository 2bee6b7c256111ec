// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A court just big enough to show every kind of field that the chain edge must carry. Never deployed.
contract Till {
    struct Note {
        uint40 number;
        int128 delta;
        bytes memo;
        bytes32[] tags;
    }

    event Paid(address indexed owner, uint256 amount, Note[] notes);
    event Drawn(address indexed owner, uint128 amount, bool all);

    /// @notice The block's time is `have`, the caller wanted it no earlier than `need`.
    error Early(uint40 have, uint40 need);
    /// @notice `owner` has `have` wei where it wanted `need`.
    error Short(address owner, uint256 have, uint256 need);
    error WrongValue(uint256 have, uint256 need);

    mapping(address owner => uint256) public balances;

    function pay(address owner, Note[] calldata notes, uint256 amount) external payable {
        require(msg.value == amount, WrongValue(msg.value, amount));
        balances[owner] += amount;
        emit Paid(owner, amount, notes);
    }

    function draw(uint128 amount, uint40 notBefore) external {
        uint256 have = balances[msg.sender];
        require(block.timestamp >= notBefore, Early(uint40(block.timestamp), notBefore));
        require(have >= amount, Short(msg.sender, have, amount));
        balances[msg.sender] = have - amount;
        emit Drawn(msg.sender, amount, have == amount);
        (bool paid, ) = msg.sender.call{value: amount}("");
        assert(paid);
    }
}

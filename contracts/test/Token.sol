// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A plain ERC-20 that anybody may mint: for tests, benches and the demo, worth nothing.
contract Token is ERC20("Kerros test token", "KTT") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

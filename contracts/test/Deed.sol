// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @notice A plain ERC-721 that anybody may mint: for tests only, worth nothing.
contract Deed is ERC721("Kerros test deed", "KTD") {
    function mint(address to, uint256 id) external {
        _mint(to, id);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdicts} from "../base/Verdicts.sol";
import {InFlightExits} from "./InFlightExits.sol";
import {Payouts} from "./Payouts.sol";
import {Terms, Vaults} from "./Vaults.sol";

/// @title The code that does not fit into the RootChain
/// @dev Made by a RootChain for itself, and run on its storage and in its name. Called by itself it knows no chain, no
/// exit and no money, and refuses everything.
contract RootChainCode is InFlightExits, Payouts {
    constructor(
        Verdicts verdicts,
        uint40 mfp,
        uint256 bondGas,
        uint256 feeFloor,
        uint256 feeCeiling
    ) Vaults(Terms(verdicts, mfp, bondGas, feeFloor, feeCeiling), msg.sender) {}
}

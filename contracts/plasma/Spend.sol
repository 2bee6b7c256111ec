// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Inclusion} from "./Block.sol";
import {Transaction} from "./Transaction.sol";

/// @notice A transaction that spends an output, with what makes it count: its payee authorised it, and it is live (no
/// inclusion needed: its lastBlock is still ahead) or shown (one inclusion, at or before its lastBlock).
/// `input` says which of its inputs is the output. `authorisation` is the payee's signature, empty if the payee
/// approved the transaction on layer 1; for an output whose lock is undecided two compact signatures one after the
/// other, owner's then refund's, with zeros in place of one that approved.
struct Spend {
    Transaction tx;
    uint8 input;
    bytes authorisation;
    Inclusion[] inclusion;
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A chain of the tree; nothing of it ever changes. Parent zero = root level, where `slot` only tells apart.
struct Chain {
    bytes32 parent;
    uint8 slot;
    address operator;
}

/// @notice Value under an owner: an amount in the asset's smallest unit, or a token id. Lock zero = plain.
struct Output {
    address owner;
    address asset;
    uint256 value;
    bytes32 lock;
}

/// @notice A payment on one chain, good in blocks up to number `lastBlock`. Inputs are ids of outputs and deposits.
struct Transaction {
    bytes32 chain;
    bytes32[] inputs;
    Output[] outputs;
    uint40 lastBlock;
    bytes32 memo;
}

/// @notice What a deposit is made of; its output is plain and has the deposit's id.
struct Deposit {
    bytes32 chain;
    address sender;
    bytes32 salt;
    address owner;
    address asset;
    uint256 value;
}

/// @notice Names of chains, transactions, outputs and deposits. Everything is hashed where it lies in the calldata.
library Transactions {
    bytes32 private constant OUTPUT_TYPE = keccak256("Output(address owner,address asset,uint256 value,bytes32 lock)");
    bytes32 private constant TRANSACTION_TYPE = keccak256(
        "Transaction(bytes32 chain,bytes32[] inputs,Output[] outputs,uint40 lastBlock,bytes32 memo)"
        "Output(address owner,address asset,uint256 value,bytes32 lock)"
    );
    bytes32 private constant REGISTRATION_TYPE = keccak256("Registration(bytes32 parent,uint8 slot,address operator)");

    /// @notice A chain's id: keccak256(abi.encode(chain)).
    function chainId(Chain calldata chain) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, chain, 96)
            id := keccak256(free, 96)
        }
    }

    /// @notice EIP-712 struct hash of what an operator signs to have its chain registered by somebody else.
    function registrationHash(Chain calldata chain) internal pure returns (bytes32) {
        return keccak256(abi.encode(REGISTRATION_TYPE, chain.parent, chain.slot, chain.operator));
    }

    /// @notice EIP-712 struct hash of a transaction; its digest under the court's domain is the txHash.
    function structHash(Transaction calldata transaction) internal pure returns (bytes32) {
        bytes32 inputs = _hashInputs(transaction.inputs);
        bytes32 outputs = _hashOutputs(transaction.outputs);
        return
            keccak256(
                abi.encode(
                    TRANSACTION_TYPE,
                    transaction.chain,
                    inputs,
                    outputs,
                    transaction.lastBlock,
                    transaction.memo
                )
            );
    }

    /// @notice The id of a transaction's output: keccak256(0x04 ‖ txHash ‖ uint8 index).
    function outputId(bytes32 txHash, uint8 index) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x04)
            mstore(add(free, 1), txHash)
            mstore8(add(free, 33), index)
            id := keccak256(free, 34)
        }
    }

    /// @notice The id of a deposit's output: keccak256(0x05 ‖ abi.encode(deposit)).
    function depositId(Deposit calldata deposit) internal pure returns (bytes32) {
        (bytes32 chain, address sender, bytes32 salt) = (deposit.chain, deposit.sender, deposit.salt);
        return depositId(chain, sender, salt, deposit.owner, deposit.asset, deposit.value);
    }

    /// @notice The same id, of the fields in their order.
    function depositId(
        bytes32 chain,
        address sender,
        bytes32 salt,
        address owner,
        address asset,
        uint256 value
    ) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x05)
            mstore(add(free, 1), chain)
            mstore(add(free, 33), shr(96, shl(96, sender)))
            mstore(add(free, 65), salt)
            mstore(add(free, 97), shr(96, shl(96, owner)))
            mstore(add(free, 129), shr(96, shl(96, asset)))
            mstore(add(free, 161), value)
            id := keccak256(free, 193)
        }
    }

    function _hashInputs(bytes32[] calldata inputs) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, inputs.offset, mul(inputs.length, 32))
            hash := keccak256(free, mul(inputs.length, 32))
        }
    }

    /// @dev An address with bits above its 160 reverts, like any other malformed calldata.
    function _hashOutputs(Output[] calldata outputs) private pure returns (bytes32 hash) {
        bytes32 outputType = OUTPUT_TYPE;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let hashes := add(free, 160)
            let end := hashes
            let dirty := 0
            mstore(free, outputType)
            for {
                let at := outputs.offset
            } lt(at, add(outputs.offset, mul(outputs.length, 128))) {
                at := add(at, 128)
            } {
                calldatacopy(add(free, 32), at, 128)
                dirty := or(dirty, or(calldataload(at), calldataload(add(at, 32))))
                mstore(end, keccak256(free, 160))
                end := add(end, 32)
            }
            if shr(160, dirty) {
                revert(0, 0)
            }
            hash := keccak256(hashes, sub(end, hashes))
        }
    }
}

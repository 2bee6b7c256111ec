// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

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

/// @notice Names of transactions and outputs. Everything is hashed where it lies in the calldata.
library Transactions {
    bytes32 private constant OUTPUT_TYPE = keccak256("Output(address owner,address asset,uint256 value,bytes32 lock)");
    bytes32 private constant TRANSACTION_TYPE = keccak256(
        "Transaction(bytes32 chain,bytes32[] inputs,Output[] outputs,uint40 lastBlock,bytes32 memo)"
        "Output(address owner,address asset,uint256 value,bytes32 lock)"
    );

    /// @notice EIP-712 struct hash of a transaction; its digest under the court's domain is the txHash.
    function structHash(Transaction calldata transaction) internal pure returns (bytes32) {
        return structHash(transaction, transaction.inputs, transaction.outputs);
    }

    /// @notice The same of a transaction whose inputs and outputs are at hand.
    function structHash(
        Transaction calldata self,
        bytes32[] calldata inputs,
        Output[] calldata outputs
    ) internal pure returns (bytes32) {
        return structHash(self.chain, _hashInputs(inputs), _hashOutputs(outputs), self.lastBlock, self.memo);
    }

    /// @notice The same, of the hashes of its inputs and outputs.
    function structHash(
        bytes32 chain,
        bytes32 inputs,
        bytes32 outputs,
        uint40 lastBlock,
        bytes32 memo
    ) internal pure returns (bytes32 hash) {
        bytes32 typeHash = TRANSACTION_TYPE;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            mstore(add(free, 32), chain)
            mstore(add(free, 64), inputs)
            mstore(add(free, 96), outputs)
            mstore(add(free, 128), shr(216, shl(216, lastBlock)))
            mstore(add(free, 160), memo)
            hash := keccak256(free, 192)
        }
    }

    /// @notice EIP-712 struct hash of an output.
    function outputHash(
        address owner,
        address asset,
        uint256 value,
        bytes32 lock
    ) internal pure returns (bytes32 hash) {
        bytes32 typeHash = OUTPUT_TYPE;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            mstore(add(free, 32), shr(96, shl(96, owner)))
            mstore(add(free, 64), shr(96, shl(96, asset)))
            mstore(add(free, 96), value)
            mstore(add(free, 128), lock)
            hash := keccak256(free, 160)
        }
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

    function _hashInputs(bytes32[] calldata inputs) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, inputs.length)
            calldatacopy(free, inputs.offset, size)
            hash := keccak256(free, size)
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
            let at := outputs.offset
            let last := add(at, shl(7, outputs.length))
            mstore(free, outputType)
            for {} lt(at, last) {
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

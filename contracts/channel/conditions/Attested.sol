// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICondition} from "../../base/ICondition.sol";
import {Signatures} from "../../base/Signatures.sol";

/// @title A sample condition: a named key attests how much a question pays
/// @notice The lock's key is keccak256(abi.encode(attester, question)). Whoever takes such a lock trusts the attester
/// to sign once; the first attestation shown is final, another one is refused.
contract Attested is ICondition, Signatures(address(this)) {
    /// @notice `attester` has said what `question` pays; the lock's key is `key`.
    event AttestedTo(bytes32 indexed key, address attester, bytes32 question, uint128 toReceiver);

    /// @notice The attester has answered this question before.
    error AlreadyAttested(bytes32 key);

    struct Answer {
        uint128 toReceiver;
        bool given;
    }

    bytes32 private constant ATTESTATION_TYPE = keccak256("Attestation(bytes32 question,uint128 toReceiver)");

    mapping(bytes32 key => Answer) private _answers;

    /// @notice Shows what `attester` signed: Attestation(question, toReceiver) under this contract's domain. Anybody
    /// may; an empty signature means that the attester itself sends. Errors: WrongSigner, AlreadyAttested.
    function attest(address attester, bytes32 question, uint128 toReceiver, bytes calldata signature) external {
        bytes32 key = keyOf(attester, question);
        _requireSigned(_digest(keccak256(abi.encode(ATTESTATION_TYPE, question, toReceiver))), signature, attester);
        require(!_answers[key].given, AlreadyAttested(key));
        _answers[key] = Answer(toReceiver, true);
        emit AttestedTo(key, attester, question, toReceiver);
    }

    /// @inheritdoc ICondition
    function outcome(bytes32 key) external view returns (uint128 toReceiver, bool isFinal) {
        Answer storage answer = _answers[key];
        return (answer.toReceiver, answer.given);
    }

    /// @notice The key of a lock on a question to an attester.
    function keyOf(address attester, bytes32 question) public pure returns (bytes32) {
        return keccak256(abi.encode(attester, question));
    }
}

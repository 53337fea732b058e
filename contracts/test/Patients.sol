// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {PublicKey} from "../src/Assertions.sol";
import {Subjects} from "../src/Subjects.sol";
import {Passkeys} from "./Passkeys.sol";

/// @dev A patient's devices: they know the contracts' EIP-712 types by themselves, and sign changes of a subject. Keys are
/// private ones.
abstract contract Patients is Passkeys {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    function digest(address verifier, string memory name, bytes memory structure) internal view returns (bytes32) {
        return digest(verifier, name, structure, block.chainid);
    }

    function digest(address verifier, string memory name, bytes memory structure, uint256 chainId)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256("1"), chainId, verifier));
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(structure)));
    }

    function addKeyHash(Subjects subjects, bytes32 subject, uint256 key, uint64 sequence)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256("AddKey(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)");
        return _digest(subjects, abi.encode(typehash, subject, passkey(key), sequence));
    }

    function addKey(Subjects subjects, bytes32 subject, uint256 key, uint256 by) internal {
        uint64 sequence = sequenceOf(subjects, subject);
        WebAuthn.WebAuthnAuth memory auth = assertion(by, addKeyHash(subjects, subject, key, sequence));
        subjects.addKey(subject, passkey(key), sequence, idOf(by), auth);
    }

    function removeKeyHash(Subjects subjects, bytes32 subject, uint256 key, uint64 sequence)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256("RemoveKey(bytes32 subject,bytes32 key,uint64 sequence)");
        return _digest(subjects, abi.encode(typehash, subject, idOf(key), sequence));
    }

    function removeKey(Subjects subjects, bytes32 subject, uint256 key, uint256 by) internal {
        uint64 sequence = sequenceOf(subjects, subject);
        WebAuthn.WebAuthnAuth memory auth = assertion(by, removeKeyHash(subjects, subject, key, sequence));
        subjects.removeKey(subject, idOf(key), sequence, idOf(by), auth);
    }

    function addDelegateHash(Subjects subjects, bytes32 subject, uint256 key, uint64 notAfter, uint64 sequence)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256(
            "AddDelegate(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,bytes32 relation,uint64 notAfter,uint64 sequence)"
        );
        return _digest(subjects, abi.encode(typehash, subject, passkey(key), bytes32("relation"), notAfter, sequence));
    }

    function addDelegate(Subjects subjects, bytes32 subject, uint256 key, uint64 notAfter, uint256 by) internal {
        uint64 sequence = sequenceOf(subjects, subject);
        WebAuthn.WebAuthnAuth memory auth = assertion(by, addDelegateHash(subjects, subject, key, notAfter, sequence));
        subjects.addDelegate(subject, passkey(key), "relation", notAfter, sequence, idOf(by), auth);
    }

    function removeDelegateHash(Subjects subjects, bytes32 subject, uint256 key, uint64 sequence)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256("RemoveDelegate(bytes32 subject,bytes32 delegate,uint64 sequence)");
        return _digest(subjects, abi.encode(typehash, subject, idOf(key), sequence));
    }

    function removeDelegate(Subjects subjects, bytes32 subject, uint256 key, uint256 by) internal {
        uint64 sequence = sequenceOf(subjects, subject);
        WebAuthn.WebAuthnAuth memory auth = assertion(by, removeDelegateHash(subjects, subject, key, sequence));
        subjects.removeDelegate(subject, idOf(key), sequence, idOf(by), auth);
    }

    function setRecovery(Subjects subjects, bytes32 subject, Subjects.RecoveryTerms memory terms, uint256 by) internal {
        bytes32 typehash = keccak256(
            "SetRecovery(bytes32 subject,bytes32 contacts,uint8 count,uint8 threshold,uint32 delaySeconds,uint64 sequence)"
        );
        uint64 sequence = sequenceOf(subjects, subject);
        bytes32 challenge = _digest(subjects, abi.encode(typehash, subject, terms, sequence));
        WebAuthn.WebAuthnAuth memory auth = assertion(by, challenge);
        subjects.setRecovery(subject, terms, sequence, idOf(by), auth);
    }

    function recoverHash(Subjects subjects, bytes32 subject, uint256 key, uint64 sequence)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256("Recover(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)");
        return _digest(subjects, abi.encode(typehash, subject, passkey(key), sequence));
    }

    function cancelRecoveryHash(Subjects subjects, bytes32 subject, uint64 sequence) internal view returns (bytes32) {
        bytes32 typehash = keccak256("CancelRecovery(bytes32 subject,uint64 sequence)");
        return _digest(subjects, abi.encode(typehash, subject, sequence));
    }

    function cancelRecovery(Subjects subjects, bytes32 subject, uint256 by) internal {
        uint64 sequence = sequenceOf(subjects, subject);
        WebAuthn.WebAuthnAuth memory auth = assertion(by, cancelRecoveryHash(subjects, subject, sequence));
        subjects.cancelRecovery(subject, sequence, idOf(by), auth);
    }

    function sequenceOf(Subjects subjects, bytes32 subject) internal view returns (uint64 sequence) {
        (, sequence,) = subjects.subjectOf(subject);
    }

    /// @dev Contacts with the private keys from `first` on.
    function contactsFrom(uint256 first, uint256 count) internal pure returns (PublicKey[] memory contacts) {
        contacts = new PublicKey[](count);
        for (uint256 i = 0; i < count; ++i) {
            contacts[i] = passkey(first + i);
        }
    }

    function termsOf(PublicKey[] memory contacts, uint8 threshold, uint32 delaySeconds)
        internal
        pure
        returns (Subjects.RecoveryTerms memory)
    {
        bytes32 commitment = keccak256(abi.encode(bytes32("salt"), contacts));
        return Subjects.RecoveryTerms(commitment, uint8(contacts.length), threshold, delaySeconds);
    }

    /// @dev The signatures of the contacts with the private keys from `first` on whose places are given, in the order
    /// that the contract asks for.
    function signedByContacts(bytes32 challenge, uint256 first, uint8[] memory places)
        internal
        pure
        returns (Subjects.ContactSignature[] memory signatures)
    {
        for (uint256 i = 0; i < places.length; ++i) {
            for (uint256 j = i; j > 0 && idOf(first + places[j]) < idOf(first + places[j - 1]); --j) {
                (places[j], places[j - 1]) = (places[j - 1], places[j]);
            }
        }
        signatures = new Subjects.ContactSignature[](places.length);
        for (uint256 i = 0; i < places.length; ++i) {
            signatures[i] = Subjects.ContactSignature(places[i], assertion(first + places[i], challenge));
        }
    }

    function _digest(Subjects subjects, bytes memory structure) private view returns (bytes32) {
        return digest(address(subjects), "Salus Subjects", structure);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Assertions, PublicKey} from "./Assertions.sol";
import {Keyring} from "./Keyring.sol";
import {Members} from "./Members.sol";
import {MembersOnly} from "./MembersOnly.sol";

/// @title Who may sign for a patient.
/// @notice A patient is a random pseudonym with passkeys of its own, delegates (a parent, a guardian) and recovery
/// contacts. A member vouches for the first key; every later change carries an assertion of one of the subject's own
/// keys, or of its recovery contacts, over an EIP-712 hash with the subject's sequence number, and counts once.
/// - A delegate signs what a subject may sign elsewhere (a consent, its revocation), never a change here. Its withdrawal
///   or its time ends new signatures; what it signed before stands until it is revoked.
/// - A key that was removed or replaced signs nothing more, not even what it has signed and nobody has submitted yet.
/// - Recovery takes effect after the delay that the subject has set. Until then each of the subject's keys can cancel it;
///   from then on none of them signs, and anyone may complete it. It ends all keys and delegates, which an intruder may
///   have added, and leaves the contacts.
/// @dev The events alone reproduce the state.
contract Subjects is Keyring {
    using Assertions for PublicKey;

    uint8 private constant CONTACT_COUNT_MAX = 10;
    uint32 private constant RECOVERY_DELAY_SECONDS_MIN = 1 days;

    bytes32 private constant SET_RECOVERY_TYPEHASH = keccak256(
        "SetRecovery(bytes32 subject,bytes32 contacts,uint8 count,uint8 threshold,uint32 delaySeconds,uint64 sequence)"
    );
    bytes32 private constant RECOVER_TYPEHASH =
        keccak256("Recover(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)");
    bytes32 private constant CANCEL_RECOVERY_TYPEHASH = keccak256("CancelRecovery(bytes32 subject,uint64 sequence)");

    /// @notice How a subject recovers.
    /// @param contacts keccak256(abi.encode(salt, PublicKey[])): the contacts stay unknown until they are needed. A
    /// commitment that nobody can open turns recovery off.
    /// @param count How many contacts there are.
    /// @param threshold How many of them must sign.
    /// @param delaySeconds How long after the request it takes effect.
    struct RecoveryTerms {
        bytes32 contacts;
        uint8 count;
        uint8 threshold;
        uint32 delaySeconds;
    }

    struct Recovery {
        PublicKey key;
        uint64 effectiveAt;
    }

    struct ContactSignature {
        uint8 contact;
        WebAuthn.WebAuthnAuth auth;
    }

    mapping(bytes32 subject => RecoveryTerms) private _terms;
    mapping(bytes32 subject => Recovery) private _recoveries;

    event RecoverySet(bytes32 indexed subject, bytes32 indexed by, RecoveryTerms terms, uint64 sequence);
    event RecoveryRequested(
        bytes32 indexed subject, bytes32 indexed key, PublicKey publicKey, uint64 effectiveAt, uint64 sequence
    );
    event RecoveryCancelled(bytes32 indexed subject, bytes32 indexed by, uint64 sequence);
    /// @notice All keys and delegates ended; this key alone signs for the subject.
    event Recovered(bytes32 indexed subject, bytes32 indexed key);

    error InvalidThreshold(uint8 threshold, uint8 count, uint8 countMax);
    error DelayTooShort(uint32 min, uint32 given);
    error OtherContacts(bytes32 expected, bytes32 given);
    error UnknownContact(uint8 contact);
    error WrongSignatureCount(uint256 expected, uint256 given);
    error ContactsOutOfOrder(bytes32 last, bytes32 next);
    error RecoveryPending(bytes32 subject, uint64 effectiveAt);
    error NoRecovery(bytes32 subject);
    error RecoveryNotDue(bytes32 subject, uint64 effectiveAt);
    /// @notice The recovery has taken effect and waits to be completed; until then nobody signs for the subject.
    error RecoveryDue(bytes32 subject, uint64 effectiveAt);

    constructor(Members consortium) MembersOnly(consortium) EIP712("Salus Subjects", "1") {}

    /// @notice Sets or changes the recovery contacts. A request that is pending goes on under the terms it was made on.
    /// @param auth The assertion over SetRecovery.
    function setRecovery(
        bytes32 subject,
        RecoveryTerms calldata terms,
        uint64 sequence,
        bytes32 by,
        WebAuthn.WebAuthnAuth calldata auth
    ) external {
        bytes32 structHash = keccak256(
            abi.encode(
                SET_RECOVERY_TYPEHASH,
                subject,
                terms.contacts,
                terms.count,
                terms.threshold,
                terms.delaySeconds,
                sequence
            )
        );
        _requireChange(subject, sequence, by, structHash, auth);
        if (terms.threshold == 0 || terms.threshold > terms.count || terms.count > CONTACT_COUNT_MAX) {
            revert InvalidThreshold(terms.threshold, terms.count, CONTACT_COUNT_MAX);
        }
        if (terms.delaySeconds < RECOVERY_DELAY_SECONDS_MIN) {
            revert DelayTooShort(RECOVERY_DELAY_SECONDS_MIN, terms.delaySeconds);
        }

        _terms[subject] = terms;
        emit RecoverySet(subject, by, terms, sequence);
    }

    /// @notice Asks that one new key replace all that sign for the subject.
    /// @param salt The salt of the contacts' commitment.
    /// @param contacts All contacts, as committed.
    /// @param signatures As many as the threshold, each over Recover, in ascending order of the contacts' key ids.
    function requestRecovery(
        bytes32 subject,
        PublicKey calldata key,
        uint64 sequence,
        bytes32 salt,
        PublicKey[] calldata contacts,
        ContactSignature[] calldata signatures
    ) external {
        Recovery storage recovery = _recoveries[subject];
        if (recovery.effectiveAt != 0) revert RecoveryPending(subject, recovery.effectiveAt);
        RecoveryTerms storage terms = _terms[subject];
        _requireContacts(terms, salt, contacts);
        bytes32 id = _requireUnused(subject, key);
        _advance(subject, sequence);
        if (signatures.length != terms.threshold) revert WrongSignatureCount(terms.threshold, signatures.length);
        _requireSignedByContacts(
            keccak256(abi.encode(RECOVER_TYPEHASH, subject, key.qx, key.qy, key.rpIdHash, sequence)),
            contacts,
            signatures
        );

        uint64 effectiveAt = uint64(block.timestamp) + terms.delaySeconds;
        _recoveries[subject] = Recovery({key: key, effectiveAt: effectiveAt});
        emit RecoveryRequested(subject, id, key, effectiveAt, sequence);
    }

    /// @notice Cancels a recovery before it takes effect.
    /// @param auth The assertion over CancelRecovery.
    function cancelRecovery(bytes32 subject, uint64 sequence, bytes32 by, WebAuthn.WebAuthnAuth calldata auth)
        external
    {
        bytes32 structHash = keccak256(abi.encode(CANCEL_RECOVERY_TYPEHASH, subject, sequence));
        _requireChange(subject, sequence, by, structHash, auth);
        if (_recoveries[subject].effectiveAt == 0) revert NoRecovery(subject);

        delete _recoveries[subject];
        emit RecoveryCancelled(subject, by, sequence);
    }

    /// @notice Completes a recovery that has taken effect. Anyone may.
    function completeRecovery(bytes32 subject) external {
        Recovery memory recovery = _recoveries[subject];
        if (recovery.effectiveAt == 0) revert NoRecovery(subject);
        if (block.timestamp < recovery.effectiveAt) revert RecoveryNotDue(subject, recovery.effectiveAt);

        delete _recoveries[subject];
        emit Recovered(subject, _replaceAll(subject, recovery.key));
    }

    /// @notice The terms of recovery, and the request that is pending (effective at zero: none).
    function recoveryOf(bytes32 subject)
        external
        view
        returns (RecoveryTerms memory terms, PublicKey memory pendingKey, uint64 effectiveAt)
    {
        Recovery storage recovery = _recoveries[subject];
        return (_terms[subject], recovery.key, recovery.effectiveAt);
    }

    function _requireSettled(bytes32 subject) internal view override {
        uint64 effectiveAt = _recoveries[subject].effectiveAt;
        if (effectiveAt != 0 && block.timestamp >= effectiveAt) revert RecoveryDue(subject, effectiveAt);
    }

    function _requireContacts(RecoveryTerms storage terms, bytes32 salt, PublicKey[] calldata contacts) private view {
        if (contacts.length > CONTACT_COUNT_MAX) {
            revert InvalidThreshold(terms.threshold, terms.count, CONTACT_COUNT_MAX);
        }
        bytes32 commitment = keccak256(abi.encode(salt, contacts));
        if (contacts.length != terms.count || commitment != terms.contacts) {
            revert OtherContacts(terms.contacts, commitment);
        }
    }

    function _requireSignedByContacts(
        bytes32 structHash,
        PublicKey[] calldata contacts,
        ContactSignature[] calldata signatures
    ) private view {
        bytes32 challenge = _hashTypedDataV4(structHash);
        bytes32 last;
        for (uint256 i = 0; i < signatures.length; ++i) {
            uint8 contact = signatures[i].contact;
            if (contact >= contacts.length) revert UnknownContact(contact);
            bytes32 next = contacts[contact].idOf();
            // Ascending, so that none counts twice even where the subject named one twice.
            if (next <= last) revert ContactsOutOfOrder(last, next);
            contacts[contact].requireValid(challenge, signatures[i].auth);
            last = next;
        }
    }
}

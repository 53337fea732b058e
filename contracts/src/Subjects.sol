// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Assertions, PublicKey} from "./Assertions.sol";
import {Members} from "./Members.sol";
import {MembersOnly} from "./MembersOnly.sol";

/// @notice In whose right a key signs: the subject's own, a delegate's, or the subject's by way of its recovery contacts.
enum Authority {
    None,
    Own,
    Delegate,
    Recovered
}

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
contract Subjects is MembersOnly, EIP712 {
    using Assertions for PublicKey;

    uint8 private constant CONTACT_COUNT_MAX = 10;
    uint32 private constant RECOVERY_DELAY_SECONDS_MIN = 1 days;

    bytes32 private constant ADD_KEY_TYPEHASH =
        keccak256("AddKey(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)");
    bytes32 private constant REMOVE_KEY_TYPEHASH = keccak256("RemoveKey(bytes32 subject,bytes32 key,uint64 sequence)");
    bytes32 private constant ADD_DELEGATE_TYPEHASH = keccak256(
        "AddDelegate(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,bytes32 relation,uint64 notAfter,uint64 sequence)"
    );
    bytes32 private constant REMOVE_DELEGATE_TYPEHASH =
        keccak256("RemoveDelegate(bytes32 subject,bytes32 delegate,uint64 sequence)");
    bytes32 private constant SET_RECOVERY_TYPEHASH = keccak256(
        "SetRecovery(bytes32 subject,bytes32 contacts,uint8 count,uint8 threshold,uint32 delaySeconds,uint64 sequence)"
    );
    bytes32 private constant RECOVER_TYPEHASH =
        keccak256("Recover(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)");
    bytes32 private constant CANCEL_RECOVERY_TYPEHASH = keccak256("CancelRecovery(bytes32 subject,uint64 sequence)");

    /// @dev Keys and delegates of an earlier generation than the subject's count no more: a recovery ends them at once.
    struct Subject {
        uint64 member;
        uint64 sequence;
        uint32 generation;
        uint32 keyCount;
    }

    /// @dev Authority none: removed.
    struct OwnKey {
        PublicKey key;
        uint32 generation;
        Authority authority;
    }

    struct Delegate {
        PublicKey key;
        bytes32 relation;
        uint64 notAfter;
        uint32 generation;
    }

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

    mapping(bytes32 subject => Subject) private _subjects;
    mapping(bytes32 subject => mapping(bytes32 key => OwnKey)) private _keys;
    mapping(bytes32 subject => mapping(bytes32 key => Delegate)) private _delegates;
    mapping(bytes32 subject => RecoveryTerms) private _terms;
    mapping(bytes32 subject => Recovery) private _recoveries;

    event Enrolled(bytes32 indexed subject, uint64 indexed member, bytes32 indexed key, PublicKey publicKey);
    event KeyAdded(
        bytes32 indexed subject, bytes32 indexed key, bytes32 indexed by, PublicKey publicKey, uint64 sequence
    );
    event KeyRemoved(bytes32 indexed subject, bytes32 indexed key, bytes32 indexed by, uint64 sequence);
    event DelegateAdded(
        bytes32 indexed subject,
        bytes32 indexed delegate,
        bytes32 indexed by,
        PublicKey publicKey,
        bytes32 relation,
        uint64 notAfter,
        uint64 sequence
    );
    event DelegateRemoved(bytes32 indexed subject, bytes32 indexed delegate, bytes32 indexed by, uint64 sequence);
    event RecoverySet(bytes32 indexed subject, bytes32 indexed by, RecoveryTerms terms, uint64 sequence);
    event RecoveryRequested(
        bytes32 indexed subject, bytes32 indexed key, PublicKey publicKey, uint64 effectiveAt, uint64 sequence
    );
    event RecoveryCancelled(bytes32 indexed subject, bytes32 indexed by, uint64 sequence);
    /// @notice All keys and delegates ended; this key alone signs for the subject.
    event Recovered(bytes32 indexed subject, bytes32 indexed key);

    error AlreadyEnrolled(bytes32 subject, uint64 member);
    error UnknownSubject(bytes32 subject);
    /// @notice Neither a key of the subject nor a delegate, or one no more.
    error UnknownKey(bytes32 subject, bytes32 key);
    error UsedKey(bytes32 subject, bytes32 key);
    error LastKey(bytes32 subject);
    error DelegateExpired(bytes32 delegate, uint64 notAfter);
    error StaleSequence(uint64 expected, uint64 given);
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

    /// @notice Binds a pseudonym to a passkey that the calling member vouches for; nothing happens if this member has
    /// bound it to the same key before.
    function enroll(bytes32 subject, PublicKey calldata key) external {
        uint64 member = _requireMember();
        Subject storage last = _subjects[subject];
        bytes32 id = key.idOf();
        if (last.member != 0) {
            if (last.member != member || _keys[subject][id].generation == 0) {
                revert AlreadyEnrolled(subject, last.member);
            }
            return;
        }
        key.requireOnCurve();

        _subjects[subject] = Subject({member: member, sequence: 0, generation: 1, keyCount: 1});
        _keys[subject][id] = OwnKey({key: key, generation: 1, authority: Authority.Own});
        emit Enrolled(subject, member, id, key);
    }

    /// @notice Adds a key of the subject's own.
    /// @param by The key that signed.
    /// @param auth The assertion over AddKey.
    function addKey(
        bytes32 subject,
        PublicKey calldata key,
        uint64 sequence,
        bytes32 by,
        WebAuthn.WebAuthnAuth calldata auth
    ) external {
        bytes32 structHash = keccak256(abi.encode(ADD_KEY_TYPEHASH, subject, key.qx, key.qy, key.rpIdHash, sequence));
        _requireChange(subject, sequence, by, structHash, auth);
        bytes32 id = _requireUnused(subject, key);

        Subject storage holder = _subjects[subject];
        ++holder.keyCount;
        _keys[subject][id] = OwnKey({key: key, generation: holder.generation, authority: Authority.Own});
        emit KeyAdded(subject, id, by, key, sequence);
    }

    /// @notice Removes a key of the subject's own, for good; the last one stays.
    /// @param by The key that signed, be it the one removed.
    /// @param auth The assertion over RemoveKey.
    function removeKey(bytes32 subject, bytes32 key, uint64 sequence, bytes32 by, WebAuthn.WebAuthnAuth calldata auth)
        external
    {
        bytes32 structHash = keccak256(abi.encode(REMOVE_KEY_TYPEHASH, subject, key, sequence));
        _requireChange(subject, sequence, by, structHash, auth);
        Subject storage holder = _subjects[subject];
        if (!_isOwn(subject, key)) revert UnknownKey(subject, key);
        if (holder.keyCount == 1) revert LastKey(subject);

        --holder.keyCount;
        _keys[subject][key].authority = Authority.None;
        emit KeyRemoved(subject, key, by, sequence);
    }

    /// @notice Lets another key sign for the subject, or changes until when.
    /// @param relation The salted commitment to who the delegate is.
    /// @param notAfter The last second, in Unix time, at which the delegate signs.
    /// @param auth The assertion over AddDelegate.
    function addDelegate(
        bytes32 subject,
        PublicKey calldata key,
        bytes32 relation,
        uint64 notAfter,
        uint64 sequence,
        bytes32 by,
        WebAuthn.WebAuthnAuth calldata auth
    ) external {
        bytes32 structHash = keccak256(
            abi.encode(ADD_DELEGATE_TYPEHASH, subject, key.qx, key.qy, key.rpIdHash, relation, notAfter, sequence)
        );
        _requireChange(subject, sequence, by, structHash, auth);
        bytes32 id = key.idOf();
        if (block.timestamp > notAfter) revert DelegateExpired(id, notAfter);
        key.requireOnCurve();

        _delegates[subject][id] =
            Delegate({key: key, relation: relation, notAfter: notAfter, generation: _subjects[subject].generation});
        emit DelegateAdded(subject, id, by, key, relation, notAfter, sequence);
    }

    /// @notice Withdraws a delegate: it signs nothing more, and what it has signed stands.
    /// @param auth The assertion over RemoveDelegate.
    function removeDelegate(
        bytes32 subject,
        bytes32 delegate,
        uint64 sequence,
        bytes32 by,
        WebAuthn.WebAuthnAuth calldata auth
    ) external {
        bytes32 structHash = keccak256(abi.encode(REMOVE_DELEGATE_TYPEHASH, subject, delegate, sequence));
        _requireChange(subject, sequence, by, structHash, auth);
        if (_delegates[subject][delegate].generation != _subjects[subject].generation) {
            revert UnknownKey(subject, delegate);
        }

        delete _delegates[subject][delegate];
        emit DelegateRemoved(subject, delegate, by, sequence);
    }

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
        Subject storage holder = _subjects[subject];
        uint32 generation = ++holder.generation;
        holder.keyCount = 1;
        bytes32 id = recovery.key.idOf();
        _keys[subject][id] = OwnKey({key: recovery.key, generation: generation, authority: Authority.Recovered});
        emit Recovered(subject, id);
    }

    /// @notice Reverts unless that key may sign for the subject now and the assertion over the challenge is its.
    /// @dev For contracts that act on a subject's signature: the challenge is an EIP-712 hash under their own domain.
    /// @return authority In whose right the key signed.
    function requireSigned(bytes32 subject, bytes32 key, bytes32 challenge, WebAuthn.WebAuthnAuth calldata auth)
        external
        view
        returns (Authority authority)
    {
        authority = _requireHolder(subject, key);
        if (authority == Authority.None) {
            Delegate storage delegate = _delegates[subject][key];
            if (delegate.generation != _subjects[subject].generation) revert UnknownKey(subject, key);
            if (block.timestamp > delegate.notAfter) revert DelegateExpired(key, delegate.notAfter);
            delegate.key.requireValid(challenge, auth);
            return Authority.Delegate;
        }
        _keys[subject][key].key.requireValid(challenge, auth);
    }

    /// @notice What a key is called.
    function keyId(PublicKey calldata key) external pure returns (bytes32) {
        return key.idOf();
    }

    /// @notice The member that vouched for a subject's first key (zero for an unknown subject), the sequence number that
    /// the next change is signed with, and how many keys the subject has.
    function subjectOf(bytes32 subject) external view returns (uint64 member, uint64 sequence, uint32 keyCount) {
        Subject storage holder = _subjects[subject];
        return (holder.member, holder.sequence, holder.keyCount);
    }

    /// @notice A key that is or was the subject's own; authority none: not any more, or never.
    function keyOf(bytes32 subject, bytes32 key)
        external
        view
        returns (PublicKey memory publicKey, Authority authority)
    {
        OwnKey storage own = _keys[subject][key];
        return (own.key, _isOwn(subject, key) ? own.authority : Authority.None);
    }

    /// @notice A delegate; all zero for one that is unknown, withdrawn, or ended by a recovery.
    function delegateOf(bytes32 subject, bytes32 delegate)
        external
        view
        returns (PublicKey memory publicKey, bytes32 relation, uint64 notAfter)
    {
        Delegate storage found = _delegates[subject][delegate];
        if (found.generation == _subjects[subject].generation) {
            return (found.key, found.relation, found.notAfter);
        }
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

    /// @dev A change is signed by one of the subject's own keys, and its sequence number is used up.
    function _requireChange(
        bytes32 subject,
        uint64 sequence,
        bytes32 by,
        bytes32 structHash,
        WebAuthn.WebAuthnAuth calldata auth
    ) private {
        if (_requireHolder(subject, by) == Authority.None) revert UnknownKey(subject, by);
        _advance(subject, sequence);
        _keys[subject][by].key.requireValid(_hashTypedDataV4(structHash), auth);
    }

    function _advance(bytes32 subject, uint64 sequence) private {
        uint64 expected = _subjects[subject].sequence;
        if (sequence != expected) revert StaleSequence(expected, sequence);
        _subjects[subject].sequence = sequence + 1;
    }

    /// @return authority Of the subject's own key; none for another.
    function _requireHolder(bytes32 subject, bytes32 key) private view returns (Authority authority) {
        if (_subjects[subject].member == 0) revert UnknownSubject(subject);
        uint64 effectiveAt = _recoveries[subject].effectiveAt;
        if (effectiveAt != 0 && block.timestamp >= effectiveAt) revert RecoveryDue(subject, effectiveAt);
        return _isOwn(subject, key) ? _keys[subject][key].authority : Authority.None;
    }

    function _requireUnused(bytes32 subject, PublicKey calldata key) private view returns (bytes32 id) {
        id = key.idOf();
        if (_keys[subject][id].generation != 0) revert UsedKey(subject, id);
        key.requireOnCurve();
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

    function _isOwn(bytes32 subject, bytes32 key) private view returns (bool) {
        OwnKey storage own = _keys[subject][key];
        return own.authority != Authority.None && own.generation == _subjects[subject].generation;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Assertions, PublicKey} from "./Assertions.sol";
import {MembersOnly} from "./MembersOnly.sol";

/// @notice In whose right a key signs: the subject's own, a delegate's, or the subject's by way of its recovery contacts.
enum Authority {
    None,
    Own,
    Delegate,
    Recovered
}

/// @title The keys and the delegates of patients, each a random pseudonym.
abstract contract Keyring is MembersOnly, EIP712 {
    using Assertions for PublicKey;

    bytes32 private constant ADD_KEY_TYPEHASH =
        keccak256("AddKey(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)");
    bytes32 private constant REMOVE_KEY_TYPEHASH = keccak256("RemoveKey(bytes32 subject,bytes32 key,uint64 sequence)");
    bytes32 private constant ADD_DELEGATE_TYPEHASH = keccak256(
        "AddDelegate(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,bytes32 relation,uint64 notAfter,uint64 sequence)"
    );
    bytes32 private constant REMOVE_DELEGATE_TYPEHASH =
        keccak256("RemoveDelegate(bytes32 subject,bytes32 delegate,uint64 sequence)");

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

    mapping(bytes32 subject => Subject) private _subjects;
    mapping(bytes32 subject => mapping(bytes32 key => OwnKey)) private _keys;
    mapping(bytes32 subject => mapping(bytes32 key => Delegate)) private _delegates;

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

    error AlreadyEnrolled(bytes32 subject, uint64 member);
    error UnknownSubject(bytes32 subject);
    /// @notice Neither a key of the subject nor a delegate, or one no more.
    error UnknownKey(bytes32 subject, bytes32 key);
    error UsedKey(bytes32 subject, bytes32 key);
    error LastKey(bytes32 subject);
    error DelegateExpired(bytes32 delegate, uint64 notAfter);
    error StaleSequence(uint64 expected, uint64 given);

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

    /// @dev A change is signed by one of the subject's own keys, and its sequence number is used up.
    function _requireChange(
        bytes32 subject,
        uint64 sequence,
        bytes32 by,
        bytes32 structHash,
        WebAuthn.WebAuthnAuth calldata auth
    ) internal {
        if (_requireHolder(subject, by) == Authority.None) revert UnknownKey(subject, by);
        _advance(subject, sequence);
        _keys[subject][by].key.requireValid(_hashTypedDataV4(structHash), auth);
    }

    function _advance(bytes32 subject, uint64 sequence) internal {
        uint64 expected = _subjects[subject].sequence;
        if (sequence != expected) revert StaleSequence(expected, sequence);
        _subjects[subject].sequence = sequence + 1;
    }

    /// @dev Ends all keys and delegates of the subject, and lets this key alone sign.
    function _replaceAll(bytes32 subject, PublicKey memory key) internal returns (bytes32 id) {
        id = key.idOf();
        Subject storage holder = _subjects[subject];
        uint32 generation = ++holder.generation;
        holder.keyCount = 1;
        _keys[subject][id] = OwnKey({key: key, generation: generation, authority: Authority.Recovered});
    }

    /// @dev Reverts while the subject's keys have been replaced in right and not yet in fact.
    function _requireSettled(bytes32 subject) internal view virtual;

    /// @return authority Of the subject's own key; none for another.
    function _requireHolder(bytes32 subject, bytes32 key) private view returns (Authority authority) {
        if (_subjects[subject].member == 0) revert UnknownSubject(subject);
        _requireSettled(subject);
        return _isOwn(subject, key) ? _keys[subject][key].authority : Authority.None;
    }

    function _requireUnused(bytes32 subject, PublicKey calldata key) internal view returns (bytes32 id) {
        id = key.idOf();
        if (_keys[subject][id].generation != 0) revert UsedKey(subject, id);
        key.requireOnCurve();
    }

    function _isOwn(bytes32 subject, bytes32 key) private view returns (bool) {
        OwnKey storage own = _keys[subject][key];
        return own.authority != Authority.None && own.generation == _subjects[subject].generation;
    }
}

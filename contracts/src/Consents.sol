// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Authority} from "./Keyring.sol";
import {Members} from "./Members.sol";
import {MembersOnly} from "./MembersOnly.sol";
import {SignedBySubject} from "./SignedBySubject.sol";
import {Subjects} from "./Subjects.sol";

/// @title What patients have signed: consents granted and revoked. And what members have opened without.
/// @notice A patient is a random pseudonym, a consent a random id with a salted commitment to its terms. Each grant and
/// revocation carries a WebAuthn assertion with user verification, by a key that may sign for the patient, whose
/// challenge is the EIP-712 hash of what is signed. Whoever holds an assertion may submit it, once or again.
/// @dev The events alone reproduce the state.
contract Consents is MembersOnly, SignedBySubject {
    /// @dev Authority none: not granted.
    struct Consent {
        bytes32 subject;
        bytes32 commitment;
        bytes32 by;
        uint64 notAfter;
        Authority authority;
    }

    struct Emergency {
        bytes32 commitment;
        uint64 member;
        uint64 notAfter;
        bool closed;
    }

    uint64 private constant EMERGENCY_SECONDS_MAX = 1 days;

    bytes32 private constant GRANT_TYPEHASH =
        keccak256("Grant(bytes32 subject,bytes32 id,bytes32 commitment,uint64 notAfter)");
    bytes32 private constant REVOKE_TYPEHASH = keccak256("Revoke(bytes32 subject,bytes32 id)");

    mapping(bytes32 id => Consent) private _consents;
    /// @dev By subject, for a revocation may come first: else anyone enrolled could use up the id of another's grant.
    mapping(bytes32 subject => mapping(bytes32 id => bytes32 by)) private _revoked;
    mapping(bytes32 id => Emergency) private _emergencies;

    event Granted(
        bytes32 indexed subject,
        bytes32 indexed id,
        bytes32 indexed by,
        Authority authority,
        bytes32 commitment,
        uint64 notAfter
    );
    event Revoked(bytes32 indexed subject, bytes32 indexed id, bytes32 indexed by, Authority authority);
    event EmergencyOpened(bytes32 indexed id, uint64 indexed member, bytes32 commitment, uint64 notAfter);
    event EmergencyClosed(bytes32 indexed id);

    error OtherTerms(bytes32 id, bytes32 subject, bytes32 commitment, uint64 notAfter);
    error OtherSubject(bytes32 id, bytes32 subject);
    error AlreadyRevoked(bytes32 id);
    error Expired(bytes32 id, uint64 notAfter);
    error OtherEmergency(bytes32 id, uint64 member, bytes32 commitment, uint64 notAfter);
    error EmergencyTooLong(uint64 notAfterMax, uint64 notAfter);

    constructor(Members consortium, Subjects registry)
        MembersOnly(consortium)
        SignedBySubject(registry)
        EIP712("Salus Consents", "1")
    {}

    /// @notice Grants a consent that the subject, or a delegate, has signed. Its id serves as a nonce: the same terms
    /// again change nothing, other terms and a revoked id are refused.
    /// @param commitment The salted commitment to grantee, categories and purposes.
    /// @param notAfter The last second, in Unix time, at which the consent counts.
    /// @param by The id of the key that signed.
    /// @param auth The assertion over `grantHash(subject, id, commitment, notAfter)`.
    function grant(
        bytes32 subject,
        bytes32 id,
        bytes32 commitment,
        uint64 notAfter,
        bytes32 by,
        WebAuthn.WebAuthnAuth calldata auth
    ) external {
        if (_revoked[subject][id] != 0) revert AlreadyRevoked(id);
        Consent storage last = _consents[id];
        if (last.authority != Authority.None) {
            bool same = last.subject == subject && last.commitment == commitment && last.notAfter == notAfter;
            if (!same) revert OtherTerms(id, last.subject, last.commitment, last.notAfter);
            return;
        }
        if (block.timestamp > notAfter) revert Expired(id, notAfter);
        bytes32 structHash = _grantStruct(subject, id, commitment, notAfter);
        Authority authority = _requireSigned(subject, structHash, by, auth);

        _consents[id] =
            Consent({subject: subject, commitment: commitment, by: by, notAfter: notAfter, authority: authority});
        emit Granted(subject, id, by, authority, commitment, notAfter);
    }

    /// @notice Revokes a consent, for good; nothing happens if it is revoked already. It may come before the grant,
    /// which is then refused. Whoever may sign for the subject may revoke, whoever granted.
    /// @param by The id of the key that signed.
    /// @param auth The assertion over `revokeHash(subject, id)`.
    function revoke(bytes32 subject, bytes32 id, bytes32 by, WebAuthn.WebAuthnAuth calldata auth) external {
        if (_revoked[subject][id] != 0) return;
        Consent storage last = _consents[id];
        if (last.authority != Authority.None && last.subject != subject) revert OtherSubject(id, last.subject);
        Authority authority = _requireSigned(subject, _revokeStruct(subject, id), by, auth);

        _revoked[subject][id] = by;
        emit Revoked(subject, id, by, authority);
    }

    /// @notice Records that the calling member opens a record without consent, because life or health is at stake; the
    /// same again changes nothing.
    /// @param id A random id. No pseudonym stands beside it: that a patient was in danger is nobody else's to know.
    /// @param commitment The salted commitment to patient, practitioner and reason.
    /// @param notAfter The last second, in Unix time, of the opening; a day from now at most.
    function openEmergency(bytes32 id, bytes32 commitment, uint64 notAfter) external {
        uint64 member = _requireMember();
        Emergency storage last = _emergencies[id];
        if (last.member != 0) {
            bool same = last.member == member && last.commitment == commitment && last.notAfter == notAfter;
            if (!same) revert OtherEmergency(id, last.member, last.commitment, last.notAfter);
            return;
        }
        if (block.timestamp > notAfter) revert Expired(id, notAfter);
        uint64 notAfterMax = uint64(block.timestamp) + EMERGENCY_SECONDS_MAX;
        if (notAfter > notAfterMax) revert EmergencyTooLong(notAfterMax, notAfter);

        _emergencies[id] = Emergency({commitment: commitment, member: member, notAfter: notAfter, closed: false});
        emit EmergencyOpened(id, member, commitment, notAfter);
    }

    /// @notice Ends an opening before its time; nothing happens if it is closed already. Only its member can.
    function closeEmergency(bytes32 id) external {
        uint64 member = _requireMember();
        Emergency storage last = _emergencies[id];
        if (last.member != member) revert OtherEmergency(id, last.member, last.commitment, last.notAfter);
        if (last.closed) return;

        last.closed = true;
        emit EmergencyClosed(id);
    }

    /// @notice Whether the consent counts now, for exactly these terms.
    function isActive(bytes32 id, bytes32 commitment) external view returns (bool) {
        Consent storage last = _consents[id];
        return last.authority != Authority.None && last.commitment == commitment && block.timestamp <= last.notAfter
            && _revoked[last.subject][id] == 0;
    }

    /// @notice A consent's state; all zero before its grant, even if its revocation came first: see `isRevoked`. `by` is
    /// the key that granted and `authority` in whose right, `revokedBy` the key that revoked, zero while none has.
    function consent(bytes32 id)
        external
        view
        returns (
            bytes32 subject,
            bytes32 commitment,
            uint64 notAfter,
            bytes32 by,
            Authority authority,
            bytes32 revokedBy
        )
    {
        Consent storage last = _consents[id];
        if (last.authority != Authority.None) revokedBy = _revoked[last.subject][id];
        return (last.subject, last.commitment, last.notAfter, last.by, last.authority, revokedBy);
    }

    /// @notice Whether the subject has revoked that id, granted or not.
    function isRevoked(bytes32 subject, bytes32 id) external view returns (bool) {
        return _revoked[subject][id] != 0;
    }

    /// @notice Whether the opening counts now, for exactly what was committed to.
    function isOpen(bytes32 id, bytes32 commitment) external view returns (bool) {
        Emergency storage last = _emergencies[id];
        return last.member != 0 && last.commitment == commitment && block.timestamp <= last.notAfter && !last.closed;
    }

    /// @notice An opening's state; all zero for an unknown id.
    function emergency(bytes32 id)
        external
        view
        returns (uint64 member, bytes32 commitment, uint64 notAfter, bool closed)
    {
        Emergency storage last = _emergencies[id];
        return (last.member, last.commitment, last.notAfter, last.closed);
    }

    /// @notice The WebAuthn challenge of a grant: its EIP-712 hash under this contract's domain.
    function grantHash(bytes32 subject, bytes32 id, bytes32 commitment, uint64 notAfter)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(_grantStruct(subject, id, commitment, notAfter));
    }

    /// @notice The WebAuthn challenge of a revocation: its EIP-712 hash under this contract's domain.
    function revokeHash(bytes32 subject, bytes32 id) external view returns (bytes32) {
        return _hashTypedDataV4(_revokeStruct(subject, id));
    }

    function _grantStruct(bytes32 subject, bytes32 id, bytes32 commitment, uint64 notAfter)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(GRANT_TYPEHASH, subject, id, commitment, notAfter));
    }

    function _revokeStruct(bytes32 subject, bytes32 id) private pure returns (bytes32) {
        return keccak256(abi.encode(REVOKE_TYPEHASH, subject, id));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Members} from "./Members.sol";
import {MembersOnly} from "./MembersOnly.sol";

/// @title What patients have signed: consents granted and revoked.
/// @notice A patient is a random pseudonym, a consent a random id with a salted commitment to its terms. Each grant and
/// revocation carries a WebAuthn assertion with user verification whose challenge is the EIP-712 hash of what is signed.
/// Whoever holds an assertion may submit it, once or again.
/// @dev Of the two values of `s` that fit a signature, P256 accepts the lower only: an authenticator may return either,
/// so a relay replaces a high `s` by `n - s` before it submits.
contract Consents is MembersOnly, EIP712 {
    struct Enrollment {
        bytes32 qx;
        bytes32 qy;
        bytes32 rpIdHash;
        address member;
    }

    struct Consent {
        bytes32 subject;
        bytes32 commitment;
        uint64 notAfter;
        bool granted;
    }

    bytes32 private constant GRANT_TYPEHASH =
        keccak256("Grant(bytes32 subject,bytes32 id,bytes32 commitment,uint64 notAfter)");
    bytes32 private constant REVOKE_TYPEHASH = keccak256("Revoke(bytes32 subject,bytes32 id)");

    mapping(bytes32 subject => Enrollment) private _enrollments;
    mapping(bytes32 id => Consent) private _consents;
    /// @dev By subject, for a revocation may come first: else anyone enrolled could use up the id of another's grant.
    mapping(bytes32 subject => mapping(bytes32 id => bool)) private _revoked;

    event Enrolled(bytes32 indexed subject, address indexed member);
    event Granted(bytes32 indexed subject, bytes32 indexed id, bytes32 commitment, uint64 notAfter);
    event Revoked(bytes32 indexed subject, bytes32 indexed id);

    error InvalidKey(bytes32 qx, bytes32 qy);
    error AlreadyEnrolled(bytes32 subject, address member);
    error UnknownSubject(bytes32 subject);
    error WrongRelyingParty(bytes32 expected, bytes32 given);
    error BadAssertion(bytes32 subject, bytes32 challenge);
    error OtherTerms(bytes32 id, bytes32 subject, bytes32 commitment, uint64 notAfter);
    error OtherSubject(bytes32 id, bytes32 subject);
    error AlreadyRevoked(bytes32 id);
    error Expired(bytes32 id, uint64 notAfter);

    constructor(Members consortium) MembersOnly(consortium) EIP712("Salus Consents", "1") {}

    /// @notice Binds a pseudonym to a passkey that the calling member vouches for; nothing happens if this member has
    /// bound it to the same key before.
    /// @param subject The patient's random pseudonym.
    /// @param qx The P-256 key's x coordinate.
    /// @param qy The P-256 key's y coordinate.
    /// @param rpIdHash The SHA-256 of the relying party's id, the domain to which the passkey belongs.
    function enroll(bytes32 subject, bytes32 qx, bytes32 qy, bytes32 rpIdHash) external onlyMember {
        Enrollment storage last = _enrollments[subject];
        if (last.member != address(0)) {
            bool same = last.member == msg.sender && last.qx == qx && last.qy == qy && last.rpIdHash == rpIdHash;
            if (!same) revert AlreadyEnrolled(subject, last.member);
            return;
        }
        if (!P256.isValidPublicKey(qx, qy)) revert InvalidKey(qx, qy);

        _enrollments[subject] = Enrollment({qx: qx, qy: qy, rpIdHash: rpIdHash, member: msg.sender});
        emit Enrolled(subject, msg.sender);
    }

    /// @notice Grants a consent that the subject has signed. Its id serves as a nonce: the same terms again change
    /// nothing, other terms and a revoked id are refused.
    /// @param commitment The salted commitment to grantee, categories and purposes.
    /// @param notAfter The last second, in Unix time, at which the consent counts.
    /// @param auth The assertion over `grantHash(subject, id, commitment, notAfter)`.
    function grant(
        bytes32 subject,
        bytes32 id,
        bytes32 commitment,
        uint64 notAfter,
        WebAuthn.WebAuthnAuth calldata auth
    ) external {
        if (_revoked[subject][id]) revert AlreadyRevoked(id);
        Consent storage last = _consents[id];
        if (last.granted) {
            bool same = last.subject == subject && last.commitment == commitment && last.notAfter == notAfter;
            if (!same) revert OtherTerms(id, last.subject, last.commitment, last.notAfter);
            return;
        }
        if (block.timestamp > notAfter) revert Expired(id, notAfter);
        _requireSigned(subject, grantHash(subject, id, commitment, notAfter), auth);

        _consents[id] = Consent({subject: subject, commitment: commitment, notAfter: notAfter, granted: true});
        emit Granted(subject, id, commitment, notAfter);
    }

    /// @notice Revokes a consent, for good; nothing happens if it is revoked already. It may come before the grant,
    /// which is then refused.
    /// @param auth The assertion over `revokeHash(subject, id)`.
    function revoke(bytes32 subject, bytes32 id, WebAuthn.WebAuthnAuth calldata auth) external {
        if (_revoked[subject][id]) return;
        Consent storage last = _consents[id];
        if (last.granted && last.subject != subject) revert OtherSubject(id, last.subject);
        _requireSigned(subject, revokeHash(subject, id), auth);

        _revoked[subject][id] = true;
        emit Revoked(subject, id);
    }

    /// @notice Whether the consent counts now, for exactly these terms.
    function isActive(bytes32 id, bytes32 commitment) external view returns (bool) {
        Consent storage last = _consents[id];
        return last.granted && last.commitment == commitment && block.timestamp <= last.notAfter
            && !_revoked[last.subject][id];
    }

    /// @notice A consent's state; all zero before its grant, even if its revocation came first: see `isRevoked`.
    function consent(bytes32 id)
        external
        view
        returns (bytes32 subject, bytes32 commitment, uint64 notAfter, bool granted, bool revoked)
    {
        Consent storage last = _consents[id];
        revoked = last.granted && _revoked[last.subject][id];
        return (last.subject, last.commitment, last.notAfter, last.granted, revoked);
    }

    /// @notice Whether the subject has revoked that id, granted or not.
    function isRevoked(bytes32 subject, bytes32 id) external view returns (bool) {
        return _revoked[subject][id];
    }

    /// @notice The passkey of a subject and the member that vouches for it; all zero for an unknown subject.
    function enrollment(bytes32 subject)
        external
        view
        returns (bytes32 qx, bytes32 qy, bytes32 rpIdHash, address member)
    {
        Enrollment storage last = _enrollments[subject];
        return (last.qx, last.qy, last.rpIdHash, last.member);
    }

    /// @notice The WebAuthn challenge of a grant: its EIP-712 hash under this contract's domain.
    function grantHash(bytes32 subject, bytes32 id, bytes32 commitment, uint64 notAfter) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(GRANT_TYPEHASH, subject, id, commitment, notAfter)));
    }

    /// @notice The WebAuthn challenge of a revocation: its EIP-712 hash under this contract's domain.
    function revokeHash(bytes32 subject, bytes32 id) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(REVOKE_TYPEHASH, subject, id)));
    }

    function _requireSigned(bytes32 subject, bytes32 challenge, WebAuthn.WebAuthnAuth calldata auth) private view {
        Enrollment storage key = _enrollments[subject];
        if (key.member == address(0)) revert UnknownSubject(subject);

        // Shorter data is no authenticator data at all; WebAuthn refuses what is merely incomplete.
        if (auth.authenticatorData.length < 32) revert BadAssertion(subject, challenge);
        bytes32 rpIdHash = bytes32(auth.authenticatorData[:32]);
        if (rpIdHash != key.rpIdHash) revert WrongRelyingParty(key.rpIdHash, rpIdHash);

        bool signed = WebAuthn.verify(abi.encodePacked(challenge), auth, key.qx, key.qy, true);
        if (!signed) revert BadAssertion(subject, challenge);
    }
}

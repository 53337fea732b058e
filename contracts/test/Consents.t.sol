// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Consents} from "../src/Consents.sol";
import {Members, NotMember} from "../src/Members.sol";
import {Passkeys} from "./Passkeys.sol";

contract ConsentsTest is Passkeys {
    address private constant MEMBER = address(0xA);
    address private constant OTHER = address(0xB);
    address private constant STRANGER = address(0xF);
    bytes32 private constant SUBJECT = "subject";
    bytes32 private constant ID = "id";
    bytes32 private constant COMMITMENT = "commitment";
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant OTHER_KEY = 0xB0B;
    uint64 private constant NOW = 1_800_000_000;
    uint64 private constant NOT_AFTER = NOW + 1 days;

    Members private _members;
    Consents private _consents;

    function setUp() public {
        vm.warp(NOW);
        vm.prank(MEMBER);
        _members = new Members("Member");
        vm.prank(MEMBER);
        _members.vote(OTHER, "Other", true);
        _consents = new Consents(_members);
        _enroll(MEMBER, SUBJECT, KEY);
    }

    function test_enroll_bindsTheSubjectToAKeyAndItsMember() public {
        (bytes32 qx, bytes32 qy) = publicKey(OTHER_KEY);
        vm.expectEmit(address(_consents));
        emit Consents.Enrolled("another", OTHER);
        _enroll(OTHER, "another", OTHER_KEY);
        (bytes32 x, bytes32 y, bytes32 rpIdHash, address member) = _consents.enrollment("another");
        assertEq(qx, x, "qx");
        assertEq(qy, y, "qy");
        assertEq(RP_ID_HASH, rpIdHash, "relying party");
        assertEq(OTHER, member, "member");
    }

    function test_enroll_repeatedEmitsNothing() public {
        vm.recordLogs();
        _enroll(MEMBER, SUBJECT, KEY);
        assertEq(0, vm.getRecordedLogs().length, "events");
    }

    function test_enroll_failsForAnotherKeyMemberOrRelyingParty() public {
        bytes memory reason = abi.encodeWithSelector(Consents.AlreadyEnrolled.selector, SUBJECT, MEMBER);
        (bytes32 qx, bytes32 qy) = publicKey(OTHER_KEY);
        vm.expectRevert(reason);
        vm.prank(MEMBER);
        _consents.enroll(SUBJECT, qx, qy, RP_ID_HASH);
        (qx, qy) = publicKey(KEY);
        vm.expectRevert(reason);
        vm.prank(OTHER);
        _consents.enroll(SUBJECT, qx, qy, RP_ID_HASH);
        vm.expectRevert(reason);
        vm.prank(MEMBER);
        _consents.enroll(SUBJECT, qx, qy, "elsewhere");
    }

    function test_enroll_failsForStrangers() public {
        (bytes32 qx, bytes32 qy) = publicKey(KEY);
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, STRANGER));
        vm.prank(STRANGER);
        _consents.enroll("another", qx, qy, RP_ID_HASH);
    }

    function test_enroll_failsForAPointOffTheCurve() public {
        (bytes32 qx, bytes32 qy) = publicKey(KEY);
        vm.expectRevert(abi.encodeWithSelector(Consents.InvalidKey.selector, qx, qx));
        vm.prank(MEMBER);
        _consents.enroll("another", qx, qx, RP_ID_HASH);
        vm.expectRevert(abi.encodeWithSelector(Consents.InvalidKey.selector, bytes32(0), qy));
        vm.prank(MEMBER);
        _consents.enroll("another", 0, qy, RP_ID_HASH);
    }

    function test_grant_makesTheConsentActiveForItsTermsAndTime() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        assertTrue(!_consents.isActive(ID, COMMITMENT), "before the grant");
        vm.expectEmit(address(_consents));
        emit Consents.Granted(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        vm.prank(STRANGER);
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, auth);

        (bytes32 subject, bytes32 commitment, uint64 notAfter, bool granted, bool revoked) = _consents.consent(ID);
        assertEq(SUBJECT, subject, "subject");
        assertEq(COMMITMENT, commitment, "commitment");
        assertEq(NOT_AFTER, notAfter, "not after");
        assertTrue(granted && !revoked, "granted, not revoked");
        assertTrue(_consents.isActive(ID, COMMITMENT), "active");
        assertTrue(!_consents.isActive(ID, "other"), "for no other commitment");
        assertTrue(!_consents.isActive("other", COMMITMENT), "under no other id");
        vm.warp(NOT_AFTER);
        assertTrue(_consents.isActive(ID, COMMITMENT), "in its last second");
        vm.warp(NOT_AFTER + 1);
        assertTrue(!_consents.isActive(ID, COMMITMENT), "not after it");
    }

    function test_grant_repeatedChangesNothing() public {
        WebAuthn.WebAuthnAuth memory auth = _grant();
        vm.recordLogs();
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, auth);
        vm.warp(NOT_AFTER + 1);
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, auth);
        assertEq(0, vm.getRecordedLogs().length, "events");
    }

    function test_grant_failsForOtherTermsUnderTheSameId() public {
        _grant();
        _enroll(OTHER, "another", OTHER_KEY);
        bytes memory reason = abi.encodeWithSelector(Consents.OtherTerms.selector, ID, SUBJECT, COMMITMENT, NOT_AFTER);
        bytes32 challenge = _consents.grantHash(SUBJECT, ID, "other", NOT_AFTER);
        _grantRefused(reason, SUBJECT, "other", NOT_AFTER, assertion(KEY, challenge));
        challenge = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER + 1);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER + 1, assertion(KEY, challenge));
        challenge = _consents.grantHash("another", ID, COMMITMENT, NOT_AFTER);
        _grantRefused(reason, "another", COMMITMENT, NOT_AFTER, assertion(OTHER_KEY, challenge));
    }

    function test_grant_failsAfterItsTime() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        vm.warp(NOT_AFTER + 1);
        bytes memory reason = abi.encodeWithSelector(Consents.Expired.selector, ID, NOT_AFTER);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
    }

    function test_grant_failsForAnUnknownSubject() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        bytes memory reason = abi.encodeWithSelector(Consents.UnknownSubject.selector, bytes32("nobody"));
        _grantRefused(reason, "nobody", COMMITMENT, NOT_AFTER, auth);
    }

    function test_grant_failsForAnotherRelyingParty() public {
        bytes32 elsewhere = sha256("elsewhere.example");
        bytes32 challenge = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        bytes memory reason = abi.encodeWithSelector(Consents.WrongRelyingParty.selector, RP_ID_HASH, elsewhere);
        WebAuthn.WebAuthnAuth memory auth =
            assertion(KEY, challenge, elsewhere, USER_PRESENT | USER_VERIFIED, "webauthn.get");
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
    }

    function test_grant_failsWithoutUserVerificationOrPresence() public {
        bytes32 challenge = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        _badGrant(assertion(KEY, challenge, RP_ID_HASH, USER_PRESENT, "webauthn.get"));
        _badGrant(assertion(KEY, challenge, RP_ID_HASH, USER_VERIFIED, "webauthn.get"));
    }

    function test_grant_failsForAnotherCeremony() public {
        bytes32 challenge = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        _badGrant(assertion(KEY, challenge, RP_ID_HASH, USER_PRESENT | USER_VERIFIED, "webauthn.create"));
    }

    function test_grant_failsForAnotherKeyOrChallenge() public {
        _badGrant(assertion(OTHER_KEY, _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER)));
        _badGrant(assertion(KEY, _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER + 1)));
        _badGrant(assertion(KEY, _consents.grantHash(SUBJECT, ID, "other", NOT_AFTER)));
        _badGrant(assertion(KEY, _consents.revokeHash(SUBJECT, ID)));
    }

    function test_grant_failsForAnAssertionMadeForAnotherContract() public {
        Consents elsewhere = new Consents(_members);
        _badGrant(assertion(KEY, elsewhere.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER)));
    }

    function test_grant_failsForTheHighS() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        auth.s = otherS(auth.s);
        _badGrant(auth);
        auth.s = otherS(auth.s);
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, auth);
    }

    function test_grant_failsForTruncatedAuthenticatorData() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        auth.authenticatorData = abi.encodePacked(RP_ID_HASH, USER_PRESENT | USER_VERIFIED);
        sign(KEY, auth);
        _badGrant(auth);
        auth.authenticatorData = abi.encodePacked(bytes16(RP_ID_HASH));
        sign(KEY, auth);
        _badGrant(auth);
    }

    function test_grant_failsForIndicesOutsideTheClientData() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        auth.typeIndex = type(uint256).max;
        _badGrant(auth);
        auth.typeIndex = 1;
        auth.challengeIndex = type(uint256).max;
        _badGrant(auth);
    }

    function testFuzz_grant_failsForAnyBitFlipped(uint256 seed) public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        uint256 bit = seed % 512;
        if (bit < 256) auth.r ^= bytes32(1 << bit);
        else auth.s ^= bytes32(1 << (bit - 256));
        _badGrant(auth);
        if (bit < 256) auth.r ^= bytes32(1 << bit);
        else auth.s ^= bytes32(1 << (bit - 256));

        bytes memory data = bytes(auth.clientDataJSON);
        data[seed % data.length] ^= bytes1(uint8(1 << (seed % 8)));
        _badGrant(auth);
        data[seed % data.length] ^= bytes1(uint8(1 << (seed % 8)));
        // Past the relying party, whose refusal has a name of its own.
        auth.authenticatorData[32 + seed % 5] ^= bytes1(uint8(1 << (seed % 8)));
        _badGrant(auth);
    }

    function testFuzz_grant_acceptsWhatTheSubjectSigned(
        uint256 key,
        bytes32 subject,
        bytes32 id,
        bytes32 commitment,
        uint64 notAfter
    ) public {
        vm.assume(subject != SUBJECT);
        key = fold(key, 1, 1 << 250);
        notAfter = uint64(fold(notAfter, NOW, type(uint64).max));
        _enroll(OTHER, subject, key);
        WebAuthn.WebAuthnAuth memory auth = assertion(key, _consents.grantHash(subject, id, commitment, notAfter));
        _consents.grant(subject, id, commitment, notAfter, auth);
        assertTrue(_consents.isActive(id, commitment), "active");
    }

    function test_revoke_endsTheConsentForGood() public {
        WebAuthn.WebAuthnAuth memory granted = _grant();
        WebAuthn.WebAuthnAuth memory auth = _revokeAuth();
        vm.expectEmit(address(_consents));
        emit Consents.Revoked(SUBJECT, ID);
        vm.prank(STRANGER);
        _consents.revoke(SUBJECT, ID, auth);

        (,,, bool wasGranted, bool revoked) = _consents.consent(ID);
        assertTrue(wasGranted && revoked, "granted and revoked");
        assertTrue(_consents.isRevoked(SUBJECT, ID), "revoked");
        assertTrue(!_consents.isActive(ID, COMMITMENT), "not active");
        bytes memory reason = abi.encodeWithSelector(Consents.AlreadyRevoked.selector, ID);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, granted);
    }

    function test_revoke_repeatedEmitsNothing() public {
        _grant();
        WebAuthn.WebAuthnAuth memory auth = _revokeAuth();
        _consents.revoke(SUBJECT, ID, auth);
        vm.recordLogs();
        _consents.revoke(SUBJECT, ID, auth);
        assertEq(0, vm.getRecordedLogs().length, "events");
    }

    function test_revoke_beforeTheGrantKeepsItFromEverBeingActive() public {
        WebAuthn.WebAuthnAuth memory granted = _grantAuth();
        _consents.revoke(SUBJECT, ID, _revokeAuth());
        assertTrue(_consents.isRevoked(SUBJECT, ID), "revoked");
        bytes memory reason = abi.encodeWithSelector(Consents.AlreadyRevoked.selector, ID);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, granted);
        assertTrue(!_consents.isActive(ID, COMMITMENT), "not active");
    }

    function test_revoke_holdsAfterTheConsentsTime() public {
        _grant();
        WebAuthn.WebAuthnAuth memory auth = _revokeAuth();
        vm.warp(NOT_AFTER + 1);
        _consents.revoke(SUBJECT, ID, auth);
        assertTrue(_consents.isRevoked(SUBJECT, ID), "revoked");
    }

    function test_revoke_ofAnotherSubjectTouchesNoConsent() public {
        _enroll(OTHER, "another", OTHER_KEY);
        bytes32 challenge = _consents.revokeHash("another", ID);
        WebAuthn.WebAuthnAuth memory auth = assertion(OTHER_KEY, challenge);
        _consents.revoke("another", ID, auth);
        _grant();
        assertTrue(_consents.isActive(ID, COMMITMENT), "whoever revokes an id first does not use it up");

        _consents = new Consents(_members);
        _enroll(MEMBER, SUBJECT, KEY);
        _enroll(OTHER, "another", OTHER_KEY);
        _grant();
        auth = assertion(OTHER_KEY, _consents.revokeHash("another", ID));
        vm.expectRevert(abi.encodeWithSelector(Consents.OtherSubject.selector, ID, SUBJECT));
        _consents.revoke("another", ID, auth);
        assertTrue(_consents.isActive(ID, COMMITMENT), "still active");
    }

    function test_revoke_failsWithoutTheSubjectsSignature() public {
        WebAuthn.WebAuthnAuth memory granted = _grant();
        bytes32 challenge = _consents.revokeHash(SUBJECT, ID);
        _badRevoke(granted);
        _badRevoke(assertion(OTHER_KEY, challenge));
        _badRevoke(assertion(KEY, _consents.revokeHash(SUBJECT, "other")));
        _badRevoke(assertion(KEY, challenge, RP_ID_HASH, USER_PRESENT, "webauthn.get"));
        WebAuthn.WebAuthnAuth memory auth = _revokeAuth();
        vm.expectRevert(abi.encodeWithSelector(Consents.UnknownSubject.selector, bytes32("nobody")));
        _consents.revoke("nobody", "other", auth);
        assertTrue(_consents.isActive(ID, COMMITMENT), "still active");
    }

    function test_hashes_areThoseOfEip712() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Salus Consents"),
                keccak256("1"),
                block.chainid,
                address(_consents)
            )
        );
        bytes32 grantType = keccak256("Grant(bytes32 subject,bytes32 id,bytes32 commitment,uint64 notAfter)");
        bytes32 grantStruct = keccak256(abi.encode(grantType, SUBJECT, ID, COMMITMENT, NOT_AFTER));
        bytes32 revokeStruct = keccak256(abi.encode(keccak256("Revoke(bytes32 subject,bytes32 id)"), SUBJECT, ID));
        bytes32 grantHash = keccak256(abi.encodePacked(hex"1901", domain, grantStruct));
        bytes32 revokeHash = keccak256(abi.encodePacked(hex"1901", domain, revokeStruct));
        assertEq(grantHash, _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER), "grant");
        assertEq(revokeHash, _consents.revokeHash(SUBJECT, ID), "revoke");
    }

    function _enroll(address member, bytes32 subject, uint256 key) private {
        (bytes32 qx, bytes32 qy) = publicKey(key);
        vm.prank(member);
        _consents.enroll(subject, qx, qy, RP_ID_HASH);
    }

    function _grantAuth() private view returns (WebAuthn.WebAuthnAuth memory) {
        return assertion(KEY, _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER));
    }

    function _revokeAuth() private view returns (WebAuthn.WebAuthnAuth memory) {
        return assertion(KEY, _consents.revokeHash(SUBJECT, ID));
    }

    function _grant() private returns (WebAuthn.WebAuthnAuth memory auth) {
        auth = _grantAuth();
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, auth);
    }

    function _grantRefused(
        bytes memory reason,
        bytes32 subject,
        bytes32 commitment,
        uint64 notAfter,
        WebAuthn.WebAuthnAuth memory auth
    ) private {
        vm.expectRevert(reason);
        _consents.grant(subject, ID, commitment, notAfter, auth);
    }

    function _badGrant(WebAuthn.WebAuthnAuth memory auth) private {
        bytes32 challenge = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        bytes memory reason = abi.encodeWithSelector(Consents.BadAssertion.selector, SUBJECT, challenge);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
    }

    function _badRevoke(WebAuthn.WebAuthnAuth memory auth) private {
        bytes32 challenge = _consents.revokeHash(SUBJECT, ID);
        vm.expectRevert(abi.encodeWithSelector(Consents.BadAssertion.selector, SUBJECT, challenge));
        _consents.revoke(SUBJECT, ID, auth);
    }
}

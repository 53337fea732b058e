// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Assertions} from "../src/Assertions.sol";
import {Consents} from "../src/Consents.sol";
import {Authority, Keyring} from "../src/Keyring.sol";
import {Members} from "../src/Members.sol";
import {Subjects} from "../src/Subjects.sol";
import {Patients} from "./Patients.sol";

contract ConsentsTest is Patients {
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
    Subjects private _subjects;
    Consents private _consents;

    function setUp() public {
        vm.warp(NOW);
        vm.prank(MEMBER);
        _members = new Members("Member");
        vm.prank(MEMBER);
        _members.vote(OTHER, "Other", true);
        _subjects = new Subjects(_members);
        _consents = new Consents(_members, _subjects);
        _enroll(MEMBER, SUBJECT, KEY);
    }

    function test_grant_makesTheConsentActiveForItsTermsAndTime() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        assertTrue(!_consents.isActive(ID, COMMITMENT), "before the grant");
        vm.expectEmit(address(_consents));
        emit Consents.Granted(SUBJECT, ID, idOf(KEY), Authority.Own, COMMITMENT, NOT_AFTER);
        vm.prank(STRANGER);
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, idOf(KEY), auth);

        (bytes32 subject, bytes32 commitment, uint64 notAfter, bytes32 by, Authority authority, bytes32 revokedBy) =
            _consents.consent(ID);
        assertEq(SUBJECT, subject, "subject");
        assertEq(COMMITMENT, commitment, "commitment");
        assertEq(NOT_AFTER, notAfter, "not after");
        assertEq(idOf(KEY), by, "by");
        assertTrue(authority == Authority.Own && revokedBy == 0, "granted, not revoked");
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
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, idOf(KEY), auth);
        vm.warp(NOT_AFTER + 1);
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, idOf(KEY), auth);
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
        bytes memory reason = abi.encodeWithSelector(Keyring.UnknownSubject.selector, bytes32("nobody"));
        _grantRefused(reason, "nobody", COMMITMENT, NOT_AFTER, auth);
    }

    function test_grant_failsForAnotherRelyingParty() public {
        bytes32 elsewhere = sha256("elsewhere.example");
        bytes32 challenge = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        bytes memory reason = abi.encodeWithSelector(Assertions.WrongRelyingParty.selector, RP_ID_HASH, elsewhere);
        WebAuthn.WebAuthnAuth memory auth =
            assertion(KEY, challenge, elsewhere, USER_PRESENT | USER_VERIFIED, "webauthn.get");
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
    }

    function test_grant_failsWithoutUserVerificationOrPresence() public {
        bytes32 challenge = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        bytes memory reason = abi.encodeWithSelector(Assertions.UserNotVerified.selector, USER_PRESENT);
        WebAuthn.WebAuthnAuth memory auth = assertion(KEY, challenge, RP_ID_HASH, USER_PRESENT, "webauthn.get");
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
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

    function test_grant_failsForAnAssertionMadeForAnotherContractOrChain() public {
        Consents elsewhere = new Consents(_members, _subjects);
        _badGrant(assertion(KEY, elsewhere.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER)));
        bytes memory structure = _grantStruct();
        assertEq(
            _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER),
            digest(address(_consents), "Salus Consents", structure),
            "this contract and chain"
        );
        _badGrant(assertion(KEY, digest(address(_consents), "Salus Consents", structure, block.chainid + 1)));
        _badGrant(assertion(KEY, digest(address(_consents), "Salus Subjects", structure)));
    }

    function test_grant_failsOnAChainThatSplitOff() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        bytes32 here = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        vm.chainId(block.chainid + 1);
        assertTrue(here != _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER), "another challenge");
        _badGrant(auth);
    }

    function test_grant_failsForTheHighS() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        auth.s = otherS(auth.s);
        bytes memory reason = abi.encodeWithSelector(Assertions.HighS.selector, auth.s);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
        auth.s = otherS(auth.s);
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, idOf(KEY), auth);
    }

    function test_grant_failsForTruncatedAuthenticatorData() public {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth();
        auth.authenticatorData = abi.encodePacked(RP_ID_HASH, USER_PRESENT | USER_VERIFIED, bytes3(0));
        sign(KEY, auth);
        bytes memory reason = abi.encodeWithSelector(Assertions.TruncatedAssertion.selector, 37, 36);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
        auth.authenticatorData = "";
        reason = abi.encodeWithSelector(Assertions.TruncatedAssertion.selector, 37, 0);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
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
        bytes1 flip = bytes1(uint8(1 << (seed % 8)));
        bytes memory data = bytes(auth.clientDataJSON);
        data[seed % data.length] ^= flip;
        _badGrant(auth);
        data[seed % data.length] ^= flip;
        auth.r ^= bytes32(1 << (seed % 256));
        _badGrant(auth);
        auth.r ^= bytes32(1 << (seed % 256));
        // Below the bit that would make it a high one, which has a name of its own, as have the other refusals here.
        auth.s ^= bytes32(1 << (seed % 250));
        _badGrant(auth);
        auth.s ^= bytes32(1 << (seed % 250));
        auth.authenticatorData[33 + seed % 4] ^= flip;
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
        _consents.grant(subject, id, commitment, notAfter, idOf(key), auth);
        assertTrue(_consents.isActive(id, commitment), "active");
    }

    function test_revoke_endsTheConsentForGood() public {
        WebAuthn.WebAuthnAuth memory granted = _grant();
        WebAuthn.WebAuthnAuth memory auth = _revokeAuth();
        vm.expectEmit(address(_consents));
        emit Consents.Revoked(SUBJECT, ID, idOf(KEY), Authority.Own);
        vm.prank(STRANGER);
        _consents.revoke(SUBJECT, ID, idOf(KEY), auth);

        (,,,, Authority authority, bytes32 revokedBy) = _consents.consent(ID);
        assertTrue(authority == Authority.Own && revokedBy == idOf(KEY), "granted and revoked");
        assertTrue(_consents.isRevoked(SUBJECT, ID), "revoked");
        assertTrue(!_consents.isActive(ID, COMMITMENT), "not active");
        bytes memory reason = abi.encodeWithSelector(Consents.AlreadyRevoked.selector, ID);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, granted);
    }

    function test_revoke_repeatedEmitsNothing() public {
        _grant();
        WebAuthn.WebAuthnAuth memory auth = _revokeAuth();
        _consents.revoke(SUBJECT, ID, idOf(KEY), auth);
        vm.recordLogs();
        _consents.revoke(SUBJECT, ID, idOf(KEY), auth);
        assertEq(0, vm.getRecordedLogs().length, "events");
    }

    function test_revoke_beforeTheGrantKeepsItFromEverBeingActive() public {
        WebAuthn.WebAuthnAuth memory granted = _grantAuth();
        _consents.revoke(SUBJECT, ID, idOf(KEY), _revokeAuth());
        assertTrue(_consents.isRevoked(SUBJECT, ID), "revoked");
        bytes memory reason = abi.encodeWithSelector(Consents.AlreadyRevoked.selector, ID);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, granted);
        assertTrue(!_consents.isActive(ID, COMMITMENT), "not active");
    }

    function test_revoke_holdsAfterTheConsentsTime() public {
        _grant();
        WebAuthn.WebAuthnAuth memory auth = _revokeAuth();
        vm.warp(NOT_AFTER + 1);
        _consents.revoke(SUBJECT, ID, idOf(KEY), auth);
        assertTrue(_consents.isRevoked(SUBJECT, ID), "revoked");
    }

    function test_revoke_ofAnotherSubjectTouchesNoConsent() public {
        _enroll(OTHER, "another", OTHER_KEY);
        bytes32 challenge = _consents.revokeHash("another", ID);
        WebAuthn.WebAuthnAuth memory auth = assertion(OTHER_KEY, challenge);
        _consents.revoke("another", ID, idOf(OTHER_KEY), auth);
        _grant();
        assertTrue(_consents.isActive(ID, COMMITMENT), "whoever revokes an id first does not use it up");

        _consents = new Consents(_members, _subjects);
        _grant();
        auth = assertion(OTHER_KEY, _consents.revokeHash("another", ID));
        vm.expectRevert(abi.encodeWithSelector(Consents.OtherSubject.selector, ID, SUBJECT));
        _consents.revoke("another", ID, idOf(OTHER_KEY), auth);
        assertTrue(_consents.isActive(ID, COMMITMENT), "still active");
    }

    function test_revoke_failsWithoutTheSubjectsSignature() public {
        WebAuthn.WebAuthnAuth memory granted = _grant();
        bytes32 challenge = _consents.revokeHash(SUBJECT, ID);
        _badRevoke(granted);
        _badRevoke(assertion(OTHER_KEY, challenge));
        _badRevoke(assertion(KEY, _consents.revokeHash(SUBJECT, "other")));
        WebAuthn.WebAuthnAuth memory auth = _revokeAuth();
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownSubject.selector, bytes32("nobody")));
        _consents.revoke("nobody", "other", idOf(KEY), auth);
        assertTrue(_consents.isActive(ID, COMMITMENT), "still active");
    }

    function test_hashes_areThoseOfEip712() public view {
        bytes32 typehash = keccak256("Revoke(bytes32 subject,bytes32 id)");
        bytes32 revokeHash = digest(address(_consents), "Salus Consents", abi.encode(typehash, SUBJECT, ID));
        assertEq(revokeHash, _consents.revokeHash(SUBJECT, ID), "revoke");
        bytes32 grantHash = digest(address(_consents), "Salus Consents", _grantStruct());
        assertEq(grantHash, _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER), "grant");
        assertEq(address(_subjects), address(_consents.subjects()), "subjects");
        assertEq(address(_members), address(_consents.members()), "consortium");
    }

    function _enroll(address member, bytes32 subject, uint256 key) private {
        vm.prank(member);
        _subjects.enroll(subject, passkey(key));
    }

    function _grantStruct() private pure returns (bytes memory) {
        bytes32 typehash = keccak256("Grant(bytes32 subject,bytes32 id,bytes32 commitment,uint64 notAfter)");
        return abi.encode(typehash, SUBJECT, ID, COMMITMENT, NOT_AFTER);
    }

    function _grantAuth() private view returns (WebAuthn.WebAuthnAuth memory) {
        return assertion(KEY, _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER));
    }

    function _revokeAuth() private view returns (WebAuthn.WebAuthnAuth memory) {
        return assertion(KEY, _consents.revokeHash(SUBJECT, ID));
    }

    function _grant() private returns (WebAuthn.WebAuthnAuth memory auth) {
        auth = _grantAuth();
        _consents.grant(SUBJECT, ID, COMMITMENT, NOT_AFTER, idOf(KEY), auth);
    }

    function _grantRefused(
        bytes memory reason,
        bytes32 subject,
        bytes32 commitment,
        uint64 notAfter,
        WebAuthn.WebAuthnAuth memory auth
    ) private {
        vm.expectRevert(reason);
        _consents.grant(subject, ID, commitment, notAfter, idOf(KEY), auth);
    }

    function _badGrant(WebAuthn.WebAuthnAuth memory auth) private {
        bytes32 challenge = _consents.grantHash(SUBJECT, ID, COMMITMENT, NOT_AFTER);
        bytes memory reason = abi.encodeWithSelector(Assertions.BadAssertion.selector, idOf(KEY), challenge);
        _grantRefused(reason, SUBJECT, COMMITMENT, NOT_AFTER, auth);
    }

    function _badRevoke(WebAuthn.WebAuthnAuth memory auth) private {
        bytes32 challenge = _consents.revokeHash(SUBJECT, ID);
        vm.expectRevert(abi.encodeWithSelector(Assertions.BadAssertion.selector, idOf(KEY), challenge));
        _consents.revoke(SUBJECT, ID, idOf(KEY), auth);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Assertions, PublicKey} from "../src/Assertions.sol";
import {Consents} from "../src/Consents.sol";
import {Authority, Keyring} from "../src/Keyring.sol";
import {Members, NotMember} from "../src/Members.sol";
import {Subjects} from "../src/Subjects.sol";
import {Patients} from "./Patients.sol";

contract SubjectsTest is Patients {
    address private constant MEMBER = address(0xA);
    address private constant OTHER = address(0xB);
    address private constant STRANGER = address(0xF);
    bytes32 private constant SUBJECT = "subject";
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant SECOND = 0xA11CF;
    uint256 private constant PARENT = 0xB0B;
    uint64 private constant NOW = 1_800_000_000;
    uint64 private constant NOT_AFTER = NOW + 30 days;

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
        vm.prank(MEMBER);
        _subjects.enroll(SUBJECT, passkey(KEY));
    }

    function test_enroll_bindsTheSubjectToAKeyAndItsMember() public {
        vm.expectEmit(address(_subjects));
        emit Keyring.Enrolled("another", 2, idOf(PARENT), passkey(PARENT));
        vm.prank(OTHER);
        _subjects.enroll("another", passkey(PARENT));
        (uint64 member, uint64 sequence, uint32 keyCount) = _subjects.subjectOf("another");
        assertEq(2, member, "member");
        assertEq(0, sequence, "sequence");
        assertEq(1, keyCount, "keys");
        (PublicKey memory key, Authority authority) = _subjects.keyOf("another", idOf(PARENT));
        assertEq(passkey(PARENT).qx, key.qx, "qx");
        assertEq(RP_ID_HASH, key.rpIdHash, "relying party");
        assertTrue(authority == Authority.Own, "its own");
        assertEq(idOf(PARENT), _subjects.keyId(key), "key id");
    }

    function test_enroll_repeatedEmitsNothing() public {
        vm.recordLogs();
        vm.prank(MEMBER);
        _subjects.enroll(SUBJECT, passkey(KEY));
        assertEq(0, vm.getRecordedLogs().length, "events");
    }

    function test_enroll_failsForAnotherKeyMemberOrRelyingParty() public {
        bytes memory reason = abi.encodeWithSelector(Keyring.AlreadyEnrolled.selector, SUBJECT, 1);
        _enrollRefused(reason, MEMBER, SUBJECT, passkey(SECOND));
        _enrollRefused(reason, OTHER, SUBJECT, passkey(KEY));
        PublicKey memory elsewhere = passkey(KEY);
        elsewhere.rpIdHash = "elsewhere";
        _enrollRefused(reason, MEMBER, SUBJECT, elsewhere);
    }

    function test_enroll_failsForStrangersAndPointsOffTheCurve() public {
        _enrollRefused(abi.encodeWithSelector(NotMember.selector, STRANGER), STRANGER, "another", passkey(KEY));
        PublicKey memory off = passkey(KEY);
        off.qy = off.qx;
        bytes memory reason = abi.encodeWithSelector(Assertions.InvalidKey.selector, off.qx, off.qy);
        _enrollRefused(reason, MEMBER, "another", off);
    }

    function test_addKey_letsTheNewKeySignAsTheFirstDoes() public {
        vm.expectEmit(address(_subjects));
        emit Keyring.KeyAdded(SUBJECT, idOf(SECOND), idOf(KEY), passkey(SECOND), 0);
        addKey(_subjects, SUBJECT, SECOND, KEY);
        (, uint64 sequence, uint32 keyCount) = _subjects.subjectOf(SUBJECT);
        assertEq(1, sequence, "sequence");
        assertEq(2, keyCount, "keys");
        _grant("id", SECOND);
        (,,, bytes32 by, Authority authority,) = _consents.consent("id");
        assertEq(idOf(SECOND), by, "by");
        assertTrue(authority == Authority.Own, "its own");
    }

    function test_addKey_failsForUsedKeysAndPointsOffTheCurve() public {
        vm.expectRevert(abi.encodeWithSelector(Keyring.UsedKey.selector, SUBJECT, idOf(KEY)));
        this.add(KEY, KEY);
        addKey(_subjects, SUBJECT, SECOND, KEY);
        removeKey(_subjects, SUBJECT, SECOND, KEY);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UsedKey.selector, SUBJECT, idOf(SECOND)));
        this.add(SECOND, KEY);

        PublicKey memory off = PublicKey("off", "the curve", RP_ID_HASH);
        bytes32 typehash = keccak256("AddKey(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)");
        bytes32 challenge = digest(address(_subjects), "Salus Subjects", abi.encode(typehash, SUBJECT, off, uint64(2)));
        WebAuthn.WebAuthnAuth memory auth = assertion(KEY, challenge);
        vm.expectRevert(abi.encodeWithSelector(Assertions.InvalidKey.selector, off.qx, off.qy));
        _subjects.addKey(SUBJECT, off, 2, idOf(KEY), auth);
    }

    function test_addKey_failsReplayedOutOfTurnOrSignedByOthers() public {
        bytes32 challenge = addKeyHash(_subjects, SUBJECT, SECOND, 0);
        WebAuthn.WebAuthnAuth memory auth = assertion(KEY, challenge);
        WebAuthn.WebAuthnAuth memory forged = assertion(PARENT, challenge);
        vm.expectRevert(abi.encodeWithSelector(Assertions.BadAssertion.selector, idOf(KEY), challenge));
        _subjects.addKey(SUBJECT, passkey(SECOND), 0, idOf(KEY), forged);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(PARENT)));
        _subjects.addKey(SUBJECT, passkey(SECOND), 0, idOf(PARENT), forged);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownSubject.selector, bytes32("nobody")));
        _subjects.addKey("nobody", passkey(SECOND), 0, idOf(KEY), auth);
        vm.expectRevert(abi.encodeWithSelector(Keyring.StaleSequence.selector, 0, 1));
        _subjects.addKey(SUBJECT, passkey(SECOND), 1, idOf(KEY), auth);
        _subjects.addKey(SUBJECT, passkey(SECOND), 0, idOf(KEY), auth);
        vm.expectRevert(abi.encodeWithSelector(Keyring.StaleSequence.selector, 1, 0));
        _subjects.addKey(SUBJECT, passkey(SECOND), 0, idOf(KEY), auth);
    }

    function test_addKey_failsForAnAssertionMadeForAnotherContract() public {
        Subjects elsewhere = new Subjects(_members);
        WebAuthn.WebAuthnAuth memory auth = assertion(KEY, addKeyHash(elsewhere, SUBJECT, SECOND, 0));
        bytes32 challenge = addKeyHash(_subjects, SUBJECT, SECOND, 0);
        vm.expectRevert(abi.encodeWithSelector(Assertions.BadAssertion.selector, idOf(KEY), challenge));
        _subjects.addKey(SUBJECT, passkey(SECOND), 0, idOf(KEY), auth);
    }

    function test_removeKey_endsWhatTheKeySignsEvenWhatItHasSigned() public {
        addKey(_subjects, SUBJECT, SECOND, KEY);
        WebAuthn.WebAuthnAuth memory held = _grantAuth("held", SECOND);
        vm.expectEmit(address(_subjects));
        emit Keyring.KeyRemoved(SUBJECT, idOf(SECOND), idOf(KEY), 1);
        removeKey(_subjects, SUBJECT, SECOND, KEY);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(SECOND)));
        _consents.grant(SUBJECT, "held", "commitment", NOT_AFTER, idOf(SECOND), held);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(SECOND)));
        this.add(PARENT, SECOND);
        (, Authority authority) = _subjects.keyOf(SUBJECT, idOf(SECOND));
        assertTrue(authority == Authority.None, "signs no more");
    }

    function test_removeKey_canBeTheSignersButNeverTheLastOrAStrangers() public {
        vm.expectRevert(abi.encodeWithSelector(Keyring.LastKey.selector, SUBJECT));
        this.remove(KEY, KEY);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(PARENT)));
        this.remove(PARENT, KEY);
        addKey(_subjects, SUBJECT, SECOND, KEY);
        removeKey(_subjects, SUBJECT, KEY, KEY);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(KEY)));
        this.remove(KEY, SECOND);
        (,, uint32 keyCount) = _subjects.subjectOf(SUBJECT);
        assertEq(1, keyCount, "keys");
    }

    function test_delegate_grantsAndRevokesInTheSubjectsPlace() public {
        vm.expectEmit(address(_subjects));
        emit Keyring.DelegateAdded(SUBJECT, idOf(PARENT), idOf(KEY), passkey(PARENT), "relation", NOT_AFTER, 0);
        addDelegate(_subjects, SUBJECT, PARENT, NOT_AFTER, KEY);
        (PublicKey memory key, bytes32 relation, uint64 notAfter) = _subjects.delegateOf(SUBJECT, idOf(PARENT));
        assertEq(passkey(PARENT).qy, key.qy, "qy");
        assertEq("relation", relation, "relation");
        assertEq(NOT_AFTER, notAfter, "not after");

        WebAuthn.WebAuthnAuth memory auth = _grantAuth("id", PARENT);
        vm.expectEmit(address(_consents));
        emit Consents.Granted(SUBJECT, "id", idOf(PARENT), Authority.Delegate, "commitment", NOT_AFTER);
        _consents.grant(SUBJECT, "id", "commitment", NOT_AFTER, idOf(PARENT), auth);
        _grant("own", KEY);
        _revoke("own", PARENT);
        assertTrue(!_consents.isActive("own", "commitment"), "a delegate revokes what the subject granted");
        assertTrue(_consents.isActive("id", "commitment"), "granted");
        _revoke("id", KEY);
        assertTrue(!_consents.isActive("id", "commitment"), "the subject revokes what a delegate granted");
    }

    function test_delegate_withdrawnSignsNothingMoreAndWhatItSignedStands() public {
        addDelegate(_subjects, SUBJECT, PARENT, NOT_AFTER, KEY);
        _grant("id", PARENT);
        WebAuthn.WebAuthnAuth memory held = _grantAuth("held", PARENT);
        vm.expectEmit(address(_subjects));
        emit Keyring.DelegateRemoved(SUBJECT, idOf(PARENT), idOf(KEY), 1);
        removeDelegate(_subjects, SUBJECT, PARENT, KEY);
        assertTrue(_consents.isActive("id", "commitment"), "the consent stands");
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(PARENT)));
        _consents.grant(SUBJECT, "held", "commitment", NOT_AFTER, idOf(PARENT), held);
        (,, uint64 notAfter) = _subjects.delegateOf(SUBJECT, idOf(PARENT));
        assertEq(0, notAfter, "no delegate");
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(PARENT)));
        this.withdraw(PARENT);
        addDelegate(_subjects, SUBJECT, PARENT, NOT_AFTER, KEY);
        _grant("again", PARENT);
    }

    function test_delegate_signsUpToItsLastSecondAndNoChangeOfKeys() public {
        addDelegate(_subjects, SUBJECT, PARENT, NOW + 10, KEY);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(PARENT)));
        this.add(SECOND, PARENT);
        vm.warp(NOW + 10);
        _grant("id", PARENT);
        WebAuthn.WebAuthnAuth memory late = _grantAuth("late", PARENT);
        vm.warp(NOW + 11);
        vm.expectRevert(abi.encodeWithSelector(Keyring.DelegateExpired.selector, idOf(PARENT), NOW + 10));
        _consents.grant(SUBJECT, "late", "commitment", NOT_AFTER, idOf(PARENT), late);
        vm.expectRevert(abi.encodeWithSelector(Keyring.DelegateExpired.selector, idOf(PARENT), NOW + 10));
        this.delegateTo(PARENT, NOW + 10);
        assertTrue(_consents.isActive("id", "commitment"), "what it signed stands");
    }

    function test_requireSigned_checksEachSignersRelyingParty() public {
        addDelegate(_subjects, SUBJECT, PARENT, NOT_AFTER, KEY);
        bytes32 challenge = _consents.grantHash(SUBJECT, "id", "commitment", NOT_AFTER);
        bytes1 flags = USER_PRESENT | USER_VERIFIED;
        WebAuthn.WebAuthnAuth memory auth = assertion(PARENT, challenge, "elsewhere", flags, "webauthn.get");
        vm.expectRevert(abi.encodeWithSelector(Assertions.WrongRelyingParty.selector, RP_ID_HASH, bytes32("elsewhere")));
        _subjects.requireSigned(SUBJECT, idOf(PARENT), challenge, auth);
    }

    function testFuzz_requireSigned_isTrueForKeysOfTheSubjectAlone(uint256 key, bytes32 challenge) public {
        key = fold(key, 1, 1 << 250);
        vm.assume(key != KEY);
        WebAuthn.WebAuthnAuth memory auth = assertion(key, challenge);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(key)));
        _subjects.requireSigned(SUBJECT, idOf(key), challenge, auth);
        vm.expectRevert(abi.encodeWithSelector(Assertions.BadAssertion.selector, idOf(KEY), challenge));
        _subjects.requireSigned(SUBJECT, idOf(KEY), challenge, auth);
        auth = assertion(KEY, challenge);
        assertTrue(_subjects.requireSigned(SUBJECT, idOf(KEY), challenge, auth) == Authority.Own, "its own");
    }

    /// @dev External, so that a refusal is expected of the last call that it makes.
    function add(uint256 key, uint256 by) external {
        addKey(_subjects, SUBJECT, key, by);
    }

    function remove(uint256 key, uint256 by) external {
        removeKey(_subjects, SUBJECT, key, by);
    }

    function withdraw(uint256 key) external {
        removeDelegate(_subjects, SUBJECT, key, KEY);
    }

    function delegateTo(uint256 key, uint64 notAfter) external {
        addDelegate(_subjects, SUBJECT, key, notAfter, KEY);
    }

    function _enrollRefused(bytes memory reason, address caller, bytes32 subject, PublicKey memory key) private {
        vm.expectRevert(reason);
        vm.prank(caller);
        _subjects.enroll(subject, key);
    }

    function _grantAuth(bytes32 id, uint256 key) private view returns (WebAuthn.WebAuthnAuth memory) {
        return assertion(key, _consents.grantHash(SUBJECT, id, "commitment", NOT_AFTER));
    }

    function _grant(bytes32 id, uint256 key) private {
        _consents.grant(SUBJECT, id, "commitment", NOT_AFTER, idOf(key), _grantAuth(id, key));
    }

    function _revoke(bytes32 id, uint256 key) private {
        _consents.revoke(SUBJECT, id, idOf(key), assertion(key, _consents.revokeHash(SUBJECT, id)));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Assertions, PublicKey} from "../src/Assertions.sol";
import {Consents} from "../src/Consents.sol";
import {Authority, Keyring} from "../src/Keyring.sol";
import {Members} from "../src/Members.sol";
import {Subjects} from "../src/Subjects.sol";
import {Patients} from "./Patients.sol";

/// @dev The subject's contacts have the private keys from CONTACTS on; two of three recover it after two days.
contract RecoveryTest is Patients {
    bytes32 private constant SUBJECT = "subject";
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant NEW_KEY = 0xA11CF;
    uint256 private constant PARENT = 0xB0B;
    uint256 private constant CONTACTS = 0xC0;
    uint64 private constant NOW = 1_800_000_000;
    uint32 private constant DELAY = 2 days;

    Subjects private _subjects;
    Consents private _consents;

    function setUp() public {
        vm.warp(NOW);
        Members members = new Members("Member");
        _subjects = new Subjects(members);
        _consents = new Consents(members, _subjects);
        _subjects.enroll(SUBJECT, passkey(KEY));
        setRecovery(_subjects, SUBJECT, termsOf(contactsFrom(CONTACTS, 3), 2, DELAY), KEY);
    }

    function test_setRecovery_showsTheTermsAndNoContact() public {
        Subjects.RecoveryTerms memory given = termsOf(contactsFrom(CONTACTS, 10), 10, 1 days);
        vm.expectEmit(address(_subjects));
        emit Subjects.RecoverySet(SUBJECT, idOf(KEY), given, 1);
        setRecovery(_subjects, SUBJECT, given, KEY);
        (Subjects.RecoveryTerms memory terms, PublicKey memory pending, uint64 effectiveAt) =
            _subjects.recoveryOf(SUBJECT);
        assertEq(given.contacts, terms.contacts, "contacts");
        assertEq(10, terms.count, "count");
        assertEq(10, terms.threshold, "threshold");
        assertEq(1 days, terms.delaySeconds, "delay");
        assertEq(0, effectiveAt, "nothing pending");
        assertEq(bytes32(0), pending.qx, "no key");
    }

    function test_setRecovery_failsForThresholdsAndDelaysThatProtectNobody() public {
        _setRefused(_thresholdRefusal(0, 3), 3, 0, DELAY);
        _setRefused(_thresholdRefusal(4, 3), 3, 4, DELAY);
        _setRefused(_thresholdRefusal(2, 11), 11, 2, DELAY);
        bytes memory reason = abi.encodeWithSelector(Subjects.DelayTooShort.selector, 1 days, 1 days - 1);
        _setRefused(reason, 3, 2, 1 days - 1);
    }

    function test_recovery_replacesAllKeysAndDelegatesAfterItsDelay() public {
        addDelegate(_subjects, SUBJECT, PARENT, NOW + 30 days, KEY);
        _grant("id", PARENT);
        WebAuthn.WebAuthnAuth memory held = _grantAuth("held", KEY);
        vm.expectEmit(address(_subjects));
        emit Subjects.RecoveryRequested(SUBJECT, idOf(NEW_KEY), passkey(NEW_KEY), NOW + DELAY, 2);
        _request(NEW_KEY, _two(2, 0));
        (, PublicKey memory pending, uint64 effectiveAt) = _subjects.recoveryOf(SUBJECT);
        assertEq(passkey(NEW_KEY).qx, pending.qx, "pending");
        assertEq(NOW + DELAY, effectiveAt, "effective at");

        vm.warp(NOW + DELAY - 1);
        _grant("before", KEY);
        vm.expectRevert(abi.encodeWithSelector(Subjects.RecoveryNotDue.selector, SUBJECT, NOW + DELAY));
        _subjects.completeRecovery(SUBJECT);
        vm.warp(NOW + DELAY);
        bytes memory due = abi.encodeWithSelector(Subjects.RecoveryDue.selector, SUBJECT, NOW + DELAY);
        vm.expectRevert(due);
        _consents.grant(SUBJECT, "held", "commitment", NOW + 30 days, idOf(KEY), held);
        vm.expectRevert(due);
        this.cancel(KEY);
        vm.expectEmit(address(_subjects));
        emit Subjects.Recovered(SUBJECT, idOf(NEW_KEY));
        _subjects.completeRecovery(SUBJECT);

        _grant("after", NEW_KEY);
        (,,,, Authority authority,) = _consents.consent("after");
        assertTrue(authority == Authority.Recovered, "in recovered right");
        assertTrue(_consents.isActive("id", "commitment"), "what was granted stands");
        _refusedGrant(KEY);
        _refusedGrant(PARENT);
        (,, uint64 notAfter) = _subjects.delegateOf(SUBJECT, idOf(PARENT));
        assertEq(0, notAfter, "no delegate");
        (,, uint32 keyCount) = _subjects.subjectOf(SUBJECT);
        assertEq(1, keyCount, "keys");
        vm.expectRevert(abi.encodeWithSelector(Keyring.UsedKey.selector, SUBJECT, idOf(KEY)));
        this.add(KEY, NEW_KEY);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(PARENT)));
        this.withdraw(PARENT, NEW_KEY);
    }

    function test_recovery_isCancelledByAnyKeyOfTheSubject() public {
        addKey(_subjects, SUBJECT, KEY + 7, KEY);
        _request(NEW_KEY, _two(0, 1));
        vm.expectRevert(abi.encodeWithSelector(Subjects.RecoveryPending.selector, SUBJECT, NOW + DELAY));
        this.request(NEW_KEY, _two(0, 1));
        vm.expectEmit(address(_subjects));
        emit Subjects.RecoveryCancelled(SUBJECT, idOf(KEY + 7), 3);
        cancelRecovery(_subjects, SUBJECT, KEY + 7);
        vm.warp(NOW + DELAY);
        vm.expectRevert(abi.encodeWithSelector(Subjects.NoRecovery.selector, SUBJECT));
        _subjects.completeRecovery(SUBJECT);
        vm.expectRevert(abi.encodeWithSelector(Subjects.NoRecovery.selector, SUBJECT));
        this.cancel(KEY);
        _grant("id", KEY);
    }

    function test_recovery_requestCountsOnce() public {
        bytes32 challenge = recoverHash(_subjects, SUBJECT, NEW_KEY, 1);
        Subjects.ContactSignature[] memory signatures = signedByContacts(challenge, CONTACTS, _two(0, 1));
        _subjects.requestRecovery(SUBJECT, passkey(NEW_KEY), 1, "salt", contactsFrom(CONTACTS, 3), signatures);
        cancelRecovery(_subjects, SUBJECT, KEY);
        vm.expectRevert(abi.encodeWithSelector(Keyring.StaleSequence.selector, 3, 1));
        _subjects.requestRecovery(SUBJECT, passkey(NEW_KEY), 1, "salt", contactsFrom(CONTACTS, 3), signatures);
    }

    function test_recovery_failsForOtherContacts() public {
        Subjects.ContactSignature[] memory signatures =
            signedByContacts(recoverHash(_subjects, SUBJECT, NEW_KEY, 1), CONTACTS, _two(0, 1));
        (Subjects.RecoveryTerms memory terms,,) = _subjects.recoveryOf(SUBJECT);
        bytes32 other = keccak256(abi.encode(bytes32("salt"), contactsFrom(CONTACTS + 1, 3)));
        _requestRefused(
            abi.encodeWithSelector(Subjects.OtherContacts.selector, terms.contacts, other),
            contactsFrom(CONTACTS + 1, 3),
            signatures
        );
        other = keccak256(abi.encode(bytes32("salt"), contactsFrom(CONTACTS, 2)));
        _requestRefused(
            abi.encodeWithSelector(Subjects.OtherContacts.selector, terms.contacts, other),
            contactsFrom(CONTACTS, 2),
            signatures
        );
        _requestRefused(_thresholdRefusal(2, 3), contactsFrom(CONTACTS, 11), signatures);
        vm.expectRevert(abi.encodeWithSelector(Subjects.OtherContacts.selector, bytes32(0), terms.contacts));
        _subjects.requestRecovery("nobody", passkey(NEW_KEY), 0, "salt", contactsFrom(CONTACTS, 3), signatures);
    }

    function test_recovery_failsForTooFewSignaturesOrOnesThatDoNotCount() public {
        bytes32 challenge = recoverHash(_subjects, SUBJECT, NEW_KEY, 1);
        PublicKey[] memory contacts = contactsFrom(CONTACTS, 3);
        uint8[] memory one = new uint8[](1);
        _requestRefused(
            abi.encodeWithSelector(Subjects.WrongSignatureCount.selector, 2, 1),
            contacts,
            signedByContacts(challenge, CONTACTS, one)
        );
        uint8[] memory three = new uint8[](3);
        (three[1], three[2]) = (1, 2);
        _requestRefused(
            abi.encodeWithSelector(Subjects.WrongSignatureCount.selector, 2, 3),
            contacts,
            signedByContacts(challenge, CONTACTS, three)
        );
        _requestRefused(
            abi.encodeWithSelector(Subjects.ContactsOutOfOrder.selector, idOf(CONTACTS), idOf(CONTACTS)),
            contacts,
            signedByContacts(challenge, CONTACTS, _two(0, 0))
        );
        Subjects.ContactSignature[] memory signatures = signedByContacts(challenge, CONTACTS, _two(0, 1));
        (signatures[0], signatures[1]) = (signatures[1], signatures[0]);
        bytes32 first = idOf(CONTACTS + signatures[0].contact);
        bytes32 second = idOf(CONTACTS + signatures[1].contact);
        _requestRefused(
            abi.encodeWithSelector(Subjects.ContactsOutOfOrder.selector, first, second), contacts, signatures
        );
        signatures = signedByContacts(challenge, CONTACTS, _two(0, 1));
        signatures[0].contact = 3;
        _requestRefused(abi.encodeWithSelector(Subjects.UnknownContact.selector, 3), contacts, signatures);
        signatures = signedByContacts(challenge, CONTACTS, _two(0, 1));
        signatures[1].auth = assertion(PARENT, challenge);
        second = idOf(CONTACTS + signatures[1].contact);
        _requestRefused(
            abi.encodeWithSelector(Assertions.BadAssertion.selector, second, challenge), contacts, signatures
        );
        signatures = signedByContacts(challenge, CONTACTS, _two(0, 1));
        signatures[0].auth.s = otherS(signatures[0].auth.s);
        _requestRefused(abi.encodeWithSelector(Assertions.HighS.selector, signatures[0].auth.s), contacts, signatures);
        (,, uint64 effectiveAt) = _subjects.recoveryOf(SUBJECT);
        assertEq(0, effectiveAt, "nothing pending");
    }

    function test_recovery_failsForAKeyThatWasTheSubjects() public {
        vm.expectRevert(abi.encodeWithSelector(Keyring.UsedKey.selector, SUBJECT, idOf(KEY)));
        this.request(KEY, _two(0, 1));
    }

    function test_recovery_holdsTheContactsDecisionWhateverTheKeysDidMeanwhile() public {
        _request(NEW_KEY, _two(0, 1));
        addKey(_subjects, SUBJECT, NEW_KEY, KEY);
        removeKey(_subjects, SUBJECT, NEW_KEY, KEY);
        setRecovery(_subjects, SUBJECT, termsOf(contactsFrom(PARENT, 1), 1, 30 days), KEY);
        vm.warp(NOW + DELAY);
        _subjects.completeRecovery(SUBJECT);
        _grant("id", NEW_KEY);
    }

    function testFuzz_recovery_takesAnyThresholdOfContacts(uint256 count, uint256 threshold, uint256 skipped) public {
        count = fold(count, 1, 10);
        threshold = fold(threshold, 1, count);
        skipped = fold(skipped, 0, count - threshold);
        setRecovery(_subjects, SUBJECT, termsOf(contactsFrom(CONTACTS, count), uint8(threshold), DELAY), KEY);
        uint8[] memory places = new uint8[](threshold);
        for (uint256 i = 0; i < threshold; ++i) {
            places[i] = uint8(skipped + i);
        }
        bytes32 challenge = recoverHash(_subjects, SUBJECT, NEW_KEY, 2);
        Subjects.ContactSignature[] memory signatures = signedByContacts(challenge, CONTACTS, places);
        _subjects.requestRecovery(SUBJECT, passkey(NEW_KEY), 2, "salt", contactsFrom(CONTACTS, count), signatures);
        vm.warp(NOW + DELAY);
        _subjects.completeRecovery(SUBJECT);
        _grant("id", NEW_KEY);
    }

    /// @dev External, so that a refusal is expected of the last call that it makes.
    function add(uint256 key, uint256 by) external {
        addKey(_subjects, SUBJECT, key, by);
    }

    function withdraw(uint256 key, uint256 by) external {
        removeDelegate(_subjects, SUBJECT, key, by);
    }

    function cancel(uint256 by) external {
        cancelRecovery(_subjects, SUBJECT, by);
    }

    function set(Subjects.RecoveryTerms memory terms) external {
        setRecovery(_subjects, SUBJECT, terms, KEY);
    }

    function request(uint256 key, uint8[] memory places) external {
        _request(key, places);
    }

    function _request(uint256 key, uint8[] memory places) private {
        uint64 sequence = sequenceOf(_subjects, SUBJECT);
        bytes32 challenge = recoverHash(_subjects, SUBJECT, key, sequence);
        Subjects.ContactSignature[] memory signatures = signedByContacts(challenge, CONTACTS, places);
        _subjects.requestRecovery(SUBJECT, passkey(key), sequence, "salt", contactsFrom(CONTACTS, 3), signatures);
    }

    function _requestRefused(
        bytes memory reason,
        PublicKey[] memory contacts,
        Subjects.ContactSignature[] memory signatures
    ) private {
        vm.expectRevert(reason);
        _subjects.requestRecovery(SUBJECT, passkey(NEW_KEY), 1, "salt", contacts, signatures);
    }

    function _setRefused(bytes memory reason, uint256 count, uint8 threshold, uint32 delaySeconds) private {
        Subjects.RecoveryTerms memory terms = termsOf(contactsFrom(CONTACTS, count), threshold, delaySeconds);
        vm.expectRevert(reason);
        this.set(terms);
    }

    function _thresholdRefusal(uint8 threshold, uint8 count) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Subjects.InvalidThreshold.selector, threshold, count, 10);
    }

    function _grantAuth(bytes32 id, uint256 key) private view returns (WebAuthn.WebAuthnAuth memory) {
        return assertion(key, _consents.grantHash(SUBJECT, id, "commitment", NOW + 30 days));
    }

    function _grant(bytes32 id, uint256 key) private {
        _consents.grant(SUBJECT, id, "commitment", NOW + 30 days, idOf(key), _grantAuth(id, key));
    }

    function _refusedGrant(uint256 key) private {
        WebAuthn.WebAuthnAuth memory auth = _grantAuth("refused", key);
        vm.expectRevert(abi.encodeWithSelector(Keyring.UnknownKey.selector, SUBJECT, idOf(key)));
        _consents.grant(SUBJECT, "refused", "commitment", NOW + 30 days, idOf(key), auth);
    }

    function _two(uint8 a, uint8 b) private pure returns (uint8[] memory places) {
        places = new uint8[](2);
        (places[0], places[1]) = (a, b);
    }
}

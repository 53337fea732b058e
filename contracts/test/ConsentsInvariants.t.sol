// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Consents} from "../src/Consents.sol";
import {Authority, Keyring} from "../src/Keyring.sol";
import {Members} from "../src/Members.sol";
import {Subjects} from "../src/Subjects.sol";
import {ConsentsMirror} from "./ConsentsMirror.sol";
import {Patients} from "./Patients.sol";
import {Log} from "./Test.sol";

/// @dev Two subjects share four ids and five keys. All that can be signed is signed, by whoever is meant to or not, and
/// comes in any order, forged, replayed, and sent to another deployment, while time passes.
contract ConsentsHandler is Patients, ConsentsMirror {
    uint256 private constant KEY_COUNT = 5;
    uint256 private constant CONTACTS = 0xC0;

    struct Call {
        address target;
        address twin;
        bytes data;
        /// @dev Signed by another key than the one it names.
        bool forged;
        bool counted;
    }

    Members private immutable MEMBERS;
    Subjects public immutable SUBJECTS;
    Consents public immutable CONSENTS;
    Subjects private immutable TWIN_SUBJECTS;
    Consents private immutable TWIN_CONSENTS;

    Call[] private _calls;
    /// @dev The key that recovery was last asked for.
    mapping(bytes32 subject => uint256) private _asked;
    bool public countedTwice;
    bool public countedElsewhere;
    bool public countedThoughForged;
    mapping(bytes32 id => bool) public wasInactive;

    constructor() {
        MEMBERS = new Members("Owner");
        SUBJECTS = new Subjects(MEMBERS);
        CONSENTS = new Consents(MEMBERS, SUBJECTS);
        TWIN_SUBJECTS = new Subjects(MEMBERS);
        TWIN_CONSENTS = new Consents(MEMBERS, TWIN_SUBJECTS);
        for (uint256 i = 0; i < 2; ++i) {
            TWIN_SUBJECTS.enroll(subjectAt(i), passkey(i + 1));
            vm.recordLogs();
            SUBJECTS.enroll(subjectAt(i), passkey(i + 1));
            apply_(vm.getRecordedLogs()[0]);
            setRecovery(SUBJECTS, subjectAt(i), termsOf(contactsFrom(CONTACTS, 3), 2, 1 days), i + 1);
            apply_(vm.getRecordedLogs()[0]);
        }
    }

    function grant(uint256 seed) external {
        (bytes32 subject, bytes32 id) = (subjectAt(seed), idAt(seed >> 8));
        bytes32 commitment = commitmentAt(seed >> 16);
        uint64 notAfter = uint64(block.timestamp + (seed >> 24) % 2 days);
        (uint256 by, WebAuthn.WebAuthnAuth memory auth) =
            _sign(seed >> 40, subject, CONSENTS.grantHash(subject, id, commitment, notAfter));
        _consent(seed, abi.encodeCall(Consents.grant, (subject, id, commitment, notAfter, idOf(by), auth)));
    }

    function revoke(uint256 seed) external {
        (bytes32 subject, bytes32 id) = (subjectAt(seed), idAt(seed >> 8));
        (uint256 by, WebAuthn.WebAuthnAuth memory auth) = _sign(seed >> 40, subject, CONSENTS.revokeHash(subject, id));
        _consent(seed, abi.encodeCall(Consents.revoke, (subject, id, idOf(by), auth)));
    }

    function changeKey(uint256 seed) external {
        (bytes32 subject, uint256 key) = (subjectAt(seed), keyAt(seed >> 8));
        uint64 sequence = sequenceOf(SUBJECTS, subject);
        if (seed >> 16 & 1 == 0) {
            (uint256 by, WebAuthn.WebAuthnAuth memory auth) =
                _sign(seed >> 40, subject, addKeyHash(SUBJECTS, subject, key, sequence));
            _subject(seed, abi.encodeCall(Keyring.addKey, (subject, passkey(key), sequence, idOf(by), auth)));
        } else {
            (uint256 by, WebAuthn.WebAuthnAuth memory auth) =
                _sign(seed >> 40, subject, removeKeyHash(SUBJECTS, subject, key, sequence));
            _subject(seed, abi.encodeCall(Keyring.removeKey, (subject, idOf(key), sequence, idOf(by), auth)));
        }
    }

    function delegate(uint256 seed) external {
        (bytes32 subject, uint256 key) = (subjectAt(seed), keyAt(seed >> 8));
        uint64 sequence = sequenceOf(SUBJECTS, subject);
        uint64 notAfter = uint64(block.timestamp + (seed >> 24) % 2 days);
        if (seed >> 16 & 3 != 0) {
            (uint256 by, WebAuthn.WebAuthnAuth memory auth) =
                _sign(seed >> 40, subject, addDelegateHash(SUBJECTS, subject, key, notAfter, sequence));
            bytes memory data = abi.encodeCall(
                Keyring.addDelegate, (subject, passkey(key), "relation", notAfter, sequence, idOf(by), auth)
            );
            _subject(seed, data);
        } else {
            (uint256 by, WebAuthn.WebAuthnAuth memory auth) =
                _sign(seed >> 40, subject, removeDelegateHash(SUBJECTS, subject, key, sequence));
            _subject(seed, abi.encodeCall(Keyring.removeDelegate, (subject, idOf(key), sequence, idOf(by), auth)));
        }
    }

    /// @dev Keys that no subject has had, so that recovery is not exhausted soon.
    function requestRecovery(uint256 seed) external {
        (bytes32 subject, uint256 key) = (subjectAt(seed), 0x100 + (seed >> 8) % 0xffff);
        _asked[subject] = key;
        uint64 sequence = sequenceOf(SUBJECTS, subject);
        uint8[] memory places = new uint8[](2);
        (places[0], places[1]) = (uint8((seed >> 24) % 3), uint8((seed >> 32) % 3));
        Subjects.ContactSignature[] memory signatures =
            signedByContacts(recoverHash(SUBJECTS, subject, key, sequence), CONTACTS, places);
        bytes memory data = abi.encodeCall(
            Subjects.requestRecovery, (subject, passkey(key), sequence, "salt", contactsFrom(CONTACTS, 3), signatures)
        );
        _run(_push(address(SUBJECTS), address(TWIN_SUBJECTS), data, places[0] == places[1]), false);
    }

    function cancelRecovery(uint256 seed) external {
        bytes32 subject = subjectAt(seed);
        uint64 sequence = sequenceOf(SUBJECTS, subject);
        (uint256 by, WebAuthn.WebAuthnAuth memory auth) =
            _sign(seed >> 40, subject, cancelRecoveryHash(SUBJECTS, subject, sequence));
        _subject(seed, abi.encodeCall(Subjects.cancelRecovery, (subject, sequence, idOf(by), auth)));
    }

    function completeRecovery(uint256 seed) external {
        vm.recordLogs();
        try SUBJECTS.completeRecovery(subjectAt(seed)) {} catch {}
        Log[] memory logs = vm.getRecordedLogs();
        if (logs.length > 0) apply_(logs[0]);
    }

    function emergency(uint256 seed) external {
        vm.recordLogs();
        uint64 notAfter = uint64(block.timestamp + (seed >> 24) % 2 days);
        if (seed >> 16 & 1 == 0) {
            try CONSENTS.openEmergency(idAt(seed >> 8), commitmentAt(seed), notAfter) {} catch {}
        } else {
            try CONSENTS.closeEmergency(idAt(seed >> 8)) {} catch {}
        }
        Log[] memory logs = vm.getRecordedLogs();
        if (logs.length > 0) apply_(logs[0]);
    }

    function replay(uint256 seed) external {
        if (_calls.length > 0) _run((seed >> 8) % _calls.length, seed & 1 == 0);
    }

    function pass(uint256 seed) external {
        vm.warp(block.timestamp + seed % 1 days);
        for (uint256 i = 0; i < 4; ++i) {
            (,,,, Authority authority) = this.consents(idAt(i));
            if (authority != Authority.None && !isActive(idAt(i))) wasInactive[idAt(i)] = true;
        }
    }

    function subjectAt(uint256 i) public pure returns (bytes32) {
        return bytes32(0x100 + i % 2);
    }

    function idAt(uint256 i) public pure returns (bytes32) {
        return bytes32(0x200 + i % 4);
    }

    function commitmentAt(uint256 i) public pure returns (bytes32) {
        return bytes32(0x300 + i % 2);
    }

    function keyAt(uint256 i) public pure returns (uint256) {
        return 1 + i % KEY_COUNT;
    }

    function isActive(bytes32 id) public view returns (bool) {
        return CONSENTS.isActive(id, commitmentAt(0)) || CONSENTS.isActive(id, commitmentAt(1));
    }

    /// @dev Names one key and signs with it, or in one of eight cases with the next.
    function _sign(uint256 seed, bytes32 subject, bytes32 challenge)
        private
        view
        returns (uint256 by, WebAuthn.WebAuthnAuth memory auth)
    {
        by = keyAt(seed);
        if (_asked[subject] != 0 && seed >> 24 & 1 == 0) by = _asked[subject];
        return (by, assertion(_isForged(seed) ? by + 1 : by, challenge));
    }

    function _isForged(uint256 seed) private pure returns (bool) {
        return seed >> 16 & 7 == 0;
    }

    function _consent(uint256 seed, bytes memory data) private {
        _run(_push(address(CONSENTS), address(TWIN_CONSENTS), data, _isForged(seed >> 40)), false);
    }

    function _subject(uint256 seed, bytes memory data) private {
        _run(_push(address(SUBJECTS), address(TWIN_SUBJECTS), data, _isForged(seed >> 40)), false);
    }

    function _push(address target, address twin, bytes memory data, bool forged) private returns (uint256) {
        _calls.push(Call(target, twin, data, forged, false));
        return _calls.length - 1;
    }

    function _run(uint256 index, bool elsewhere) private {
        Call storage made = _calls[index];
        vm.recordLogs();
        // Refused or not: what counts is what it changed.
        (bool success,) = (elsewhere ? made.twin : made.target).call(made.data);
        Log[] memory logs = vm.getRecordedLogs();
        if (!success || logs.length == 0) return;
        if (elsewhere) countedElsewhere = true;
        if (made.counted) countedTwice = true;
        if (made.forged) countedThoughForged = true;
        made.counted = true;
        if (!elsewhere) apply_(logs[0]);
    }
}

/// @dev With the precompile, for the sake of time.
/// forge-config: default.evm_version = "osaka"
/// forge-config: default.invariant.runs = 10
contract ConsentsInvariants is Patients {
    ConsentsHandler private _handler;
    Subjects private _subjects;
    Consents private _consents;

    function setUp() public {
        _handler = new ConsentsHandler();
        _subjects = _handler.SUBJECTS();
        _consents = _handler.CONSENTS();
        target(address(_handler));
    }

    function invariant_nothingIsActiveRevokedExpiredOrAgain() public view {
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = _handler.idAt(i);
            if (!_handler.isActive(id)) continue;
            (bytes32 subject,, uint64 notAfter,, Authority authority) = _handler.consents(id);
            assertTrue(authority != Authority.None, "active though never granted");
            assertEq(bytes32(0), _handler.revokedBy(subject, id), "active though revoked");
            assertTrue(block.timestamp <= notAfter, "active though expired");
            assertTrue(!_handler.wasInactive(id), "active again");
        }
    }

    function invariant_eachSignatureCountsOnceInOneContract() public view {
        assertTrue(!_handler.countedTwice(), "counted twice");
        assertTrue(!_handler.countedElsewhere(), "counted in another contract");
        assertTrue(!_handler.countedThoughForged(), "counted though another key signed");
    }

    function invariant_onlyThePatientADelegateOrRecoveryChangesAnything() public view {
        assertTrue(!_handler.signedByNobodyEntitled(), "signed by somebody else");
    }

    function invariant_eventsAloneReproduceTheConsents() public view {
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = _handler.idAt(i);
            (bytes32 subject, bytes32 commitment, uint64 notAfter, bytes32 by, Authority authority, bytes32 revokedBy) =
                _consents.consent(id);
            bytes32 actual = keccak256(abi.encode(subject, commitment, notAfter, by, authority));
            (subject, commitment, notAfter, by, authority) = _handler.consents(id);
            bytes32 mirrored = keccak256(abi.encode(subject, commitment, notAfter, by, authority));
            assertEq(mirrored, actual, "consent");
            if (authority != Authority.None) assertEq(_handler.revokedBy(subject, id), revokedBy, "revoked by");
            for (uint256 j = 0; j < 2; ++j) {
                bool revoked = _handler.revokedBy(_handler.subjectAt(j), id) != 0;
                assertTrue(_consents.isRevoked(_handler.subjectAt(j), id) == revoked, "revoked");
            }
            _sameOpening(id);
        }
    }

    function invariant_eventsAloneReproduceTheKeys() public view {
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 subject = _handler.subjectAt(i);
            (, uint64 sequence, uint32 keyCount) = _subjects.subjectOf(subject);
            assertEq(_handler.sequences(subject), sequence, "sequence");
            assertEq(_handler.keyCounts(subject), keyCount, "key count");
            assertTrue(keyCount > 0, "somebody can sign");
            (Subjects.RecoveryTerms memory terms,, uint64 effectiveAt) = _subjects.recoveryOf(subject);
            assertEq(_handler.contacts(subject), terms.contacts, "contacts");
            assertEq(_handler.effectiveAt(subject), effectiveAt, "effective at");
            for (uint256 j = 0; j < 5; ++j) {
                bytes32 key = idOf(_handler.keyAt(j));
                (, Authority authority) = _subjects.keyOf(subject, key);
                assertTrue(authority == _handler.own(subject, key), "key");
                (,, uint64 notAfter) = _subjects.delegateOf(subject, key);
                assertEq(_handler.delegateUntil(subject, key), notAfter, "delegate");
            }
        }
    }

    function _sameOpening(bytes32 id) private view {
        (uint64 member, bytes32 commitment, uint64 notAfter, bool closed) = _consents.emergency(id);
        bytes32 actual = keccak256(abi.encode(member, commitment, notAfter, closed));
        (member, commitment, notAfter, closed) = _handler.openings(id);
        assertEq(keccak256(abi.encode(member, commitment, notAfter, closed)), actual, "opening");
    }
}

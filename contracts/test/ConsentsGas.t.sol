// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Assertions} from "../src/Assertions.sol";
import {Consents} from "../src/Consents.sol";
import {Members} from "../src/Members.sol";
import {Subjects} from "../src/Subjects.sol";
import {Patients} from "./Patients.sol";

/// @dev What whole transactions cost, with the curve computed in Solidity and by the precompile at 0x100, which must
/// agree. The figures stand in snapshots/Consents.json.
abstract contract ConsentsGas is Patients {
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant CONTACTS = 0xC0;
    uint32 private constant DELAY = 2 days;

    Subjects private _subjects;
    Consents private _consents;

    function setUp() public {
        Members members = new Members("Owner");
        _subjects = new Subjects(members);
        _consents = new Consents(members, _subjects);
        _subjects.enroll("subject", passkey(KEY));
    }

    function chain() internal pure virtual returns (string memory);

    function test_consent_costsWhatItDid() public {
        _subjects.enroll("another", passkey(KEY));
        vm.snapshotGasLastCall("Consents", string.concat("enroll, ", chain()));
        WebAuthn.WebAuthnAuth memory auth = assertion(KEY, _consents.grantHash("subject", "id", "commitment", 99));
        _consents.grant("subject", "id", "commitment", 99, idOf(KEY), auth);
        vm.snapshotGasLastCall("Consents", string.concat("grant, ", chain()));
        assertTrue(_consents.isActive("id", "commitment"), "granted");
        auth = assertion(KEY, _consents.revokeHash("subject", "id"));
        _consents.revoke("subject", "id", idOf(KEY), auth);
        vm.snapshotGasLastCall("Consents", string.concat("revoke, ", chain()));
        assertTrue(!_consents.isActive("id", "commitment"), "revoked");
        addKey(_subjects, "subject", KEY + 1, KEY);
        vm.snapshotGasLastCall("Consents", string.concat("add a key, ", chain()));
        addDelegate(_subjects, "subject", KEY + 2, 99, KEY);
        vm.snapshotGasLastCall("Consents", string.concat("add a delegate, ", chain()));
        _consents.openEmergency("opening", "commitment", 99);
        vm.snapshotGasLastCall("Consents", string.concat("open in an emergency, ", chain()));
    }

    function test_recovery_costsWhatItDid() public {
        setRecovery(_subjects, "subject", termsOf(contactsFrom(CONTACTS, 3), 2, DELAY), KEY);
        vm.snapshotGasLastCall("Consents", string.concat("set contacts, ", chain()));
        _request(1);
        vm.snapshotGasLastCall("Consents", string.concat("request recovery with two contacts, ", chain()));
        cancelRecovery(_subjects, "subject", KEY);
        vm.snapshotGasLastCall("Consents", string.concat("cancel a recovery, ", chain()));
        _request(3);
        vm.warp(block.timestamp + DELAY);
        _subjects.completeRecovery("subject");
        vm.snapshotGasLastCall("Consents", string.concat("complete a recovery, ", chain()));
        (,, uint32 keyCount) = _subjects.subjectOf("subject");
        assertEq(1, keyCount, "the new key alone");
    }

    function test_grant_failsForBentSignatures() public {
        bytes32 challenge = _consents.grantHash("subject", "id", "commitment", 99);
        WebAuthn.WebAuthnAuth memory auth = assertion(KEY, challenge);
        auth.s ^= bytes32(uint256(1));
        _refused(challenge, auth);
        auth.s = 0;
        _refused(challenge, auth);
    }

    function _request(uint64 sequence) private {
        uint8[] memory places = new uint8[](2);
        places[1] = 1;
        Subjects.ContactSignature[] memory signatures =
            signedByContacts(recoverHash(_subjects, "subject", KEY + 9, sequence), CONTACTS, places);
        _subjects.requestRecovery("subject", passkey(KEY + 9), sequence, "salt", contactsFrom(CONTACTS, 3), signatures);
    }

    function _refused(bytes32 challenge, WebAuthn.WebAuthnAuth memory auth) private {
        vm.expectRevert(abi.encodeWithSelector(Assertions.BadAssertion.selector, idOf(KEY), challenge));
        _consents.grant("subject", "id", "commitment", 99, idOf(KEY), auth);
    }
}

/// forge-config: default.isolate = true
contract ConsentsWithoutPrecompileTest is ConsentsGas {
    function chain() internal pure override returns (string memory) {
        return "without the precompile";
    }
}

/// forge-config: default.isolate = true
/// forge-config: default.evm_version = "osaka"
contract ConsentsWithPrecompileTest is ConsentsGas {
    function chain() internal pure override returns (string memory) {
        return "with the precompile";
    }

    function test_chain_hasThePrecompile() public view {
        bytes32 digest = "digest";
        (bytes32 r, bytes32 s) = vm.signP256(1, digest);
        (bytes32 qx, bytes32 qy) = publicKey(1);
        (bool success, bytes memory answer) = address(0x100).staticcall(abi.encode(digest, r, s, qx, qy));
        assertTrue(success && answer.length == 32, "answers");
    }
}

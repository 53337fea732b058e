// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Consents} from "../src/Consents.sol";
import {Members} from "../src/Members.sol";
import {Passkeys} from "./Passkeys.sol";

/// @dev What whole transactions cost, with the curve computed in Solidity and by the precompile at 0x100, which must
/// agree. The figures stand in snapshots/Consents.json.
abstract contract ConsentsGas is Passkeys {
    uint256 private constant KEY = 0xA11CE;

    Consents private _consents;

    function setUp() public {
        _consents = new Consents(new Members("Owner"));
        (bytes32 qx, bytes32 qy) = publicKey(KEY);
        _consents.enroll("subject", qx, qy, RP_ID_HASH);
    }

    function chain() internal pure virtual returns (string memory);

    function test_consent_costsWhatItDid() public {
        (bytes32 qx, bytes32 qy) = publicKey(KEY);
        _consents.enroll("another", qx, qy, RP_ID_HASH);
        vm.snapshotGasLastCall("Consents", string.concat("enroll, ", chain()));
        WebAuthn.WebAuthnAuth memory auth = assertion(KEY, _consents.grantHash("subject", "id", "commitment", 99));
        _consents.grant("subject", "id", "commitment", 99, auth);
        vm.snapshotGasLastCall("Consents", string.concat("grant, ", chain()));
        assertTrue(_consents.isActive("id", "commitment"), "granted");
        auth = assertion(KEY, _consents.revokeHash("subject", "id"));
        _consents.revoke("subject", "id", auth);
        vm.snapshotGasLastCall("Consents", string.concat("revoke, ", chain()));
        assertTrue(!_consents.isActive("id", "commitment"), "revoked");
    }

    function test_grant_failsForBentSignatures() public {
        bytes32 challenge = _consents.grantHash("subject", "id", "commitment", 99);
        WebAuthn.WebAuthnAuth memory auth = assertion(KEY, challenge);
        auth.s = otherS(auth.s);
        _refused(challenge, auth);
        auth.s = bytes32(uint256(otherS(auth.s)) ^ 1);
        _refused(challenge, auth);
    }

    function _refused(bytes32 challenge, WebAuthn.WebAuthnAuth memory auth) private {
        vm.expectRevert(abi.encodeWithSelector(Consents.BadAssertion.selector, bytes32("subject"), challenge));
        _consents.grant("subject", "id", "commitment", 99, auth);
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

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Consents} from "../src/Consents.sol";
import {Members} from "../src/Members.sol";
import {Passkeys} from "./Passkeys.sol";

/// @dev Two subjects share four ids. They sign grants and revocations, which come in any order, repeated, forged and
/// replayed, while time passes. The ghosts hold what was signed, not what the contract made of it.
contract ConsentsHandler is Passkeys {
    Consents public immutable CONSENTS;

    mapping(bytes32 subject => mapping(bytes32 id => bool)) public revoked;
    mapping(bytes32 id => mapping(bytes32 terms => bool)) public signed;
    mapping(bytes32 id => bool) public granted;
    mapping(bytes32 id => bool) public wasInactive;

    constructor() {
        CONSENTS = new Consents(new Members("Owner"));
        for (uint256 i = 0; i < 2; ++i) {
            (bytes32 qx, bytes32 qy) = publicKey(i + 1);
            CONSENTS.enroll(subjectAt(i), qx, qy, RP_ID_HASH);
        }
    }

    function grant(uint256 seed) external {
        (bytes32 subject, bytes32 id, uint256 key) = _pick(seed);
        bytes32 commitment = commitmentAt(seed >> 16);
        uint64 notAfter = uint64(block.timestamp + (seed >> 24) % 200);
        WebAuthn.WebAuthnAuth memory auth = assertion(key, CONSENTS.grantHash(subject, id, commitment, notAfter));
        signed[id][termsOf(subject, commitment, notAfter)] = true;
        try CONSENTS.grant(subject, id, commitment, notAfter, auth) {
            granted[id] = true;
        } catch {}
    }

    /// @dev The terms that stand are submitted once more, with a signature that is none.
    function grantAgain(uint256 seed) external {
        bytes32 id = idAt(seed);
        (bytes32 subject, bytes32 commitment, uint64 notAfter,,) = CONSENTS.consent(id);
        WebAuthn.WebAuthnAuth memory none;
        try CONSENTS.grant(subject, id, commitment, notAfter, none) {} catch {}
    }

    /// @dev Signed with the key of the other subject.
    function forge(uint256 seed) external {
        (bytes32 subject, bytes32 id, uint256 key) = _pick(seed);
        bytes32 commitment = commitmentAt(seed >> 16);
        uint64 notAfter = uint64(block.timestamp + 1000);
        uint256 otherKey = 3 - key;
        if (seed >> 24 & 1 == 0) {
            bytes32 challenge = CONSENTS.grantHash(subject, id, commitment, notAfter);
            try CONSENTS.grant(subject, id, commitment, notAfter, assertion(otherKey, challenge)) {} catch {}
        } else {
            try CONSENTS.revoke(subject, id, assertion(otherKey, CONSENTS.revokeHash(subject, id))) {} catch {}
        }
    }

    function revoke(uint256 seed) external {
        (bytes32 subject, bytes32 id, uint256 key) = _pick(seed);
        try CONSENTS.revoke(subject, id, assertion(key, CONSENTS.revokeHash(subject, id))) {
            revoked[subject][id] = true;
        } catch {}
    }

    function pass(uint256 seed) external {
        vm.warp(block.timestamp + seed % 60);
        for (uint256 i = 0; i < 4; ++i) {
            if (granted[idAt(i)] && !_active(idAt(i))) wasInactive[idAt(i)] = true;
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

    function termsOf(bytes32 subject, bytes32 commitment, uint64 notAfter) public pure returns (bytes32) {
        return keccak256(abi.encode(subject, commitment, notAfter));
    }

    function _active(bytes32 id) private view returns (bool) {
        return CONSENTS.isActive(id, commitmentAt(0)) || CONSENTS.isActive(id, commitmentAt(1));
    }

    function _pick(uint256 seed) private pure returns (bytes32 subject, bytes32 id, uint256 key) {
        return (subjectAt(seed), idAt(seed >> 8), seed % 2 + 1);
    }
}

contract ConsentsInvariants is Passkeys {
    ConsentsHandler private _handler;
    Consents private _consents;

    function setUp() public {
        _handler = new ConsentsHandler();
        _consents = _handler.CONSENTS();
        target(address(_handler));
    }

    function invariant_nothingIsActiveAfterItsRevocation() public view {
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = _handler.idAt(i);
            (bytes32 subject,,,,) = _consents.consent(id);
            if (_active(id)) assertTrue(!_handler.revoked(subject, id), "active though revoked");
        }
    }

    function invariant_nothingIsActiveAfterItsTime() public view {
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = _handler.idAt(i);
            (,, uint64 notAfter,,) = _consents.consent(id);
            if (_active(id)) assertTrue(block.timestamp <= notAfter, "active though expired");
        }
    }

    function invariant_nothingIsActiveAgain() public view {
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = _handler.idAt(i);
            if (_handler.wasInactive(id)) assertTrue(!_active(id), "active again");
        }
    }

    function invariant_whatIsGrantedWasSignedByItsSubject() public view {
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = _handler.idAt(i);
            (bytes32 subject, bytes32 commitment, uint64 notAfter, bool granted,) = _consents.consent(id);
            bytes32 terms = _handler.termsOf(subject, commitment, notAfter);
            assertTrue(granted == _handler.granted(id), "granted by a subject's signature alone");
            if (granted) assertTrue(_handler.signed(id, terms), "on the terms that were signed");
        }
    }

    function invariant_whatIsRevokedWasRevokedByItsSubject() public view {
        for (uint256 i = 0; i < 8; ++i) {
            (bytes32 subject, bytes32 id) = (_handler.subjectAt(i), _handler.idAt(i / 2));
            assertTrue(_consents.isRevoked(subject, id) == _handler.revoked(subject, id), "revoked");
        }
    }

    function _active(bytes32 id) private view returns (bool) {
        return _consents.isActive(id, _handler.commitmentAt(0)) || _consents.isActive(id, _handler.commitmentAt(1));
    }
}

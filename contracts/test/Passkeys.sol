// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {PublicKey} from "../src/Assertions.sol";
import {Test} from "./Test.sol";

/// @dev An authenticator: it makes assertions as a browser hands them over, from a private key.
abstract contract Passkeys is Test {
    /// @dev The SHA-256 of "salus.example".
    bytes32 internal constant RP_ID_HASH = 0x908d4717ee86ed1987859884ac2ef8612e136f0241a3b685b37fd37318371170;
    bytes1 internal constant USER_PRESENT = 0x01;
    bytes1 internal constant USER_VERIFIED = 0x04;

    function publicKey(uint256 privateKey) internal pure returns (bytes32 qx, bytes32 qy) {
        (uint256 x, uint256 y) = vm.publicKeyP256(privateKey);
        return (bytes32(x), bytes32(y));
    }

    function passkey(uint256 privateKey) internal pure returns (PublicKey memory) {
        (bytes32 qx, bytes32 qy) = publicKey(privateKey);
        return PublicKey(qx, qy, RP_ID_HASH);
    }

    function idOf(uint256 privateKey) internal pure returns (bytes32) {
        PublicKey memory key = passkey(privateKey);
        return keccak256(abi.encodePacked(key.qx, key.qy, key.rpIdHash));
    }

    function assertion(uint256 privateKey, bytes32 challenge) internal pure returns (WebAuthn.WebAuthnAuth memory) {
        return assertion(privateKey, challenge, RP_ID_HASH, USER_PRESENT | USER_VERIFIED, "webauthn.get");
    }

    function assertion(uint256 privateKey, bytes32 challenge, bytes32 rpIdHash, bytes1 flags, string memory ceremony)
        internal
        pure
        returns (WebAuthn.WebAuthnAuth memory auth)
    {
        string memory start = string.concat('{"type":"', ceremony, '",');
        auth.typeIndex = 1;
        auth.challengeIndex = bytes(start).length;
        auth.clientDataJSON = string.concat(
            start,
            '"challenge":"',
            Base64.encodeURL(abi.encodePacked(challenge)),
            '","origin":"https://salus.example","crossOrigin":false}'
        );
        auth.authenticatorData = abi.encodePacked(rpIdHash, flags, uint32(1));
        sign(privateKey, auth);
    }

    function sign(uint256 privateKey, WebAuthn.WebAuthnAuth memory auth) internal pure {
        bytes32 clientData = sha256(bytes(auth.clientDataJSON));
        (auth.r, auth.s) = vm.signP256(privateKey, sha256(abi.encodePacked(auth.authenticatorData, clientData)));
        if (uint256(auth.s) > P256.N / 2) auth.s = otherS(auth.s);
    }

    /// @dev The other `s` with which the signature is valid to ECDSA.
    function otherS(bytes32 s) internal pure returns (bytes32) {
        return bytes32(P256.N - uint256(s));
    }
}

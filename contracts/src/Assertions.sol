// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

/// @notice A passkey as a chain knows it.
/// @param qx The P-256 key's x coordinate.
/// @param qy The P-256 key's y coordinate.
/// @param rpIdHash The SHA-256 of the relying party's id, the domain to which the passkey belongs.
struct PublicKey {
    bytes32 qx;
    bytes32 qy;
    bytes32 rpIdHash;
}

/// @title WebAuthn assertions with user verification, by a passkey of one relying party.
/// @notice The checks that OpenZeppelin leaves out or leaves without a name come first.
/// @dev Of the two values of `s` that fit a signature the lower alone is taken: an authenticator may return either, so a
/// relay replaces a high `s` by `n - s` before it submits.
library Assertions {
    /// @dev Relying party, flags, counter.
    uint256 private constant AUTHENTICATOR_DATA_BYTES_MIN = 37;
    uint256 private constant S_MAX = P256.N / 2;

    error InvalidKey(bytes32 qx, bytes32 qy);
    error TruncatedAssertion(uint256 bytesMin, uint256 given);
    error WrongRelyingParty(bytes32 expected, bytes32 given);
    error UserNotVerified(bytes1 flags);
    error HighS(bytes32 s);
    /// @notice Not this key's signature over this challenge: other terms, another chain or contract, another key.
    error BadAssertion(bytes32 key, bytes32 challenge);

    /// @notice What a key is called.
    function idOf(PublicKey memory key) internal pure returns (bytes32) {
        return keccak256(abi.encode(key));
    }

    function requireOnCurve(PublicKey memory key) internal pure {
        if (!P256.isValidPublicKey(key.qx, key.qy)) revert InvalidKey(key.qx, key.qy);
    }

    function requireValid(PublicKey memory key, bytes32 challenge, WebAuthn.WebAuthnAuth calldata auth) internal view {
        bytes calldata data = auth.authenticatorData;
        if (data.length < AUTHENTICATOR_DATA_BYTES_MIN) {
            revert TruncatedAssertion(AUTHENTICATOR_DATA_BYTES_MIN, data.length);
        }
        bytes32 rpIdHash = bytes32(data[:32]);
        if (rpIdHash != key.rpIdHash) revert WrongRelyingParty(key.rpIdHash, rpIdHash);
        if (data[32] & WebAuthn.AUTH_DATA_FLAGS_UV == 0) revert UserNotVerified(data[32]);
        if (uint256(auth.s) > S_MAX) revert HighS(auth.s);

        bool signed = WebAuthn.verify(abi.encodePacked(challenge), auth, key.qx, key.qy, true);
        if (!signed) revert BadAssertion(idOf(key), challenge);
    }
}

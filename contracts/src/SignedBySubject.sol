// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {Authority} from "./Keyring.sol";
import {Subjects} from "./Subjects.sol";

/// @title What a contract needs that acts on a patient's signature, given by the patient or in its right.
/// @notice Challenges are EIP-712 hashes under the deriving contract's own domain, so that a signature counts for one
/// contract on one chain. That it counts once is up to the deriving contract: by a random id or a sequence number.
abstract contract SignedBySubject is EIP712 {
    Subjects private immutable SUBJECTS;

    constructor(Subjects registry) {
        SUBJECTS = registry;
    }

    /// @notice The contract that knows who may sign for a patient.
    function subjects() external view returns (Subjects) {
        return SUBJECTS;
    }

    /// @param by The id of the key that signed.
    function _requireSigned(bytes32 subject, bytes32 structHash, bytes32 by, WebAuthn.WebAuthnAuth calldata auth)
        internal
        view
        returns (Authority authority)
    {
        return SUBJECTS.requireSigned(subject, by, _hashTypedDataV4(structHash), auth);
    }
}

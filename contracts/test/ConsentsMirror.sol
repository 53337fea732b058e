// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PublicKey} from "../src/Assertions.sol";
import {Consents} from "../src/Consents.sol";
import {Authority, Keyring} from "../src/Keyring.sol";
import {Subjects} from "../src/Subjects.sol";
import {Log} from "./Test.sol";

/// @dev The state of Subjects and Consents made of their events alone. At each it notes whether whoever signed could.
abstract contract ConsentsMirror {
    struct Consent {
        bytes32 subject;
        bytes32 commitment;
        uint64 notAfter;
        bytes32 by;
        Authority authority;
    }

    struct Opening {
        uint64 member;
        bytes32 commitment;
        uint64 notAfter;
        bool closed;
    }

    mapping(bytes32 id => Consent) public consents;
    mapping(bytes32 id => Opening) public openings;
    mapping(bytes32 subject => mapping(bytes32 id => bytes32)) public revokedBy;
    mapping(bytes32 subject => uint64) public sequences;
    mapping(bytes32 subject => uint32) public keyCounts;
    mapping(bytes32 subject => bytes32) public contacts;
    mapping(bytes32 subject => uint64) public effectiveAt;
    /// @dev By the number of recoveries, each of which ends them all.
    mapping(bytes32 subject => uint256) private _recoveries;
    mapping(bytes32 subject => mapping(uint256 recovery => mapping(bytes32 key => Authority))) private _own;
    mapping(bytes32 subject => mapping(uint256 recovery => mapping(bytes32 key => uint64))) private _delegates;

    bool public signedByNobodyEntitled;

    function own(bytes32 subject, bytes32 key) public view returns (Authority) {
        return _own[subject][_recoveries[subject]][key];
    }

    function delegateUntil(bytes32 subject, bytes32 key) public view returns (uint64) {
        return _delegates[subject][_recoveries[subject]][key];
    }

    function apply_(Log memory log) internal {
        bytes32 kind = log.topics[0];
        if (kind == Consents.Granted.selector || kind == Consents.Revoked.selector) _applyConsent(kind, log);
        else if (kind == Consents.EmergencyOpened.selector) _applyOpening(log);
        else if (kind == Consents.EmergencyClosed.selector) openings[log.topics[1]].closed = true;
        else if (kind == Keyring.Enrolled.selector) _addKey(log.topics[1], log.topics[3], Authority.Own);
        else if (kind == Subjects.RecoveryRequested.selector) _applyRequest(log);
        else if (kind == Subjects.Recovered.selector) _applyRecovered(log);
        else _applyChange(kind, log);
    }

    function _applyConsent(bytes32 kind, Log memory log) private {
        (bytes32 subject, bytes32 id, bytes32 by) = (log.topics[1], log.topics[2], log.topics[3]);
        bool delegated = delegateUntil(subject, by) >= block.timestamp;
        if (own(subject, by) == Authority.None && !delegated || _due(subject)) signedByNobodyEntitled = true;
        if (kind == Consents.Revoked.selector) {
            revokedBy[subject][id] = by;
            return;
        }
        (Authority authority, bytes32 commitment, uint64 notAfter) = abi.decode(log.data, (Authority, bytes32, uint64));
        consents[id] = Consent(subject, commitment, notAfter, by, authority);
    }

    function _applyOpening(Log memory log) private {
        (bytes32 commitment, uint64 notAfter) = abi.decode(log.data, (bytes32, uint64));
        openings[log.topics[1]] = Opening(uint64(uint256(log.topics[2])), commitment, notAfter, false);
    }

    /// @dev What one of the subject's own keys has signed.
    function _applyChange(bytes32 kind, Log memory log) private {
        bytes32 subject = log.topics[1];
        bool hasTarget = kind != Subjects.RecoverySet.selector && kind != Subjects.RecoveryCancelled.selector;
        bytes32 by = hasTarget ? log.topics[3] : log.topics[2];
        if (own(subject, by) == Authority.None || _due(subject)) signedByNobodyEntitled = true;
        ++sequences[subject];
        if (kind == Keyring.KeyAdded.selector) {
            _addKey(subject, log.topics[2], Authority.Own);
        } else if (kind == Keyring.KeyRemoved.selector) {
            delete _own[subject][_recoveries[subject]][log.topics[2]];
            --keyCounts[subject];
        } else if (kind == Keyring.DelegateAdded.selector) {
            (,, uint64 notAfter,) = abi.decode(log.data, (PublicKey, bytes32, uint64, uint64));
            _delegates[subject][_recoveries[subject]][log.topics[2]] = notAfter;
        } else if (kind == Keyring.DelegateRemoved.selector) {
            delete _delegates[subject][_recoveries[subject]][log.topics[2]];
        } else if (kind == Subjects.RecoverySet.selector) {
            (Subjects.RecoveryTerms memory terms,) = abi.decode(log.data, (Subjects.RecoveryTerms, uint64));
            contacts[subject] = terms.contacts;
        } else {
            delete effectiveAt[subject];
        }
    }

    function _applyRequest(Log memory log) private {
        bytes32 subject = log.topics[1];
        (, uint64 due,) = abi.decode(log.data, (PublicKey, uint64, uint64));
        effectiveAt[subject] = due;
        ++sequences[subject];
        if (due < block.timestamp + 1 days) signedByNobodyEntitled = true;
    }

    function _applyRecovered(Log memory log) private {
        bytes32 subject = log.topics[1];
        if (!_due(subject)) signedByNobodyEntitled = true;
        delete effectiveAt[subject];
        ++_recoveries[subject];
        keyCounts[subject] = 0;
        _addKey(subject, log.topics[2], Authority.Recovered);
    }

    function _addKey(bytes32 subject, bytes32 key, Authority authority) private {
        _own[subject][_recoveries[subject]][key] = authority;
        ++keyCounts[subject];
    }

    function _due(bytes32 subject) private view returns (bool) {
        return effectiveAt[subject] != 0 && block.timestamp >= effectiveAt[subject];
    }
}

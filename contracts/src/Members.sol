// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @notice The caller is not a member of the consortium.
error NotMember(address account);

/// @title The consortium: who is a member, decided by the members.
/// @notice A candidate is admitted, or a member expelled, once more than half of the current members have voted for
/// exactly that. Members also leave the commitments of their registrations here.
contract Members {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @dev A vote counts the members in a loop, so that the votes of those who have left never count; this bounds it.
    uint256 private constant MEMBER_COUNT_MAX = 128;

    EnumerableSet.AddressSet private _members;
    mapping(address account => bytes32) private _nameHashes;
    /// @dev How often an account was admitted or expelled. Odd while it is a member. It binds a ballot to one decision
    /// and a vote to one membership, so that neither revives after a change.
    mapping(address account => uint256) private _terms;
    mapping(bytes32 ballot => mapping(address voter => uint256 term)) private _votes;
    mapping(address member => mapping(bytes32 commitment => bool)) private _registered;

    event Voted(address indexed voter, address indexed candidate, bytes32 nameHash, bool admit);
    event Admitted(address indexed member, bytes32 nameHash);
    event Expelled(address indexed member, bytes32 nameHash);
    event Registered(address indexed member, bytes32 indexed commitment);

    error InvalidCandidate(address candidate);
    error AlreadyMember(address candidate);
    error OtherName(bytes32 expected, bytes32 given);
    error LastMember(address member);
    error TooManyMembers(uint256 max);

    /// @param nameHash The SHA-256 of the founding member's name.
    constructor(bytes32 nameHash) {
        _admit(msg.sender, nameHash);
    }

    /// @notice Votes to admit `candidate` under `nameHash`, or to expel the member of that name. A vote stands until the
    /// decision is taken; a repeated one is counted again, which matters after the consortium has shrunk.
    function vote(address candidate, bytes32 nameHash, bool admit) external {
        if (!isMember(msg.sender)) revert NotMember(msg.sender);
        _requireDecidable(candidate, nameHash, admit);

        bytes32 ballot = _ballot(candidate, nameHash, admit);
        if (_votes[ballot][msg.sender] != _terms[msg.sender]) {
            _votes[ballot][msg.sender] = _terms[msg.sender];
            emit Voted(msg.sender, candidate, nameHash, admit);
        }

        if (_count(ballot) * 2 <= _members.length()) return;
        if (admit) _admit(candidate, nameHash);
        else _expel(candidate, nameHash);
    }

    /// @notice Leaves the commitment of a registration; nothing happens if the caller has left it before.
    function register(bytes32 commitment) external {
        if (!isMember(msg.sender)) revert NotMember(msg.sender);
        if (_registered[msg.sender][commitment]) return;
        _registered[msg.sender][commitment] = true;
        emit Registered(msg.sender, commitment);
    }

    function isMember(address account) public view returns (bool) {
        return _members.contains(account);
    }

    function memberCount() external view returns (uint256) {
        return _members.length();
    }

    /// @notice All members, in no particular order.
    function members() external view returns (address[] memory) {
        return _members.values();
    }

    /// @notice The name under which a member was admitted; zero for others.
    function nameHashOf(address account) external view returns (bytes32) {
        return _nameHashes[account];
    }

    /// @notice How many current members have voted for exactly this, since the last decision about the candidate.
    function voteCount(address candidate, bytes32 nameHash, bool admit) external view returns (uint256) {
        return _count(_ballot(candidate, nameHash, admit));
    }

    /// @notice Whether that member has left that commitment, be it a member still or not.
    function registered(address member, bytes32 commitment) external view returns (bool) {
        return _registered[member][commitment];
    }

    function _requireDecidable(address candidate, bytes32 nameHash, bool admit) private view {
        if (admit) {
            if (candidate == address(0)) revert InvalidCandidate(candidate);
            if (isMember(candidate)) revert AlreadyMember(candidate);
            if (_members.length() == MEMBER_COUNT_MAX) revert TooManyMembers(MEMBER_COUNT_MAX);
        } else {
            if (!isMember(candidate)) revert NotMember(candidate);
            if (_nameHashes[candidate] != nameHash) revert OtherName(_nameHashes[candidate], nameHash);
            if (_members.length() == 1) revert LastMember(candidate);
        }
    }

    function _admit(address candidate, bytes32 nameHash) private {
        _members.add(candidate);
        _nameHashes[candidate] = nameHash;
        ++_terms[candidate];
        emit Admitted(candidate, nameHash);
    }

    function _expel(address member, bytes32 nameHash) private {
        _members.remove(member);
        delete _nameHashes[member];
        ++_terms[member];
        emit Expelled(member, nameHash);
    }

    function _count(bytes32 ballot) private view returns (uint256 count) {
        uint256 length = _members.length();
        for (uint256 i = 0; i < length; ++i) {
            address member = _members.at(i);
            if (_votes[ballot][member] == _terms[member]) ++count;
        }
    }

    function _ballot(address candidate, bytes32 nameHash, bool admit) private view returns (bytes32) {
        return keccak256(abi.encode(candidate, _terms[candidate], nameHash, admit));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @notice The caller is not a member of the consortium.
error NotMember(address account);

/// @title The consortium: who is a member, decided by the members.
/// @notice A candidate is admitted, or a member expelled, once more than half of the current members have voted for
/// exactly that; nobody else decides. A member has an id of its own, which it keeps when it moves to another account: its
/// votes, and those against it, stay. Members also publish here where they are reached and the key that they cosign
/// checkpoints with, and leave the commitments of their registrations.
/// @dev The events alone reproduce the state.
contract Members {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @dev A vote counts the members in a loop, so that the votes of those who have left never count; this bounds it.
    uint256 private constant MEMBER_COUNT_MAX = 128;
    uint256 private constant ENDPOINT_BYTES_MAX = 256;
    uint256 private constant WITNESS_KEY_BYTES_MAX = 256;

    struct Member {
        address account;
        bytes32 nameHash;
        string endpoint;
        bytes witnessKey;
    }

    EnumerableSet.AddressSet private _accounts;
    mapping(address account => uint64) private _ids;
    /// @dev Ids begin at 1 and are not used again, so that neither a ballot nor a vote revives with a later admission.
    mapping(uint64 id => Member) private _members;
    uint64 private _lastId;
    /// @dev How often an account became a member's: it binds a ballot of admission to one decision.
    mapping(address account => uint256) private _terms;
    mapping(bytes32 ballot => mapping(uint64 voter => bool)) private _votes;
    mapping(uint64 id => address) private _moves;
    mapping(address account => mapping(bytes32 commitment => bool)) private _registered;

    event Voted(uint64 indexed voter, address indexed candidate, bytes32 nameHash, bool admit);
    event Admitted(uint64 indexed id, address indexed account, bytes32 nameHash);
    event Expelled(uint64 indexed id, address indexed account, bytes32 nameHash);
    event MoveOffered(uint64 indexed id, address indexed to);
    event Moved(uint64 indexed id, address indexed from, address indexed to);
    event EndpointPublished(uint64 indexed id, string endpoint);
    event WitnessKeyPublished(uint64 indexed id, bytes witnessKey);
    event Registered(address indexed account, bytes32 indexed commitment);

    error InvalidCandidate(address candidate);
    error AlreadyMember(address candidate);
    error OtherName(bytes32 expected, bytes32 given);
    error LastMember(address member);
    error TooManyMembers(uint256 max);
    error NotOffered(uint64 id, address offered, address caller);
    error TooLong(uint256 bytesMax, uint256 given);

    /// @param nameHash The SHA-256 of the founding member's name.
    constructor(bytes32 nameHash) {
        _admit(msg.sender, nameHash);
    }

    /// @notice Votes to admit `candidate` under `nameHash`, or to expel the member of that name. A vote stands until the
    /// decision is taken; a repeated one is counted again, which matters after the consortium has shrunk.
    function vote(address candidate, bytes32 nameHash, bool admit) external {
        uint64 voter = _requireMember();
        _requireDecidable(candidate, nameHash, admit);

        bytes32 ballot = _ballot(candidate, nameHash, admit);
        if (!_votes[ballot][voter]) {
            _votes[ballot][voter] = true;
            emit Voted(voter, candidate, nameHash, admit);
        }

        if (_count(ballot) * 2 <= _accounts.length()) return;
        if (admit) _admit(candidate, nameHash);
        else _expel(candidate, nameHash);
    }

    /// @notice Offers the caller's membership to another account of its own; the zero address takes the offer back.
    function offerMove(address to) external {
        uint64 id = _requireMember();
        if (isMember(to)) revert AlreadyMember(to);

        _moves[id] = to;
        emit MoveOffered(id, to);
    }

    /// @notice Takes over the membership that was offered to the caller. The account it was offered from is no member's
    /// from then on.
    function acceptMove(uint64 id) external {
        address offered = _moves[id];
        if (offered != msg.sender) revert NotOffered(id, offered, msg.sender);
        if (isMember(msg.sender)) revert AlreadyMember(msg.sender);
        address from = _members[id].account;

        delete _moves[id];
        delete _ids[from];
        _accounts.remove(from);
        _settle(id, msg.sender);
        emit Moved(id, from, msg.sender);
    }

    /// @notice Publishes where the caller's node is reached.
    function publishEndpoint(string calldata endpoint) external {
        uint64 id = _requireMember();
        if (bytes(endpoint).length > ENDPOINT_BYTES_MAX) revert TooLong(ENDPOINT_BYTES_MAX, bytes(endpoint).length);

        _members[id].endpoint = endpoint;
        emit EndpointPublished(id, endpoint);
    }

    /// @notice Publishes the key that the caller cosigns checkpoints with, as a verifier key of a signed note.
    function publishWitnessKey(bytes calldata witnessKey) external {
        uint64 id = _requireMember();
        if (witnessKey.length > WITNESS_KEY_BYTES_MAX) revert TooLong(WITNESS_KEY_BYTES_MAX, witnessKey.length);

        _members[id].witnessKey = witnessKey;
        emit WitnessKeyPublished(id, witnessKey);
    }

    /// @notice Leaves the commitment of a registration; nothing happens if the caller has left it before.
    function register(bytes32 commitment) external {
        _requireMember();
        if (_registered[msg.sender][commitment]) return;

        _registered[msg.sender][commitment] = true;
        emit Registered(msg.sender, commitment);
    }

    function isMember(address account) public view returns (bool) {
        return _ids[account] != 0;
    }

    /// @notice The id of the member with that account; zero for others.
    function idOf(address account) external view returns (uint64) {
        return _ids[account];
    }

    /// @notice A member by its id; all zero and empty for one that was expelled or never admitted.
    function memberOf(uint64 id)
        external
        view
        returns (address account, bytes32 nameHash, string memory endpoint, bytes memory witnessKey)
    {
        Member storage member = _members[id];
        return (member.account, member.nameHash, member.endpoint, member.witnessKey);
    }

    function memberCount() external view returns (uint256) {
        return _accounts.length();
    }

    /// @notice The accounts of all members, in no particular order.
    function members() external view returns (address[] memory) {
        return _accounts.values();
    }

    /// @notice The name under which a member was admitted; zero for others.
    function nameHashOf(address account) external view returns (bytes32) {
        return _members[_ids[account]].nameHash;
    }

    /// @notice The account to which a membership is offered; zero for none.
    function moveOf(uint64 id) external view returns (address) {
        return _moves[id];
    }

    /// @notice How many current members have voted for exactly this, since the last decision about the candidate.
    function voteCount(address candidate, bytes32 nameHash, bool admit) external view returns (uint256) {
        return _count(_ballot(candidate, nameHash, admit));
    }

    /// @notice Whether that account has left that commitment, be it a member's still or not.
    function registered(address account, bytes32 commitment) external view returns (bool) {
        return _registered[account][commitment];
    }

    function _requireMember() private view returns (uint64 id) {
        id = _ids[msg.sender];
        if (id == 0) revert NotMember(msg.sender);
    }

    function _requireDecidable(address candidate, bytes32 nameHash, bool admit) private view {
        if (admit) {
            if (candidate == address(0)) revert InvalidCandidate(candidate);
            if (isMember(candidate)) revert AlreadyMember(candidate);
            if (_accounts.length() == MEMBER_COUNT_MAX) revert TooManyMembers(MEMBER_COUNT_MAX);
        } else {
            if (!isMember(candidate)) revert NotMember(candidate);
            bytes32 expected = _members[_ids[candidate]].nameHash;
            if (expected != nameHash) revert OtherName(expected, nameHash);
            if (_accounts.length() == 1) revert LastMember(candidate);
        }
    }

    function _admit(address candidate, bytes32 nameHash) private {
        uint64 id = ++_lastId;
        _members[id].nameHash = nameHash;
        _settle(id, candidate);
        emit Admitted(id, candidate, nameHash);
    }

    function _expel(address account, bytes32 nameHash) private {
        uint64 id = _ids[account];
        _accounts.remove(account);
        delete _ids[account];
        delete _members[id];
        delete _moves[id];
        emit Expelled(id, account, nameHash);
    }

    function _settle(uint64 id, address account) private {
        _accounts.add(account);
        _ids[account] = id;
        _members[id].account = account;
        ++_terms[account];
    }

    function _count(bytes32 ballot) private view returns (uint256 count) {
        uint256 length = _accounts.length();
        for (uint256 i = 0; i < length; ++i) {
            if (_votes[ballot][_ids[_accounts.at(i)]]) ++count;
        }
    }

    /// @dev An admission is about an account, an expulsion about a member, which cannot escape it by moving.
    function _ballot(address candidate, bytes32 nameHash, bool admit) private view returns (bytes32) {
        return admit
            ? keccak256(abi.encode(true, candidate, _terms[candidate], nameHash))
            : keccak256(abi.encode(false, _ids[candidate], nameHash));
    }
}

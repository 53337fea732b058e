// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Members} from "../src/Members.sol";
import {Log, Test} from "./Test.sol";

/// @dev Members, former ones and strangers vote, move and publish at random. What the events say is kept apart from what
/// the votes were, so that each decision is held against the votes and the state against the events.
contract MembersHandler is Test {
    uint256 private constant ACTOR_COUNT = 6;

    struct Told {
        address account;
        bytes32 nameHash;
        string endpoint;
    }

    Members public immutable MEMBERS;

    /// @dev By the events alone.
    uint64[] private _ids;
    mapping(uint64 id => Told) private _told;
    mapping(uint64 id => bool) private _used;
    uint64 public lastId;

    /// @dev By what was called: who has voted for what since the last decision about it.
    mapping(bytes32 ballot => mapping(uint64 voter => bool)) private _ghostVotes;
    mapping(address account => uint256) private _ghostTerms;
    string public fault;

    constructor() {
        vm.recordLogs();
        MEMBERS = new Members("0");
        _ghostTerms[address(this)] = 1;
        _read(0, "");
    }

    function voteFor(uint256 seed) external {
        _vote(seed, true);
    }

    function voteAgainst(uint256 seed) external {
        _vote(seed, false);
    }

    function offer(uint256 seed) external {
        vm.prank(_actor(seed));
        try MEMBERS.offerMove(_actor(seed >> 8)) {} catch {}
        _read(0, "");
    }

    function accept(uint256 seed) external {
        address to = _actor(seed);
        uint64 id = uint64(1 + (seed >> 8) % (lastId + 1));
        bool offered = MEMBERS.moveOf(id) == to;
        vm.prank(to);
        try MEMBERS.acceptMove(id) {
            if (!offered) fault = "a membership was taken that was not offered";
            ++_ghostTerms[to];
        } catch {}
        _read(0, "");
    }

    function publish(uint256 seed) external {
        vm.prank(_actor(seed));
        try MEMBERS.publishEndpoint(string(abi.encodePacked("https://", bytes32(seed)))) {} catch {}
        _read(0, "");
    }

    function ids() external view returns (uint64[] memory) {
        return _ids;
    }

    function told(uint64 id) external view returns (address account, bytes32 nameHash, string memory endpoint) {
        return (_told[id].account, _told[id].nameHash, _told[id].endpoint);
    }

    function _vote(uint256 seed, bool admit) private {
        (address voter, address candidate) = (_actor(seed), _actor(seed >> 8));
        bytes32 nameHash = admit ? bytes32((seed >> 16) % 2 + 1) : MEMBERS.nameHashOf(candidate);
        (uint64 voterId, uint64 candidateId) = (MEMBERS.idOf(voter), MEMBERS.idOf(candidate));
        vm.prank(voter);
        try MEMBERS.vote(candidate, nameHash, admit) {
            bytes32 ballot = admit
                ? keccak256(abi.encode("admit", candidate, _ghostTerms[candidate], nameHash))
                : keccak256(abi.encode("expel", candidateId));
            _ghostVotes[ballot][voterId] = true;
            _read(ballot, admit ? "admitted" : "expelled");
        } catch {
            _read(0, "");
        }
    }

    /// @dev Takes in what was emitted; `decision` is what the last call may have decided, by the votes of `ballot`.
    function _read(bytes32 ballot, string memory decision) private {
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(MEMBERS)) continue;
            bytes32 kind = logs[i].topics[0];
            uint64 id = uint64(uint256(logs[i].topics[1]));
            if (kind == Members.Admitted.selector) _admitted(id, logs[i], ballot, decision);
            if (kind == Members.Expelled.selector) _expelled(id, ballot, decision);
            if (kind == Members.Moved.selector) _told[id].account = address(uint160(uint256(logs[i].topics[3])));
            if (kind == Members.EndpointPublished.selector) _told[id].endpoint = abi.decode(logs[i].data, (string));
        }
    }

    function _admitted(uint64 id, Log memory entry, bytes32 ballot, string memory decision) private {
        bool founding = _ids.length == 0;
        if (!founding) _requireMajority(ballot, decision, "admitted");
        if (_used[id]) fault = "an id was used again";
        (_used[id], lastId) = (true, id);
        address account = address(uint160(uint256(entry.topics[2])));
        if (!founding) ++_ghostTerms[account];
        _told[id] = Told(account, abi.decode(entry.data, (bytes32)), "");
        _ids.push(id);
    }

    function _expelled(uint64 id, bytes32 ballot, string memory decision) private {
        _requireMajority(ballot, decision, "expelled");
        delete _told[id];
        for (uint256 i = 0; i < _ids.length; ++i) {
            if (_ids[i] == id) {
                _ids[i] = _ids[_ids.length - 1];
                _ids.pop();
                return;
            }
        }
        fault = "one was expelled who was no member";
    }

    function _requireMajority(bytes32 ballot, string memory decision, string memory happened) private {
        if (keccak256(bytes(decision)) != keccak256(bytes(happened))) fault = "a decision that nobody voted on";
        uint256 count;
        for (uint256 i = 0; i < _ids.length; ++i) {
            if (_ghostVotes[ballot][_ids[i]]) ++count;
        }
        if (count * 2 <= _ids.length) fault = "a decision without more than half of the members";
    }

    /// @dev The founder is this contract; the others may be members or not.
    function _actor(uint256 seed) private view returns (address) {
        uint256 number = (seed & 0xFF) % ACTOR_COUNT;
        return number == 0 ? address(this) : address(uint160(0x5a105 + number));
    }
}

contract MembersInvariants is Test {
    MembersHandler private _handler;

    function setUp() public {
        _handler = new MembersHandler();
        target(address(_handler));
    }

    function invariant_nothingIsDecidedWithoutAMajorityAndNoIdReturns() public view {
        assertEq(bytes32(0), keccak256(bytes(_handler.fault())) ^ keccak256(""), _handler.fault());
    }

    function invariant_theEventsAloneReproduceTheMembers() public view {
        Members members = _handler.MEMBERS();
        uint64[] memory ids = _handler.ids();
        assertEq(ids.length, members.memberCount(), "the number of members");
        assertTrue(ids.length > 0, "the consortium is never empty");
        for (uint256 i = 0; i < ids.length; ++i) {
            (address account, bytes32 nameHash, string memory endpoint) = _handler.told(ids[i]);
            (address actual, bytes32 actualName, string memory actualEndpoint,) = members.memberOf(ids[i]);
            assertEq(account, actual, "the account");
            assertEq(nameHash, actualName, "the name");
            assertEq(keccak256(bytes(endpoint)), keccak256(bytes(actualEndpoint)), "the endpoint");
            assertEq(ids[i], members.idOf(account), "the id of the account");
        }
    }

    function invariant_nobodyElseIsAMember() public view {
        Members members = _handler.MEMBERS();
        address[] memory accounts = members.members();
        uint64[] memory ids = _handler.ids();
        assertEq(ids.length, accounts.length, "the number of accounts");
        for (uint256 i = 0; i < accounts.length; ++i) {
            (address told,,) = _handler.told(members.idOf(accounts[i]));
            assertEq(accounts[i], told, "an account that the events know");
        }
    }
}

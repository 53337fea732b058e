// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Members, NotMember} from "../src/Members.sol";
import {Test} from "./Test.sol";

contract MembersTest is Test {
    address private constant ADA = address(0xA);
    address private constant BEN = address(0xB);
    address private constant BEA = address(0xBEA);
    address private constant CLEO = address(0xC);
    address private constant DAN = address(0xD);
    address private constant STRANGER = address(0xF);

    Members private _members;

    function setUp() public {
        vm.prank(ADA);
        _members = new Members("Ada");
    }

    function test_constructor_makesTheDeployerTheFirstMember() public view {
        assertTrue(_members.isMember(ADA), "the deployer is a member");
        assertTrue(!_members.isMember(STRANGER), "nobody else is");
        assertEq(1, _members.memberCount(), "member count");
        assertEq("Ada", _members.nameHashOf(ADA), "name");
    }

    function test_vote_ofTheOnlyMemberAdmitsAtOnce() public {
        vm.expectEmit(address(_members));
        emit Members.Voted(1, BEN, "Ben", true);
        vm.expectEmit(address(_members));
        emit Members.Admitted(2, BEN, "Ben");
        _vote(ADA, BEN, "Ben", true);

        assertTrue(_members.isMember(BEN), "Ben is a member");
        assertEq(2, _members.memberCount(), "member count");
        assertEq(2, _members.members().length, "members listed");
        assertEq("Ben", _members.nameHashOf(BEN), "name");
    }

    function test_vote_ofHalfTheMembersDecidesNothing() public {
        _admitBen();
        _vote(ADA, CLEO, "Cleo", true);
        assertTrue(!_members.isMember(CLEO), "one vote of two");
        assertEq(1, _members.voteCount(CLEO, "Cleo", true), "votes");
        _vote(BEN, CLEO, "Cleo", true);
        assertTrue(_members.isMember(CLEO), "two votes of two");
    }

    function test_vote_repeatedCountsOnceAndEmitsNothing() public {
        _admitBen();
        _vote(ADA, CLEO, "Cleo", true);
        vm.recordLogs();
        _vote(ADA, CLEO, "Cleo", true);
        assertEq(0, vm.getRecordedLogs().length, "events");
        assertTrue(!_members.isMember(CLEO), "one member's vote twice is one vote");
    }

    function test_vote_forAnotherNameIsAnotherVote() public {
        _admitBen();
        _vote(ADA, CLEO, "Cleo", true);
        _vote(BEN, CLEO, "Clea", true);
        assertTrue(!_members.isMember(CLEO), "the votes differ");
    }

    function test_vote_expelsAndTheExpelledVoteNoMore() public {
        _admitThree();
        _vote(ADA, BEN, "Ben", false);
        assertTrue(_members.isMember(BEN), "one vote of three");
        vm.expectEmit(address(_members));
        emit Members.Voted(3, BEN, "Ben", false);
        vm.expectEmit(address(_members));
        emit Members.Expelled(2, BEN, "Ben");
        _vote(CLEO, BEN, "Ben", false);

        assertTrue(!_members.isMember(BEN), "Ben has left");
        assertEq(2, _members.memberCount(), "member count");
        assertEq(bytes32(0), _members.nameHashOf(BEN), "name");
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, BEN));
        _vote(BEN, DAN, "Dan", true);
    }

    function test_vote_ofTheExpelledNoLongerCounts() public {
        _admitThree();
        _vote(BEN, DAN, "Dan", true);
        _vote(ADA, BEN, "Ben", false);
        _vote(CLEO, BEN, "Ben", false);
        assertEq(0, _members.voteCount(DAN, "Dan", true), "votes");
        _vote(ADA, DAN, "Dan", true);
        assertTrue(!_members.isMember(DAN), "one vote of two");
    }

    function test_vote_ofAMembershipThatEndedDoesNotReviveWithTheNext() public {
        _admitThree();
        _vote(BEN, DAN, "Dan", true);
        _vote(ADA, BEN, "Ben", false);
        _vote(CLEO, BEN, "Ben", false);
        _vote(ADA, BEN, "Ben", true);
        _vote(CLEO, BEN, "Ben", true);
        assertTrue(_members.isMember(BEN), "Ben is back");
        assertEq(0, _members.voteCount(DAN, "Dan", true), "votes");
    }

    function test_vote_afterADecisionStartsAnew() public {
        _admitThree();
        _vote(ADA, BEN, "Ben", false);
        _vote(CLEO, BEN, "Ben", false);
        assertEq(0, _members.voteCount(BEN, "Ben", true), "the votes that once admitted Ben");
        _vote(ADA, BEN, "Ben", true);
        assertTrue(!_members.isMember(BEN), "one vote of two");
    }

    function test_vote_repeatedDecidesOnceFewerMembersSuffice() public {
        _admitThree();
        _vote(ADA, DAN, "Dan", true);
        _vote(ADA, BEN, "Ben", false);
        _vote(CLEO, BEN, "Ben", false);
        _vote(ADA, CLEO, "Cleo", false);
        _vote(CLEO, CLEO, "Cleo", false);
        assertEq(1, _members.memberCount(), "Ada alone is left");
        _vote(ADA, DAN, "Dan", true);
        assertTrue(_members.isMember(DAN), "one vote of one");
    }

    function test_vote_failsForStrangersAndImpossibleDecisions() public {
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, STRANGER));
        _vote(STRANGER, STRANGER, "Stranger", true);
        vm.expectRevert(abi.encodeWithSelector(Members.AlreadyMember.selector, ADA));
        _vote(ADA, ADA, "Ada", true);
        vm.expectRevert(abi.encodeWithSelector(Members.InvalidCandidate.selector, address(0)));
        _vote(ADA, address(0), "Nobody", true);
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, BEN));
        _vote(ADA, BEN, "Ben", false);
        vm.expectRevert(abi.encodeWithSelector(Members.LastMember.selector, ADA));
        _vote(ADA, ADA, "Ada", false);
        _admitBen();
        vm.expectRevert(abi.encodeWithSelector(Members.OtherName.selector, bytes32("Ben"), bytes32("Bea")));
        _vote(ADA, BEN, "Bea", false);
    }

    function test_vote_failsAboveTheGreatestNumberOfMembers() public {
        address[] memory voters = new address[](128);
        voters[0] = ADA;
        for (uint160 count = 1; count < 128; ++count) {
            voters[count] = address(0x1000 + count);
            for (uint256 i = 0; i <= count / 2; ++i) {
                _vote(voters[i], voters[count], "Clinic", true);
            }
        }
        assertEq(128, _members.memberCount(), "member count");
        vm.expectRevert(abi.encodeWithSelector(Members.TooManyMembers.selector, 128));
        _vote(ADA, DAN, "Dan", true);
    }

    function testFuzz_vote_admitsExactlyAboveHalf(uint256 memberCount, uint256 voteCount) public {
        memberCount = fold(memberCount, 1, 24);
        voteCount = fold(voteCount, 1, memberCount);
        address[] memory voters = new address[](memberCount);
        voters[0] = ADA;
        for (uint160 count = 1; count < memberCount; ++count) {
            voters[count] = address(0x1000 + count);
            for (uint256 i = 0; i <= count / 2; ++i) {
                _vote(voters[i], voters[count], "Clinic", true);
            }
        }
        for (uint256 i = 0; i < voteCount && !_members.isMember(DAN); ++i) {
            _vote(voters[memberCount - 1 - i], DAN, "Dan", true);
        }
        assertTrue(_members.isMember(DAN) == (voteCount > memberCount - voteCount), "admitted above half only");
    }

    function test_register_emitsOnceOnly() public {
        vm.expectEmit(address(_members));
        emit Members.Registered(ADA, "commitment");
        vm.prank(ADA);
        _members.register("commitment");
        assertTrue(_members.registered(ADA, "commitment"), "registered");

        vm.recordLogs();
        vm.prank(ADA);
        _members.register("commitment");
        assertEq(0, vm.getRecordedLogs().length, "events of the second time");
        assertTrue(!_members.registered(ADA, "another"), "another commitment");
    }

    function test_register_isEachMembersOwn() public {
        _admitBen();
        vm.prank(ADA);
        _members.register("commitment");
        assertTrue(!_members.registered(BEN, "commitment"), "Ben has not registered it");
        vm.expectEmit(address(_members));
        emit Members.Registered(BEN, "commitment");
        vm.prank(BEN);
        _members.register("commitment");
    }

    function test_register_failsForStrangers() public {
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, STRANGER));
        vm.prank(STRANGER);
        _members.register("commitment");
    }

    function test_move_takesMembershipNameAndVotesToTheNewAccount() public {
        _admitThree();
        _vote(BEN, DAN, "Dan", true);
        vm.expectEmit(address(_members));
        emit Members.MoveOffered(2, BEA);
        _offer(BEN, BEA);
        assertEq(BEA, _members.moveOf(2), "offered to");
        assertTrue(_members.isMember(BEN) && !_members.isMember(BEA), "not before it is accepted");
        vm.expectEmit(address(_members));
        emit Members.Moved(2, BEN, BEA);
        _accept(BEA, 2);

        assertTrue(_members.isMember(BEA) && !_members.isMember(BEN), "moved");
        assertEq(3, _members.memberCount(), "member count");
        assertEq(2, _members.idOf(BEA), "id");
        assertEq(0, _members.idOf(BEN), "id of the old account");
        assertEq("Ben", _members.nameHashOf(BEA), "name");
        assertEq(address(0), _members.moveOf(2), "nothing is offered any more");
        assertEq(1, _members.voteCount(DAN, "Dan", true), "the vote stands");
        _vote(BEA, DAN, "Dan", true);
        assertTrue(!_members.isMember(DAN), "and counts once");
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, BEN));
        _vote(BEN, DAN, "Dan", true);
    }

    function test_move_escapesNoVoteOfExpulsion() public {
        _admitThree();
        _vote(ADA, BEN, "Ben", false);
        _offer(BEN, BEA);
        _accept(BEA, 2);
        assertEq(1, _members.voteCount(BEA, "Ben", false), "the vote follows");
        _vote(CLEO, BEA, "Ben", false);
        assertTrue(!_members.isMember(BEA), "expelled");
    }

    function test_move_revivesNoVotesOfAdmission() public {
        _admitThree();
        _vote(ADA, BEA, "Bea", true);
        _offer(BEN, BEA);
        _accept(BEA, 2);
        _vote(ADA, BEA, "Ben", false);
        _vote(CLEO, BEA, "Ben", false);
        assertTrue(!_members.isMember(BEA), "expelled");
        assertEq(0, _members.voteCount(BEA, "Bea", true), "votes");
    }

    function test_move_failsForOthersMembersAndTheExpelled() public {
        _admitThree();
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, STRANGER));
        _offer(STRANGER, BEA);
        vm.expectRevert(abi.encodeWithSelector(Members.AlreadyMember.selector, CLEO));
        _offer(BEN, CLEO);
        vm.expectRevert(abi.encodeWithSelector(Members.NotOffered.selector, 2, address(0), STRANGER));
        _accept(STRANGER, 2);
        _offer(BEN, BEA);
        vm.expectRevert(abi.encodeWithSelector(Members.NotOffered.selector, 2, BEA, STRANGER));
        _accept(STRANGER, 2);
        _offer(CLEO, BEA);
        _accept(BEA, 3);
        vm.expectRevert(abi.encodeWithSelector(Members.AlreadyMember.selector, BEA));
        _accept(BEA, 2);
        _offer(BEN, DAN);
        _vote(ADA, BEN, "Ben", false);
        _vote(BEA, BEN, "Ben", false);
        vm.expectRevert(abi.encodeWithSelector(Members.NotOffered.selector, 2, address(0), DAN));
        _accept(DAN, 2);
    }

    function test_publish_standsUntilTheMemberIsExpelled() public {
        _admitBen();
        vm.expectEmit(address(_members));
        emit Members.EndpointPublished(2, "https://ben.example");
        vm.prank(BEN);
        _members.publishEndpoint("https://ben.example");
        vm.expectEmit(address(_members));
        emit Members.WitnessKeyPublished(2, "ben.example+key");
        vm.prank(BEN);
        _members.publishWitnessKey("ben.example+key");
        (address account, bytes32 nameHash, string memory endpoint, bytes memory witnessKey) = _members.memberOf(2);
        assertEq(BEN, account, "account");
        assertEq("Ben", nameHash, "name");
        assertEq(keccak256("https://ben.example"), keccak256(bytes(endpoint)), "endpoint");
        assertEq(keccak256("ben.example+key"), keccak256(witnessKey), "witness key");

        _vote(ADA, BEN, "Ben", false);
        _vote(BEN, BEN, "Ben", false);
        (account, nameHash, endpoint, witnessKey) = _members.memberOf(2);
        assertEq(address(0), account, "no account");
        assertEq(0, bytes(endpoint).length + witnessKey.length, "nothing published");
    }

    function test_publish_failsForStrangersAndAboveTheLimits() public {
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, STRANGER));
        vm.prank(STRANGER);
        _members.publishEndpoint("https://stranger.example");
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, STRANGER));
        vm.prank(STRANGER);
        _members.publishWitnessKey("key");
        vm.prank(ADA);
        _members.publishEndpoint(string(new bytes(256)));
        vm.expectRevert(abi.encodeWithSelector(Members.TooLong.selector, 256, 257));
        vm.prank(ADA);
        _members.publishEndpoint(string(new bytes(257)));
        vm.expectRevert(abi.encodeWithSelector(Members.TooLong.selector, 256, 257));
        vm.prank(ADA);
        _members.publishWitnessKey(new bytes(257));
    }

    function _offer(address from, address to) private {
        vm.prank(from);
        _members.offerMove(to);
    }

    function _accept(address to, uint64 id) private {
        vm.prank(to);
        _members.acceptMove(id);
    }

    function _vote(address voter, address candidate, bytes32 nameHash, bool admit) private {
        vm.prank(voter);
        _members.vote(candidate, nameHash, admit);
    }

    function _admitBen() private {
        _vote(ADA, BEN, "Ben", true);
    }

    function _admitThree() private {
        _admitBen();
        _vote(ADA, CLEO, "Cleo", true);
        _vote(BEN, CLEO, "Cleo", true);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Consents} from "../src/Consents.sol";
import {Members, NotMember} from "../src/Members.sol";
import {Subjects} from "../src/Subjects.sol";
import {Test} from "./Test.sol";

contract EmergenciesTest is Test {
    address private constant MEMBER = address(0xA);
    address private constant OTHER = address(0xB);
    address private constant STRANGER = address(0xF);
    bytes32 private constant ID = "id";
    uint64 private constant NOW = 1_800_000_000;

    Members private _members;
    Consents private _consents;

    function setUp() public {
        vm.warp(NOW);
        vm.prank(MEMBER);
        _members = new Members("Member");
        vm.prank(MEMBER);
        _members.vote(OTHER, "Other", true);
        _consents = new Consents(_members, new Subjects(_members));
    }

    function test_openEmergency_countsForItsTimeAndForWhatWasCommittedTo() public {
        assertTrue(!_consents.isOpen(ID, "commitment"), "before");
        vm.expectEmit(address(_consents));
        emit Consents.EmergencyOpened(ID, 1, "commitment", NOW + 1 hours);
        _open(MEMBER, "commitment", NOW + 1 hours);
        (uint64 member, bytes32 commitment, uint64 notAfter, bool closed) = _consents.emergency(ID);
        assertEq(1, member, "member");
        assertEq("commitment", commitment, "commitment");
        assertEq(NOW + 1 hours, notAfter, "not after");
        assertTrue(!closed, "not closed");
        assertTrue(_consents.isOpen(ID, "commitment"), "open");
        assertTrue(!_consents.isOpen(ID, "other"), "for no other commitment");
        vm.warp(NOW + 1 hours);
        assertTrue(_consents.isOpen(ID, "commitment"), "in its last second");
        vm.warp(NOW + 1 hours + 1);
        assertTrue(!_consents.isOpen(ID, "commitment"), "not after it");
    }

    function test_openEmergency_repeatedChangesNothing() public {
        _open(MEMBER, "commitment", NOW + 1 hours);
        vm.recordLogs();
        _open(MEMBER, "commitment", NOW + 1 hours);
        assertEq(0, vm.getRecordedLogs().length, "events");
    }

    function test_openEmergency_failsForOthersUnderTheSameIdTooLongOrPast() public {
        _open(MEMBER, "commitment", NOW + 1 days);
        bytes memory reason =
            abi.encodeWithSelector(Consents.OtherEmergency.selector, ID, 1, bytes32("commitment"), NOW + 1 days);
        _refused(reason, MEMBER, ID, "other", NOW + 1 days);
        _refused(reason, MEMBER, ID, "commitment", NOW + 1 hours);
        _refused(reason, OTHER, ID, "commitment", NOW + 1 days);
        reason = abi.encodeWithSelector(Consents.EmergencyTooLong.selector, NOW + 1 days, NOW + 1 days + 1);
        _refused(reason, MEMBER, "another", "commitment", NOW + 1 days + 1);
        reason = abi.encodeWithSelector(Consents.Expired.selector, bytes32("another"), NOW - 1);
        _refused(reason, MEMBER, "another", "commitment", NOW - 1);
        _refused(abi.encodeWithSelector(NotMember.selector, STRANGER), STRANGER, "another", "commitment", NOW);
    }

    function test_closeEmergency_endsItOnce() public {
        _open(MEMBER, "commitment", NOW + 1 hours);
        vm.expectEmit(address(_consents));
        emit Consents.EmergencyClosed(ID);
        _close(MEMBER);
        assertTrue(!_consents.isOpen(ID, "commitment"), "closed");
        vm.recordLogs();
        _close(MEMBER);
        _open(MEMBER, "commitment", NOW + 1 hours);
        assertEq(0, vm.getRecordedLogs().length, "events");
        assertTrue(!_consents.isOpen(ID, "commitment"), "stays closed");
    }

    function test_closeEmergency_failsForOthers() public {
        vm.expectRevert(abi.encodeWithSelector(Consents.OtherEmergency.selector, ID, 0, bytes32(0), 0));
        _close(MEMBER);
        _open(MEMBER, "commitment", NOW + 1 hours);
        vm.expectRevert(
            abi.encodeWithSelector(Consents.OtherEmergency.selector, ID, 1, bytes32("commitment"), NOW + 1 hours)
        );
        _close(OTHER);
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, STRANGER));
        _close(STRANGER);
        assertTrue(_consents.isOpen(ID, "commitment"), "still open");
    }

    function testFuzz_openEmergency_lastsADayAtMost(uint64 notAfter) public {
        vm.prank(MEMBER);
        try _consents.openEmergency(ID, "commitment", notAfter) {
            assertTrue(notAfter >= NOW && notAfter <= NOW + 1 days, "within a day");
        } catch {
            assertTrue(notAfter < NOW || notAfter > NOW + 1 days, "not within a day");
        }
    }

    function _open(address caller, bytes32 commitment, uint64 notAfter) private {
        vm.prank(caller);
        _consents.openEmergency(ID, commitment, notAfter);
    }

    function _close(address caller) private {
        vm.prank(caller);
        _consents.closeEmergency(ID);
    }

    function _refused(bytes memory reason, address caller, bytes32 id, bytes32 commitment, uint64 notAfter) private {
        vm.expectRevert(reason);
        vm.prank(caller);
        _consents.openEmergency(id, commitment, notAfter);
    }
}

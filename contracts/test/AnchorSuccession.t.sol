// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Anchor} from "../src/Anchor.sol";
import {Members, NotMember} from "../src/Members.sol";
import {Test} from "./Test.sol";

contract AnchorSuccessionTest is Test {
    address private constant OWNER = address(0xA);
    address private constant OTHER = address(0xB);
    address private constant STRANGER = address(0xF);
    bytes32[] private _none;

    Members private _members;
    Anchor private _anchor;

    function setUp() public {
        vm.prank(OWNER);
        _members = new Members("Owner");
        vm.prank(OWNER);
        _members.vote(OTHER, "Other", true);
        _anchor = new Anchor(_members);
        vm.prank(OWNER);
        _anchor.anchor("old", 0, 10, "root", _none);
    }

    function test_succeed_endsTheOldLogAndNamesItsHeadAndTheGap() public {
        vm.expectEmit(address(_anchor));
        emit Anchor.Opened("new", 1);
        vm.expectEmit(address(_anchor));
        emit Anchor.Succeeded("old", "new", 10, "root", 7, "reason");
        _succeed(OWNER, "old", "new", 7);

        (bytes32 predecessor, bytes32 successor) = _anchor.lineage("new");
        assertEq("old", predecessor, "predecessor");
        assertEq(bytes32(0), successor, "no successor");
        (predecessor, successor) = _anchor.lineage("old");
        assertEq("new", successor, "successor");
        (uint64 size, bytes32 root,, uint64 owner) = _anchor.head("old");
        assertEq(10, size, "the old head stands");
        assertEq("root", root, "and its root");
        (size,,, owner) = _anchor.head("new");
        assertEq(0, size, "the new log is empty");
        assertEq(1, owner, "and has its owner");

        vm.expectRevert(abi.encodeWithSelector(Anchor.LogSucceeded.selector, bytes32("old"), bytes32("new")));
        vm.prank(OWNER);
        _anchor.anchor("old", 10, 11, "longer", _none);
    }

    function test_succeed_letsTheOwnerAloneGoOn() public {
        _succeed(OWNER, "old", "new", 10);
        vm.expectRevert(abi.encodeWithSelector(Anchor.NotOwner.selector, bytes32("new"), 1, 2));
        vm.prank(OTHER);
        _anchor.anchor("new", 0, 1, "theirs", _none);
        vm.recordLogs();
        vm.prank(OWNER);
        _anchor.anchor("new", 0, 8, "ours", _none);
        assertEq(1, vm.getRecordedLogs().length, "opened once");
        _succeed(OWNER, "new", "newer", 0);
    }

    function test_succeed_failsForOthersUsedLogsAndKeptLeavesThatNeverWere() public {
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, STRANGER));
        _succeed(STRANGER, "old", "new", 0);
        vm.expectRevert(abi.encodeWithSelector(Anchor.NotOwner.selector, bytes32("old"), 1, 2));
        _succeed(OTHER, "old", "new", 0);
        vm.expectRevert(abi.encodeWithSelector(Anchor.NotOwner.selector, bytes32("unknown"), 0, 1));
        _succeed(OWNER, "unknown", "new", 0);
        vm.expectRevert(abi.encodeWithSelector(Anchor.KeptTooLarge.selector, 10, 11));
        _succeed(OWNER, "old", "new", 11);
        vm.prank(OTHER);
        _anchor.anchor("theirs", 0, 1, "root", _none);
        vm.expectRevert(abi.encodeWithSelector(Anchor.LogInUse.selector, bytes32("theirs")));
        _succeed(OWNER, "old", "theirs", 0);
        vm.expectRevert(abi.encodeWithSelector(Anchor.LogInUse.selector, bytes32("old")));
        _succeed(OWNER, "old", "old", 0);
        _succeed(OWNER, "old", "new", 0);
        vm.expectRevert(abi.encodeWithSelector(Anchor.LogSucceeded.selector, bytes32("old"), bytes32("new")));
        _succeed(OWNER, "old", "newer", 0);
    }

    function test_anchor_followsTheOwnerToItsNewAccount() public {
        address moved = address(0xAA);
        vm.prank(OWNER);
        _members.offerMove(moved);
        vm.prank(moved);
        _members.acceptMove(1);
        vm.expectRevert(abi.encodeWithSelector(NotMember.selector, OWNER));
        _succeed(OWNER, "old", "new", 0);
        _succeed(moved, "old", "new", 0);
    }

    function _succeed(address caller, bytes32 oldLog, bytes32 newLog, uint64 kept) private {
        vm.prank(caller);
        _anchor.succeed(oldLog, newLog, kept, "reason");
    }
}

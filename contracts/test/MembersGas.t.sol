// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Members} from "../src/Members.sol";
import {Test} from "./Test.sol";

/// @dev What whole transactions of members cost; the figures stand in snapshots/Members.json.
/// forge-config: default.isolate = true
contract MembersGasTest is Test {
    address private constant CANDIDATE = address(0xC);
    address private constant MOVED = address(0xD);

    Members private _members;

    function setUp() public {
        _members = new Members("Owner");
    }

    function test_membership_costsWhatItDid() public {
        _members.vote(CANDIDATE, "Candidate", true);
        vm.snapshotGasLastCall("Members", "deciding vote to admit");
        _members.vote(CANDIDATE, "Candidate", false);
        vm.snapshotGasLastCall("Members", "vote that decides nothing");
        vm.prank(CANDIDATE);
        _members.vote(CANDIDATE, "Candidate", false);
        vm.snapshotGasLastCall("Members", "deciding vote to expel");
        assertEq(1, _members.memberCount(), "member count");
        _members.offerMove(MOVED);
        vm.snapshotGasLastCall("Members", "offer a move");
        vm.prank(MOVED);
        _members.acceptMove(1);
        vm.snapshotGasLastCall("Members", "accept a move");
        assertTrue(_members.isMember(MOVED), "moved");
    }

    function test_announcement_costsWhatItDid() public {
        _members.register("commitment");
        vm.snapshotGasLastCall("Members", "register");
        _members.publishEndpoint("https://hospital.example:8443");
        vm.snapshotGasLastCall("Members", "publish an endpoint");
        _members.publishWitnessKey("hospital.example/witness+0c1f2a3b+AhPbtQ7b0mXx1v6pQyqg0b6oVnXh3c0t8lq1Zr9bqkS7");
        vm.snapshotGasLastCall("Members", "publish a witness key");
    }

    /// @dev A vote counts all members.
    function test_vote_costsMoreAmongMoreMembers() public {
        for (uint160 i = 1; i < 32; ++i) {
            address candidate = address(0x1000 + i);
            _members.vote(candidate, "Candidate", true);
            for (uint160 j = 1; j < i && !_members.isMember(candidate); ++j) {
                vm.prank(address(0x1000 + j));
                _members.vote(candidate, "Candidate", true);
            }
        }
        assertEq(32, _members.memberCount(), "member count");
        _members.vote(address(0x1001), "Candidate", false);
        vm.snapshotGasLastCall("Members", "vote among 32 members");
    }
}

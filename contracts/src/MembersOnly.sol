// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Members, NotMember} from "./Members.sol";

/// @title What a contract needs that serves the members of one consortium.
/// @notice It keeps a member by its id, which stays when the member moves to another account.
abstract contract MembersOnly {
    Members private immutable MEMBERS;

    constructor(Members consortium) {
        MEMBERS = consortium;
    }

    /// @notice The consortium.
    function members() external view returns (Members) {
        return MEMBERS;
    }

    /// @return member The caller's id.
    function _requireMember() internal view returns (uint64 member) {
        member = MEMBERS.idOf(msg.sender);
        if (member == 0) revert NotMember(msg.sender);
    }
}

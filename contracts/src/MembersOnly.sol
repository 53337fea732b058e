// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Members, NotMember} from "./Members.sol";

/// @title What a contract needs that serves the members of one consortium.
abstract contract MembersOnly {
    Members private immutable MEMBERS;

    constructor(Members consortium) {
        MEMBERS = consortium;
    }

    modifier onlyMember() {
        if (!MEMBERS.isMember(msg.sender)) revert NotMember(msg.sender);
        _;
    }

    function members() external view returns (Members) {
        return MEMBERS;
    }
}

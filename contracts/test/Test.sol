// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

struct Log {
    bytes32[] topics;
    bytes data;
    address emitter;
}

struct Gas {
    uint64 gasLimit;
    uint64 gasTotalUsed;
    uint64 gasMemoryUsed;
    int64 gasRefunded;
    uint64 gasRemaining;
}

/// @dev The cheat codes of forge that these tests use.
interface Vm {
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function roll(uint256 blockNumber) external;
    function assume(bool condition) external pure;
    function expectRevert(bytes calldata reason) external;
    function expectEmit(address emitter) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function lastCallGas() external view returns (Gas memory);
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);
    function signP256(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function publicKeyP256(uint256 privateKey) external pure returns (uint256 x, uint256 y);
}

/// @dev What the tests share: cheat codes, assertions that say what differed, and the choice of an invariant's target.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    address[] private _targets;

    error NotTrue(string what);
    error NotEqual(string what, bytes32 expected, bytes32 actual);
    error AboveMax(string what, uint256 max, uint256 actual);

    /// @dev Read by forge: the contracts that an invariant test calls at random.
    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function target(address handler) internal {
        _targets.push(handler);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function assertEq(bytes32 expected, bytes32 actual, string memory what) internal pure {
        if (expected != actual) revert NotEqual(what, expected, actual);
    }

    function assertEq(uint256 expected, uint256 actual, string memory what) internal pure {
        assertEq(bytes32(expected), bytes32(actual), what);
    }

    function assertEq(address expected, address actual, string memory what) internal pure {
        assertEq(uint160(expected), uint160(actual), what);
    }

    function assertAtMost(uint256 max, uint256 actual, string memory what) internal pure {
        if (actual > max) revert AboveMax(what, max, actual);
    }

    /// @dev Folds a fuzzed value into min..max, both included.
    function fold(uint256 value, uint256 min, uint256 max) internal pure returns (uint256) {
        return max - min == type(uint256).max ? value : min + value % (max - min + 1);
    }
}

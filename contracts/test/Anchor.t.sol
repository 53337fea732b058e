// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Anchor} from "../src/Anchor.sol";
import {Members, NotMember} from "../src/Members.sol";
import {Test} from "./Test.sol";
import {Trees} from "./Trees.sol";

contract AnchorTest is Test {
    bytes32 private constant LOG = "log";
    address private constant OWNER = address(0xA);
    address private constant OTHER = address(0xB);
    address private constant STRANGER = address(0xF);

    Members private _members;
    Anchor private _anchor;

    function setUp() public {
        vm.prank(OWNER);
        _members = new Members("Owner");
        vm.prank(OWNER);
        _members.vote(OTHER, "Other", true);
        _anchor = new Anchor(_members);
    }

    function test_anchor_bindsTheLogToItsFirstCaller() public {
        vm.roll(7);
        vm.expectEmit(address(_anchor));
        emit Anchor.Opened(LOG, 1);
        vm.expectEmit(address(_anchor));
        emit Anchor.Anchored(LOG, 0, 3, "root");
        _anchorAs(OWNER, 0, 3, "root", new bytes32[](0));

        (uint64 size, bytes32 root, uint64 blockNumber, uint64 owner) = _anchor.head(LOG);
        assertEq(3, size, "size");
        assertEq("root", root, "root");
        assertEq(7, blockNumber, "block");
        assertEq(1, owner, "owner");
        assertEq(address(_members), address(_anchor.members()), "consortium");

        _refused(abi.encodeWithSelector(Anchor.NotOwner.selector, LOG, 1, 2), OTHER, 3, 4, "root", new bytes32[](0));
    }

    /// @dev The eight leaves and the roots of the reference tests of RFC 6962.
    function test_anchor_acceptsTheReferenceTree() public {
        bytes32[] memory leaves = _referenceLeaves();
        bytes32[] memory none = new bytes32[](0);
        bytes32[] memory proof = new bytes32[](2);
        proof[0] = 0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e;
        proof[1] = 0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b;
        bytes32 two = 0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125;
        bytes32 five = 0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4;
        bytes32 six = 0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef;
        bytes32 eight = 0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328;
        _anchorAs(OWNER, 0, 2, two, none);
        _anchorAs(OWNER, 2, 5, five, proof);
        _anchorAs(OWNER, 5, 6, six, Trees.consistency(leaves, 5, 6));
        proof = new bytes32[](3);
        proof[0] = 0x0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a;
        proof[1] = 0xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0;
        proof[2] = 0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7;
        _anchorAs(OWNER, 6, 8, eight, proof);
        assertEq(eight, Trees.root(leaves, 8), "the tests' own tree");
    }

    function test_anchor_acceptsEveryPairOfSizesUpTo33() public {
        bytes32[] memory leaves = _leaves(33, 1);
        for (uint64 newSize = 2; newSize <= 33; ++newSize) {
            for (uint64 oldSize = 1; oldSize < newSize; ++oldSize) {
                bytes32 log = bytes32(uint256(newSize) << 8 | oldSize);
                bytes32 newRoot = Trees.root(leaves, newSize);
                bytes32 oldRoot = Trees.root(leaves, oldSize);
                bytes32[] memory proof = Trees.consistency(leaves, oldSize, newSize);
                vm.prank(OWNER);
                _anchor.anchor(log, 0, oldSize, oldRoot, new bytes32[](0));
                vm.prank(OWNER);
                _anchor.anchor(log, oldSize, newSize, newRoot, proof);
            }
        }
    }

    /// @dev RFC 9162 section 2.1.4.2, step by step, decides about arbitrary proofs between arbitrary sizes.
    function testFuzz_anchor_agreesWithTheAlgorithmOfTheRfc(uint256 oldSeed, uint256 newSeed, uint256 seed) public {
        uint64 newSize = uint64(fold(newSeed, 2, 1 << fold(newSeed >> 128, 1, 48)) - (newSeed & 1));
        if (newSize < 2) newSize = 2;
        if (newSize > type(uint48).max) newSize = type(uint48).max;
        uint64 oldSize = uint64(fold(oldSeed, 1, newSize - 1));
        if (oldSeed >> 255 == 1) oldSize = uint64(Trees.split(uint256(oldSize) + 1));

        bytes32[] memory proof = _randomProof(_rfcProofLength(oldSize, newSize), seed);
        (bool valid, bytes32 oldRoot, bytes32 newRoot) = _rfcRoots(oldSize, newSize, keccak256("old"), proof);
        assertTrue(valid, "the length that the algorithm asks for");
        _anchorAs(OWNER, 0, oldSize, oldRoot, new bytes32[](0));

        bytes32[] memory longer = Trees.append(proof, "more");
        _refused(
            abi.encodeWithSelector(Anchor.WrongProofLength.selector, proof.length, longer.length),
            OWNER,
            oldSize,
            newSize,
            newRoot,
            longer
        );
        bytes32[] memory shorter = _randomProof(proof.length - 1, seed);
        _refused(
            abi.encodeWithSelector(Anchor.WrongProofLength.selector, proof.length, shorter.length),
            OWNER,
            oldSize,
            newSize,
            newRoot,
            shorter
        );

        uint256 bent = seed % proof.length;
        proof[bent] ^= bytes32(uint256(1) << (seed % 256));
        assertTrue(!_tryAnchor(oldSize, newSize, newRoot, proof), "a bit of the proof flipped");
        proof[bent] ^= bytes32(uint256(1) << (seed % 256));

        _anchorAs(OWNER, oldSize, newSize, newRoot, proof);
    }

    function test_anchor_failsForStrangersAndTheExpelled() public {
        _refused(abi.encodeWithSelector(NotMember.selector, STRANGER), STRANGER, 0, 1, "root", new bytes32[](0));

        bytes32[] memory leaves = _leaves(2, 1);
        _anchorAs(OTHER, 0, 1, leaves[0], new bytes32[](0));
        vm.prank(OWNER);
        _members.vote(OTHER, "Other", false);
        vm.prank(OTHER);
        _members.vote(OTHER, "Other", false);
        _refused(
            abi.encodeWithSelector(NotMember.selector, OTHER),
            OTHER,
            1,
            2,
            Trees.root(leaves, 2),
            Trees.consistency(leaves, 1, 2)
        );
    }

    function test_anchor_failsForAnotherOldSize() public {
        bytes32[] memory leaves = _leaves(8, 1);
        _refused(
            abi.encodeWithSelector(Anchor.StaleSize.selector, 0, 1),
            OWNER,
            1,
            4,
            Trees.root(leaves, 4),
            Trees.consistency(leaves, 1, 4)
        );

        _anchorAs(OWNER, 0, 4, Trees.root(leaves, 4), new bytes32[](0));
        _refused(
            abi.encodeWithSelector(Anchor.StaleSize.selector, 4, 0),
            OWNER,
            0,
            8,
            Trees.root(leaves, 8),
            new bytes32[](0)
        );
        _refused(
            abi.encodeWithSelector(Anchor.StaleSize.selector, 4, 3),
            OWNER,
            3,
            8,
            Trees.root(leaves, 8),
            Trees.consistency(leaves, 3, 8)
        );
        _refused(
            abi.encodeWithSelector(Anchor.StaleSize.selector, 4, 5),
            OWNER,
            5,
            8,
            Trees.root(leaves, 8),
            Trees.consistency(leaves, 5, 8)
        );
    }

    function test_anchor_failsForASizeThatDoesNotGrow() public {
        _refused(abi.encodeWithSelector(Anchor.NotLarger.selector, 0, 0), OWNER, 0, 0, "root", new bytes32[](0));
        _anchorAs(OWNER, 0, 4, "root", new bytes32[](0));
        _refused(abi.encodeWithSelector(Anchor.NotLarger.selector, 4, 4), OWNER, 4, 4, "root", new bytes32[](0));
        _refused(abi.encodeWithSelector(Anchor.NotLarger.selector, 4, 3), OWNER, 4, 3, "root", new bytes32[](0));
    }

    function test_anchor_failsAbove48Bits() public {
        uint64 max = type(uint48).max;
        _refused(
            abi.encodeWithSelector(Anchor.SizeTooLarge.selector, max, max + 1),
            OWNER,
            0,
            max + 1,
            "root",
            new bytes32[](0)
        );
        _anchorAs(OWNER, 0, max, "root", new bytes32[](0));
    }

    function test_anchor_failsForAFirstHeadWithAProof() public {
        _refused(abi.encodeWithSelector(Anchor.WrongProofLength.selector, 0, 1), OWNER, 0, 1, "root", new bytes32[](1));
    }

    function test_anchor_failsForAFork() public {
        bytes32[] memory leaves = _leaves(9, 1);
        bytes32 oldRoot = Trees.root(leaves, 6);
        _anchorAs(OWNER, 0, 6, oldRoot, new bytes32[](0));

        leaves[2] = Trees.leafHash("rewritten");
        bytes32 forkedRoot = Trees.root(leaves, 6);
        _refused(
            abi.encodeWithSelector(Anchor.Forked.selector, oldRoot, forkedRoot),
            OWNER,
            6,
            9,
            Trees.root(leaves, 9),
            Trees.consistency(leaves, 6, 9)
        );
    }

    function test_anchor_failsForAForkFromACompleteTree() public {
        bytes32[] memory leaves = _leaves(9, 1);
        bytes32 truth = Trees.root(leaves, 9);
        _anchorAs(OWNER, 0, 4, Trees.root(leaves, 4), new bytes32[](0));

        leaves[2] = Trees.leafHash("rewritten");
        bytes32 forked = Trees.root(leaves, 9);
        _refused(
            abi.encodeWithSelector(Anchor.Unproven.selector, forked, truth),
            OWNER,
            4,
            9,
            forked,
            Trees.consistency(leaves, 4, 9)
        );
    }

    function test_anchor_failsForARootThatTheProofDoesNotLeadTo() public {
        bytes32[] memory leaves = _leaves(9, 1);
        _anchorAs(OWNER, 0, 6, Trees.root(leaves, 6), new bytes32[](0));
        bytes32 truth = Trees.root(leaves, 9);
        _refused(
            abi.encodeWithSelector(Anchor.Unproven.selector, bytes32("wish"), truth),
            OWNER,
            6,
            9,
            "wish",
            Trees.consistency(leaves, 6, 9)
        );
    }

    function test_verifyInclusion_holdsForEveryLeafOfEverySizeUpTo17() public {
        bytes32[] memory leaves = _leaves(17, 1);
        for (uint64 size = 1; size <= 17; ++size) {
            bytes32 log = bytes32(uint256(size));
            bytes32 root = Trees.root(leaves, size);
            vm.prank(OWNER);
            _anchor.anchor(log, 0, size, root, new bytes32[](0));
            for (uint64 index = 0; index < size; ++index) {
                bytes32[] memory proof = Trees.inclusion(leaves, index, size);
                assertTrue(_anchor.verifyInclusion(log, leaves[index], index, proof), "leaf at its place");
                for (uint64 wrong = 0; wrong <= size; ++wrong) {
                    bool accepted = _anchor.verifyInclusion(log, leaves[index], wrong, proof);
                    assertTrue(accepted == (wrong == index), "at no other place");
                }
            }
        }
    }

    function testFuzz_verifyInclusion_refusesABentProof(uint256 sizeSeed, uint256 indexSeed, uint256 seed) public {
        uint64 size = uint64(fold(sizeSeed, 2, 40));
        uint64 index = uint64(fold(indexSeed, 0, size - 1));
        bytes32[] memory leaves = _leaves(size, seed);
        _anchorAs(OWNER, 0, size, Trees.root(leaves, size), new bytes32[](0));
        bytes32[] memory proof = Trees.inclusion(leaves, index, size);
        assertTrue(_anchor.verifyInclusion(LOG, leaves[index], index, proof), "as it is");

        bytes32 bit = bytes32(uint256(1) << (seed % 256));
        assertTrue(!_anchor.verifyInclusion(LOG, leaves[index] ^ bit, index, proof), "another leaf");
        assertTrue(!_anchor.verifyInclusion(LOG, leaves[index], index, Trees.append(proof, bit)), "longer");
        proof[seed % proof.length] ^= bit;
        assertTrue(!_anchor.verifyInclusion(LOG, leaves[index], index, proof), "a bit flipped");
        assertTrue(!_anchor.verifyInclusion(LOG, leaves[index], index, new bytes32[](0)), "no proof");
    }

    function test_verifyInclusion_refusesAnUnknownLog() public view {
        assertTrue(!_anchor.verifyInclusion("unknown", bytes32(0), 0, new bytes32[](0)), "unknown log");
    }

    function _anchorAs(address caller, uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] memory proof)
        private
    {
        vm.prank(caller);
        _anchor.anchor(LOG, oldSize, newSize, newRoot, proof);
    }

    /// @dev The arguments are made before the expectation is set, as hashing is a call to a precompile, too.
    function _refused(
        bytes memory reason,
        address caller,
        uint64 oldSize,
        uint64 newSize,
        bytes32 newRoot,
        bytes32[] memory proof
    ) private {
        vm.expectRevert(reason);
        vm.prank(caller);
        _anchor.anchor(LOG, oldSize, newSize, newRoot, proof);
    }

    function _tryAnchor(uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] memory proof)
        private
        returns (bool)
    {
        vm.prank(OWNER);
        try _anchor.anchor(LOG, oldSize, newSize, newRoot, proof) {
            return true;
        } catch {
            return false;
        }
    }

    function _leaves(uint256 count, uint256 seed) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = Trees.leafHash(abi.encode(seed, i));
        }
    }

    function _referenceLeaves() private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](8);
        leaves[0] = Trees.leafHash("");
        leaves[1] = Trees.leafHash(hex"00");
        leaves[2] = Trees.leafHash(hex"10");
        leaves[3] = Trees.leafHash(hex"2021");
        leaves[4] = Trees.leafHash(hex"3031");
        leaves[5] = Trees.leafHash(hex"40414243");
        leaves[6] = Trees.leafHash(hex"5051525354555657");
        leaves[7] = Trees.leafHash(hex"606162636465666768696a6b6c6d6e6f");
    }

    function _randomProof(uint256 length, uint256 seed) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            proof[i] = keccak256(abi.encode(seed, i));
        }
    }

    /// @dev The shortest proof that the algorithm runs to its end with.
    function _rfcProofLength(uint64 oldSize, uint64 newSize) private pure returns (uint256 length) {
        for (;; ++length) {
            (bool valid,,) = _rfcRoots(oldSize, newSize, 0, new bytes32[](length));
            if (valid) return length;
        }
    }

    function _rfcRoots(uint64 oldSize, uint64 newSize, bytes32 oldRoot, bytes32[] memory proof)
        private
        pure
        returns (bool valid, bytes32 fr, bytes32 sr)
    {
        // Step 1
        if (proof.length == 0) return (false, 0, 0);
        // Step 2
        bytes32[] memory path = proof;
        if (oldSize & (oldSize - 1) == 0) {
            path = new bytes32[](proof.length + 1);
            path[0] = oldRoot;
            for (uint256 i = 0; i < proof.length; ++i) {
                path[i + 1] = proof[i];
            }
        }
        // Steps 3 to 5
        (uint64 fn, uint64 sn) = (oldSize - 1, newSize - 1);
        for (; fn & 1 == 1; (fn, sn) = (fn >> 1, sn >> 1)) {}
        (fr, sr) = (path[0], path[0]);
        // Step 6
        for (uint256 i = 1; i < path.length; ++i) {
            if (sn == 0) return (false, 0, 0);
            if (fn & 1 == 1 || fn == sn) {
                fr = Trees.nodeHash(path[i], fr);
                sr = Trees.nodeHash(path[i], sr);
                for (; fn & 1 == 0 && fn != 0; (fn, sn) = (fn >> 1, sn >> 1)) {}
            } else {
                sr = Trees.nodeHash(sr, path[i]);
            }
            (fn, sn) = (fn >> 1, sn >> 1);
        }
        // Step 7, but for the comparison of the roots
        return (sn == 0, fr, sr);
    }
}

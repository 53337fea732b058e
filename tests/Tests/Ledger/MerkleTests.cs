using FsCheck;
using FsCheck.Fluent;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Xunit;

namespace Salus.Tests.Ledger;

public sealed class MerkleTests
{
    const int SizeMax = 130;

    // The eight leaves and the roots of their prefixes that Certificate Transparency's implementations share
    static readonly string[] Leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    static readonly string[] Roots =
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    static readonly MerkleTree Tree = Grown(SizeMax);

    static MerkleTree Grown(int size)
    {
        var tree = new MerkleTree();
        tree.Append([.. Enumerable.Range(0, size).Select(Leaf)]);
        return tree;
    }

    static byte[] Leaf(int number) => MerkleHash.Leaf(BitConverter.GetBytes(number));

    [Fact]
    public void The_roots_of_the_shared_vectors_come_out_at_every_size()
    {
        var tree = new MerkleTree();
        Assert.Equal(Roots[0], Convert.ToHexStringLower(tree.Root()));
        for (var i = 0; i < Leaves.Length; i++)
        {
            tree.Append([MerkleHash.Leaf(Convert.FromHexString(Leaves[i]))]);
            Assert.Equal(Roots[i + 1], Convert.ToHexStringLower(tree.Root()));
        }
        for (var size = 0; size <= Leaves.Length; size++)
            Assert.Equal(Roots[size], Convert.ToHexStringLower(tree.Root(size)));
    }

    [Fact]
    public void Every_inclusion_proof_holds_for_its_own_leaf_and_for_no_other()
    {
        for (var size = 1; size <= SizeMax; size++)
        {
            var root = Tree.Root(size);
            for (var index = 0; index < size; index++)
            {
                var proof = Tree.InclusionProof(index, size);
                Assert.Equal(ProofVerdict.Valid, InclusionProof.Verify(Leaf(index), index, size, proof, root));
                Assert.Equal(ProofVerdict.WrongRoot, InclusionProof.Verify(Leaf(index + 1), index, size, proof, root));
                Assert.Equal(ProofVerdict.WrongLength, InclusionProof.Verify(Leaf(index), index, size, [.. proof, root], root));
                Assert.NotEqual(ProofVerdict.Valid, InclusionProof.Verify(Leaf(index), index ^ 1, size, proof, root));
            }
        }
    }

    [Fact]
    public void Every_consistency_proof_holds_between_its_sizes_and_not_from_another_root()
    {
        for (var newSize = 1; newSize <= SizeMax; newSize++)
        {
            var newRoot = Tree.Root(newSize);
            for (var oldSize = 0; oldSize <= newSize; oldSize++)
            {
                var (oldRoot, proof) = (Tree.Root(oldSize), Tree.ConsistencyProof(oldSize, newSize));
                Assert.Equal(ProofVerdict.Valid, ConsistencyProof.Verify(oldSize, newSize, oldRoot, newRoot, proof));
                Assert.NotEqual(ProofVerdict.Valid, ConsistencyProof.Verify(oldSize, newSize, Leaf(999), newRoot, proof));
                Assert.Equal(ProofVerdict.WrongLength, ConsistencyProof.Verify(oldSize, newSize, oldRoot, newRoot, [.. proof, newRoot]));
            }
        }
    }

    [Fact]
    public void A_proof_bent_in_any_bit_or_cut_short_is_refused()
    {
        var sizes = Gen.Choose(2, SizeMax).SelectMany(size => Gen.Choose(1, size - 1), (size, other) => (size, other));
        var cases = sizes.SelectMany(_ => Gen.Choose(0, int.MaxValue - 1), (pair, bit) => (pair.size, pair.other, bit));
        Prop.ForAll(Arb.From(cases), one =>
        {
            var inclusion = Tree.InclusionProof(one.other, one.size);
            var consistency = Tree.ConsistencyProof(one.other, one.size);
            var (root, oldRoot) = (Tree.Root(one.size), Tree.Root(one.other));
            return InclusionProof.Verify(Leaf(one.other), one.other, one.size, Bent(inclusion, one.bit), root) == ProofVerdict.WrongRoot
                && InclusionProof.Verify(Leaf(one.other), one.other, one.size, inclusion[..^1], root) == ProofVerdict.WrongLength
                && ConsistencyProof.Verify(one.other, one.size, oldRoot, root, Bent(consistency, one.bit)) is ProofVerdict.WrongOldRoot or ProofVerdict.WrongRoot
                && ConsistencyProof.Verify(one.other, one.size, oldRoot, root, consistency[..^1]) == ProofVerdict.WrongLength;
        }).QuickCheckThrowOnFailure();
    }

    static byte[][] Bent(byte[][] proof, int bit)
    {
        byte[][] bent = [.. proof.Select(hash => (byte[])hash.Clone())];
        bit %= 256 * bent.Length;
        bent[bit / 256][bit % 256 / 8] ^= (byte)(1 << (bit % 8));
        return bent;
    }

    [Fact]
    public void A_log_grown_from_its_right_edge_in_batches_is_the_log_grown_at_once()
    {
        Prop.ForAll(Arb.From(Gen.Choose(0, SizeMax).ListOf(5)), cuts =>
        {
            var edge = RightEdge.Empty;
            var stored = new Dictionary<NodeId, byte[]>();
            foreach (var cut in cuts.Append(SizeMax).Order())
            {
                var growth = new RightEdge(edge.Size, edge.Peaks).Append([.. Enumerable.Range(0, SizeMax).Skip((int)edge.Size).Take(cut - (int)edge.Size).Select(Leaf)]);
                foreach (var run in growth.Added)
                {
                    for (var i = 0; i < run.Count; i++)
                        stored.Add(new NodeId(run.Level, run.First + i), run[i].ToArray());
                }
                edge = growth.Edge;
                if (!RightEdge.PeakIds(edge.Size).Select(id => Convert.ToHexString(stored[id])).SequenceEqual(edge.Peaks.Select(Convert.ToHexString)))
                    return false;
            }
            return edge.Root().SequenceEqual(Tree.Root());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Leaf_hashes_that_do_not_come_whole_are_refused()
    {
        Assert.Throws<ArgumentException>(() => RightEdge.Empty.Append(new byte[MerkleHash.Size + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RightEdge.Empty.Append([Leaf(0), new byte[MerkleHash.Size - 1]]));
    }

    [Fact]
    public void Sizes_out_of_order_and_hashes_of_other_lengths_are_refused()
    {
        var root = Tree.Root(5);
        var proof = Tree.InclusionProof(2, 5);
        Assert.Equal(ProofVerdict.OutOfRange, InclusionProof.Verify(Leaf(2), 5, 5, proof, root));
        Assert.Equal(ProofVerdict.OutOfRange, InclusionProof.Verify(Leaf(2), -1, 5, proof, root));
        Assert.Equal(ProofVerdict.MalformedHash, InclusionProof.Verify(Leaf(2), 2, 5, [proof[0][..31], .. proof[1..]], root));
        Assert.Equal(ProofVerdict.MalformedHash, InclusionProof.Verify(Leaf(2), 2, 5, proof, root.AsSpan(0, 31)));
        Assert.Equal(ProofVerdict.OutOfRange, ConsistencyProof.Verify(6, 5, root, root, []));
        Assert.Equal(ProofVerdict.OutOfRange, ConsistencyProof.Verify(-1, 5, root, root, []));
        Assert.Equal(ProofVerdict.WrongLength, ConsistencyProof.Verify(3, long.MaxValue, root, root, proof));
        Assert.Throws<ArgumentException>(() => new RightEdge(3, [root]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tree.InclusionProof(0, SizeMax + 1));
    }

    [Fact]
    public async Task A_store_that_lost_a_hash_is_named_with_the_place()
    {
        var failure = await Assert.ThrowsAsync<InvalidDataException>(async () => await TreeProofs.InclusionAsync(
            0, 8, (_, _) => ValueTask.FromResult<IReadOnlyDictionary<NodeId, byte[]>>(new Dictionary<NodeId, byte[]>())));
        Assert.Contains("level", failure.Message, StringComparison.Ordinal);
    }
}

using System.Text;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Anchoring;

/// <summary>Writes to a node, and what its log and its chain must be whatever happened.</summary>
static class LogStory
{
    public static async Task<List<StoredRecord>> WriteAsync(TestNode node, Caller doctor, int writers, int each)
    {
        var written = await Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            List<StoredRecord> mine = [];
            for (var i = 0; i < each; i++)
            {
                var json = $$"""{"resourceType":"Organization","name":"Clinic {{writer}} of {{i}}"}""";
                mine.AddRange(Assert.IsType<WriteOutcome.Written>(await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes(json), default)).Records);
            }
            return mine;
        }));
        return [.. written.SelectMany(mine => mine)];
    }

    /// <summary>Every version has one place, places have no gap, versions of one record stand in their order, leaves lead to the newest head.</summary>
    public static async Task LogIsWholeAsync(TestNode node)
    {
        var leaves = await node.Database.RowsAsync(row => (Position: row.GetInt64(0), Name: $"{row.GetString(1)}/{row.GetString(2)}", Version: row.GetInt32(3)),
            "SELECT position, type, id, version FROM leaf ORDER BY position");
        Assert.Equal(Enumerable.Range(0, leaves.Count).Select(i => (long)i), leaves.Select(leaf => leaf.Position));
        Assert.Equal(leaves.Count, leaves.Select(leaf => (leaf.Name, leaf.Version)).Distinct().Count());
        Assert.All(leaves.GroupBy(leaf => leaf.Name), record => Assert.Equal(record.Select(leaf => leaf.Version).Order(), record.Select(leaf => leaf.Version)));
        Assert.Equal(await node.Database.ValueAsync<long>("SELECT count(*) FROM entry"), leaves.Count + await node.Database.ValueAsync<long>("SELECT count(*) FROM leaf_pending"));
        var root = await node.Database.ValueAsync<byte[]>("SELECT root FROM log_head ORDER BY size DESC LIMIT 1");
        Assert.Equal((await TreeOfAsync(node)).Root(), root);
    }

    /// <summary>The events of the contract, from the first head to the newest, against a tree made from the leaves alone.</summary>
    public static async Task HeadsOnChainExtendEachOtherAsync(TestNode node)
    {
        var tree = await TreeOfAsync(node);
        var contract = node.Chain.Contracts[ChainContract.Anchor];
        var latest = await node.Chain.Rpc.BlockNumberAsync();
        var size = 0UL;
        foreach (var log in await node.Chain.Rpc.LogsAsync(new LogFilter([contract], node.Chain.DeploymentBlock, latest)))
        {
            if (AnchorContract.TryDecode(log) is AnchorEvent.Anchored anchored && anchored.Log.AsSpan().SequenceEqual(node.Keys.LogId))
            {
                Assert.Equal(size, anchored.OldSize);
                Assert.Equal(tree.Root((long)anchored.NewSize), anchored.NewRoot);
                size = anchored.NewSize;
            }
        }
        Assert.Equal((ulong)tree.Size, size);
    }

    public static async Task<MerkleTree> TreeOfAsync(TestNode node)
    {
        var tree = new MerkleTree();
        tree.Append(await node.Database.RowsAsync(row => MerkleHash.Leaf(row.GetFieldValue<byte[]>(0)), "SELECT envelope FROM leaf ORDER BY position"));
        return tree;
    }
}

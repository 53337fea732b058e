using System.Text;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evidence;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Monitoring;
using Salus.Platform.Records;
using Salus.Platform.Schema;
using Salus.Tests.Platform;

namespace Salus.Tests.Anchoring;

/// <summary>A database that was restored to before its last anchored head: nothing is rewritten, and what is missing stays visible.</summary>
public sealed class RecoveryTests
{
    [Fact]
    public async Task With_its_files_the_log_goes_on_after_a_gap_that_it_tells_itself()
    {
        await using var ground = await TestGround.NewAsync();
        var (doctor, kept, lost, backup) = await LiveAsync(ground);
        await TestDatabase.RestoreAsync(ground.ConnectionString, backup);

        await using var node = await TestNode.StartAsync(ground);
        Assert.Equal(ground.Origin, node.Keys.Origin);
        var written = await WriteAsync(node, doctor, 3);
        await UntilAnchoredAsync(node);
        var (from, to) = Assert.Single(await node.Get<BlockLog>().GapsAsync(default));
        Assert.Equal((kept.Leaves, lost.Leaves), (from, to));

        var report = await node.Get<IntegrityWatch>().CheckAsync(default);
        Assert.True(report.Holds);
        var finding = Assert.Single(report.Findings);
        Assert.Equal((FindingKind.Gap, (long?)from), (finding.Kind, finding.Leaf));
        Assert.Contains($"leaves {from} to {to - 1} were lost", finding.Difference, StringComparison.Ordinal);
        Assert.True(report.Anchors > 2, "heads in the gap were compared, too");

        // What was anchored before, and what came after, proves; the tree is one.
        Assert.IsType<ProofState.Anchored>(await node.Records.ProveAsync(doctor, "Organization", kept.Id, 1, Purpose.Treatment, default));
        Assert.IsType<ProofState.Anchored>(await node.Records.ProveAsync(doctor, "Organization", written[0], 1, Purpose.Treatment, default));
        using var verifier = NoteVerifier.Parse(node.Keys.VerifierKey);
        var now = Checkpoint.Verify((await node.Get<BlockLog>().CheckpointAsync(default))!, ground.Origin, verifier)!;
        var proof = (await node.Get<LogTiles>().ConsistencyAsync(lost.Leaves, now.Size, default))!;
        Assert.Equal(ProofVerdict.Valid, ConsistencyProof.Verify(lost.Leaves, now.Size, lost.Root, now.Root.Span, proof));
    }

    [Fact]
    public async Task A_gap_survives_the_loss_of_the_files_after_it()
    {
        await using var ground = await TestGround.NewAsync();
        var (doctor, _, lost, backup) = await LiveAsync(ground);
        await TestDatabase.RestoreAsync(ground.ConnectionString, backup);
        await using (var node = await TestNode.StartAsync(ground))
        {
            await WriteAsync(node, doctor, 3);
            await UntilAnchoredAsync(node);
        }
        Directory.Delete(ground.LogFolder, recursive: true);
        await using var again = await TestNode.StartAsync(ground);
        await WriteAsync(again, doctor, 2);
        await UntilAnchoredAsync(again);
        Assert.Equal(ground.Origin, again.Keys.Origin);
        Assert.Equal([FindingKind.Gap], (await again.Get<IntegrityWatch>().CheckAsync(default)).Findings.Select(finding => finding.Kind));
        Assert.True(await again.Database.ValueAsync<long>("SELECT max(size) FROM log_head") > lost.Leaves);
    }

    [Fact]
    public async Task Rows_taken_out_under_a_gap_that_the_log_does_not_tell_of_are_reported_missing()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        await WriteAsync(node, doctor, 5);
        await UntilAnchoredAsync(node);
        var hash = MerkleHash.Leaf(await node.Database.ValueAsync<byte[]>("SELECT envelope FROM leaf WHERE position = 3"));
        var note = node.Keys.Sign(new LogNotice.Gap(node.Keys.Origin, DateTimeOffset.UnixEpoch, LeafRanges.Of([3])));
        await node.Database.ExecuteAsync("DELETE FROM entry e USING leaf l WHERE (l.type, l.id, l.version) = (e.type, e.id, e.version) AND l.position = 3");
        await node.Database.ExecuteAsync("DELETE FROM leaf WHERE position = 3");
        await node.Database.ExecuteAsync("INSERT INTO log_gap (from_position, to_position, leaf_hashes, notice, noticed) VALUES (3, 4, $1, $2, now())", hash, note);
        Assert.Contains((await node.Get<IntegrityWatch>().CheckAsync(default)).Findings, finding => finding is { Kind: FindingKind.Removed, Leaf: 3 });
    }

    [Fact]
    public async Task Without_its_files_a_successor_names_the_old_head_and_what_was_kept_and_all_old_proofs_verify()
    {
        await using var ground = await TestGround.NewAsync();
        var (doctor, kept, lost, backup) = await LiveAsync(ground);
        await TestDatabase.RestoreAsync(ground.ConnectionString, backup);
        Directory.Delete(ground.LogFolder, recursive: true);

        await using var node = await TestNode.StartAsync(ground);
        Assert.Equal($"{ground.Origin}/2", node.Keys.Origin);
        var old = node.Keys.Logs[0];
        Assert.Equal((ground.Origin, lost.Leaves, kept.Leaves), (old.Origin, old.EndedSize, node.Keys.Logs[1].Kept));
        var written = await WriteAsync(node, doctor, 3);
        await UntilAnchoredAsync(node);

        var contract = node.Chain.Contracts[ChainContract.Anchor];
        var lineage = await AnchorContract.LineageAsync(ground.Chain.Direct, contract, node.Keys.LogId, cancellationToken: default);
        Assert.Equal(old.LogId, lineage.Predecessor);
        var ended = await AnchorContract.HeadAsync(ground.Chain.Direct, contract, old.LogId, cancellationToken: default);
        Assert.Equal((ulong)lost.Leaves, ended.Size);
        Assert.Equal(lost.Root, ended.Root);

        // Proofs: of what was kept under the old log's heads and the new one's, of what is lost under the old one's, of what is new
        Assert.IsType<ProofState.Anchored>(await node.Records.ProveAsync(doctor, "Organization", kept.Id, 1, Purpose.Treatment, default));
        Assert.IsType<ProofState.Anchored>(await node.Records.ProveAsync(doctor, "Organization", written[0], 1, Purpose.Treatment, default));
        var policy = ProofPolicy.Read(node.Get<LogTiles>().Policy().ToBytes());
        Assert.Equal([node.Keys.Origin, ground.Origin], policy.Logs.Select(log => log.Origin));
        foreach (var file in new[] { kept.Proof, lost.Proof, await ProofOfAsync(node, doctor, kept.Id), await ProofOfAsync(node, doctor, written[0]) })
        {
            var report = ProofCheck.Run(file, policy, [await BlockOfAsync(file, policy)]);
            Assert.All(report.Claims.Where(claim => claim.Name != "witnessed"), claim => Assert.Equal((claim.Name, ClaimState.Holds), (claim.Name, claim.State)));
        }

        var check = await node.Get<IntegrityWatch>().CheckAsync(default);
        Assert.True(check.Holds);
        var finding = Assert.Single(check.Findings);
        Assert.Equal((FindingKind.Gap, (long?)kept.Leaves), (finding.Kind, finding.Leaf));
        Assert.True(check.Anchors >= 2, "heads of both logs are compared");
        using var client = await node.ClientAsync();
        Assert.Contains($"\"{ground.Origin}\"", await client.GetStringAsync("/api/log/place", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("Took the place of", await client.GetStringAsync("/blocks", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_successor_is_found_again_by_a_database_that_was_restored_to_before_it_and_succeeded_in_turn()
    {
        await using var ground = await TestGround.NewAsync();
        var (doctor, kept, _, backup) = await LiveAsync(ground);
        await TestDatabase.RestoreAsync(ground.ConnectionString, backup);
        Directory.Delete(ground.LogFolder, recursive: true);
        await using (var second = await TestNode.StartAsync(ground))
        {
            await WriteAsync(second, doctor, 4);
            await UntilAnchoredAsync(second);
        }
        await using (var again = await TestNode.StartAsync(ground))
        {
            Assert.Equal($"{ground.Origin}/2", again.Keys.Origin);
        }
        await TestDatabase.RestoreAsync(ground.ConnectionString, backup);
        Directory.Delete(ground.LogFolder, recursive: true);
        await using var third = await TestNode.StartAsync(ground);
        Assert.Equal([ground.Origin, $"{ground.Origin}/2", $"{ground.Origin}/3"], third.Keys.Logs.Select(log => log.Origin));
        await WriteAsync(third, doctor, 1);
        await UntilAnchoredAsync(third);
        Assert.IsType<ProofState.Anchored>(await third.Records.ProveAsync(doctor, "Organization", kept.Id, 1, Purpose.Treatment, default));
        var report = await third.Get<IntegrityWatch>().CheckAsync(default);
        Assert.True(report.Holds);
        Assert.Equal([FindingKind.Gap, FindingKind.Gap], report.Findings.Select(finding => finding.Kind));
    }

    [Fact]
    public async Task A_succession_that_was_cut_short_is_taken_to_its_end_at_the_next_start()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        var (_, _, _, backup) = await LiveAsync(ground);
        await TestDatabase.RestoreAsync(ground.ConnectionString, backup);
        Directory.Delete(ground.LogFolder, recursive: true);
        ground.Chain.CutMethod = "eth_sendRawTransaction";
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => TestNode.StartAsync(ground));
        ground.Chain.CutMethod = "eth_getTransactionReceipt";
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => TestNode.StartAsync(ground));
        ground.Chain.CutMethod = null;
        await using var node = await TestNode.StartAsync(ground);
        await UntilAnchoredAsync(node);
        Assert.Equal($"{ground.Origin}/2", node.Keys.Origin);
        Assert.Equal(1L, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'Gap'"));
        Assert.True((await node.Get<IntegrityWatch>().CheckAsync(default)).Holds);
    }

    [Fact]
    public async Task A_database_of_another_history_than_the_files_and_the_chain_is_refused()
    {
        await using var ground = await TestGround.NewAsync();
        var (_, _, _, backup) = await LiveAsync(ground);
        await TestDatabase.RestoreAsync(ground.ConnectionString, backup);
        await using (var database = NpgsqlDataSource.Create(ground.ConnectionString))
        {
            await database.ExecuteAsync("UPDATE log_head SET root = sha256('other') WHERE size = (SELECT max(size) FROM log_head)");
        }
        var refusal = await Assert.ThrowsAsync<SetupException>(() => TestNode.StartAsync(ground));
        Assert.Contains("no part of the log in the files", refusal.Message, StringComparison.Ordinal);
    }

    sealed record Moment(long Leaves, byte[] Root, string Id, ProofFile Proof);

    /// <summary>Lives, is backed up, and lives on until more is anchored.</summary>
    static async Task<(Caller Doctor, Moment Kept, Moment Lost, string Backup)> LiveAsync(TestGround ground)
    {
        Caller doctor;
        Moment kept;
        await using (var node = await TestNode.StartAsync(ground))
        {
            doctor = await node.AddAsync(Role.Practitioner);
            kept = await MomentAsync(node, doctor, 5);
        }
        NpgsqlConnection.ClearAllPools();
        var backup = await TestDatabase.CopyAsync(ground.ConnectionString);
        await using (var node = await TestNode.StartAsync(ground))
        {
            var lost = await MomentAsync(node, doctor, 7);
            return (doctor, kept, lost, backup);
        }
    }

    static async Task<Moment> MomentAsync(TestNode node, Caller doctor, int count)
    {
        var id = (await WriteAsync(node, doctor, count))[0];
        await UntilAnchoredAsync(node);
        var proof = await ProofOfAsync(node, doctor, id);
        await UntilAnchoredAsync(node);
        return new Moment(
            await node.Database.ValueAsync<long>("SELECT max(size) FROM log_head"),
            await node.Database.ValueAsync<byte[]>("SELECT root FROM log_head ORDER BY size DESC LIMIT 1"), id, proof);
    }

    static async Task<List<string>> WriteAsync(TestNode node, Caller doctor, int count)
    {
        List<string> ids = [];
        for (var i = 0; i < count; i++)
        {
            var written = await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes($$"""{"resourceType":"Organization","name":"Clinic {{i}}"}"""), default);
            ids.Add(Assert.IsType<WriteOutcome.Written>(written).Records[0].Id);
        }
        return ids;
    }

    static async Task<ProofFile> ProofOfAsync(TestNode node, Caller doctor, string id) =>
        Assert.IsType<ProofOutcome.Made>(await node.Records.MakeProofAsync(doctor, "Organization", id, 1, true, Purpose.Treatment, default)).File;

    static Task UntilAnchoredAsync(TestNode node) => TestNode.UntilAsync(() => node.Database.ValueAsync<bool>(
        """
        SELECT NOT EXISTS (SELECT 1 FROM leaf_pending) AND NOT EXISTS (SELECT 1 FROM chain_transaction WHERE state < 3)
           AND (SELECT max(size) FROM log_head) = (SELECT max(position) + 1 FROM leaf)
           AND coalesce((SELECT max(size) FROM anchor WHERE durable), 0) = (SELECT max(size) FROM log_head)
        """), "everything is anchored");

    /// <summary>The hash of the block that a proof's evidence is from, as the chain would vouch for it.</summary>
    static async Task<byte[]> BlockOfAsync(ProofFile file, ProofPolicy policy)
    {
        Assert.NotNull(policy.Chain);
        Assert.NotNull(file.Anchor);
        var chain = TestChain.Shared();
        var receipt = await chain.Direct.ReceiptAsync(file.Anchor.TransactionHash, default);
        return receipt!.BlockHash;
    }
}

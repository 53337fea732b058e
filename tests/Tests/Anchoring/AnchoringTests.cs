using System.Text;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;
using static Salus.Tests.Anchoring.LogStory;

namespace Salus.Tests.Anchoring;

public sealed class AnchoringTests
{
    [Fact]
    public async Task Five_hundred_records_of_concurrent_writers_get_one_position_each_and_prove()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var written = await WriteAsync(node, doctor, writers: 5, each: 100);
        foreach (var record in written.Take(20))
        {
            for (var version = 1; version <= 2; version++)
            {
                Assert.IsType<WriteOutcome.Written>(await node.Records.UpdateAsync(doctor, record.Type, record.Id, record.Bytes, version, default));
            }
        }
        await node.WaitUntilAnchoredAsync();
        await LogIsWholeAsync(node);
        await HeadsOnChainExtendEachOtherAsync(node);
        foreach (var record in written)
        {
            Assert.IsType<ProofState.Anchored>(await node.Records.ProveAsync(doctor, record.Type, record.Id, 1, Purpose.Treatment, default));
        }
    }

    [Fact]
    public async Task Two_nodes_on_one_database_double_and_skip_nothing_and_one_goes_on_when_the_other_ends()
    {
        await using var ground = await TestGround.NewAsync();
        var first = await TestNode.StartAsync(ground);
        await using var second = await TestNode.StartAsync(ground);
        var doctor = await first.AddAsync(Role.Practitioner);
        await Task.WhenAll(WriteAsync(first, doctor, writers: 3, each: 20), WriteAsync(second, doctor, writers: 3, each: 20));
        await first.WaitUntilAnchoredAsync();
        await LogIsWholeAsync(second);
        await first.DisposeAsync();

        var written = await WriteAsync(second, doctor, writers: 2, each: 20);
        await second.WaitUntilAnchoredAsync();
        await LogIsWholeAsync(second);
        await HeadsOnChainExtendEachOtherAsync(second);
        Assert.IsType<ProofState.Anchored>(await second.Records.ProveAsync(doctor, "Organization", written[0].Id, 1, Purpose.Treatment, default));
    }

    [Fact]
    public async Task A_sequencer_that_has_lost_its_lock_without_knowing_doubles_nothing()
    {
        await using var ground = await TestGround.NewAsync();
        await using var first = await TestNode.StartAsync(ground);
        await using var second = await TestNode.StartAsync(ground);
        var doctor = await first.AddAsync(Role.Practitioner);
        for (var round = 0; round < 3; round++)
        {
            var writing = WriteAsync(first, doctor, writers: 2, each: 20);
            await first.Database.ExecuteAsync(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()");
            await writing;
        }
        await first.WaitUntilAnchoredAsync();
        await LogIsWholeAsync(first);
        await HeadsOnChainExtendEachOtherAsync(first);
    }

    [Theory]
    [InlineData("the whole folder gone")]
    [InlineData("the last append missing")]
    [InlineData("a leaf cut in half")]
    [InlineData("the leaves there, but not the level above them")]
    [InlineData("the highest level gone")]
    [InlineData("a hash overwritten")]
    public async Task Log_files_that_a_kill_left_behind_are_made_whole_at_the_next_start(string damage)
    {
        await using var ground = await TestGround.NewAsync();
        Caller doctor;
        await using (var node = await TestNode.StartAsync(ground))
        {
            doctor = await node.AddAsync(Role.Practitioner);
            await WriteAsync(node, doctor, writers: 1, each: 37);
            await node.WaitUntilAnchoredAsync();
        }
        Damage(ground.LogFolder, damage);

        await using var again = await TestNode.StartAsync(ground);
        var written = await WriteAsync(again, doctor, writers: 1, each: 3);
        await again.WaitUntilAnchoredAsync();
        await LogIsWholeAsync(again);
        await HeadsOnChainExtendEachOtherAsync(again);
        Assert.IsType<ProofState.Anchored>(await again.Records.ProveAsync(doctor, "Organization", written[^1].Id, 1, Purpose.Treatment, default));
    }

    [Fact]
    public async Task Anchors_that_the_chain_has_lost_are_sent_again()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        await node.WaitUntilAnchoredAsync();
        ground.Finality.Durable = 0;
        var mark = await ground.Chain.MarkAsync();
        await WriteAsync(node, doctor, writers: 1, each: 10);
        var contract = node.Chain.Contracts[ChainContract.Anchor];
        async Task<bool> AllOnChainAsync() =>
            (long)(await AnchorContract.HeadAsync(ground.Chain.Direct, contract, node.Keys.LogId)).Size == await node.Database.ValueAsync<long>("SELECT count(*) FROM leaf")
            && await node.Database.ValueAsync<bool>("SELECT NOT EXISTS (SELECT 1 FROM leaf_pending)");
        await TestNode.UntilAsync(AllOnChainAsync, "the head is on the chain");
        var before = await AnchorContract.HeadAsync(ground.Chain.Direct, contract, node.Keys.LogId, cancellationToken: TestContext.Current.CancellationToken);

        ground.Chain.IsCut = true;
        await ground.Chain.RewindAsync(mark);
        Assert.True((await AnchorContract.HeadAsync(ground.Chain.Direct, contract, node.Keys.LogId, cancellationToken: TestContext.Current.CancellationToken)).Size < before.Size);
        ground.Chain.IsCut = false;
        await TestNode.UntilAsync(AllOnChainAsync, "the head is on the chain again");
        ground.Finality.Durable = ulong.MaxValue / 4;
        await node.WaitUntilAnchoredAsync();
        await HeadsOnChainExtendEachOtherAsync(node);
    }

    [Fact]
    public async Task An_anchor_whose_row_was_lost_to_a_kill_is_recovered_from_the_contracts_event()
    {
        await using var ground = await TestGround.NewAsync();
        const string newest = "SELECT (size, transaction_hash, block_number, block_hash, gas_used, mined, durable)::text FROM anchor ORDER BY size DESC LIMIT 1";
        string before;
        Caller doctor;
        await using (var node = await TestNode.StartAsync(ground))
        {
            doctor = await node.AddAsync(Role.Practitioner);
            await WriteAsync(node, doctor, writers: 1, each: 10);
            await node.WaitUntilAnchoredAsync();
            before = await node.Database.ValueAsync<string>(newest);
            await node.Database.ExecuteAsync("DELETE FROM anchor WHERE size = (SELECT max(size) FROM anchor)");
            await node.WaitUntilAnchoredAsync();
            Assert.Equal(before, await node.Database.ValueAsync<string>(newest));
        }

        await using (var killed = Npgsql.NpgsqlDataSource.Create(ground.ConnectionString))
        {
            await killed.ExecuteAsync("DELETE FROM anchor WHERE size = (SELECT max(size) FROM anchor)");
        }
        await using var again = await TestNode.StartAsync(ground);
        await again.WaitUntilAnchoredAsync();
        Assert.Equal(before, await again.Database.ValueAsync<string>(newest));
        var written = await WriteAsync(again, doctor, writers: 1, each: 1);
        await again.WaitUntilAnchoredAsync();
        await HeadsOnChainExtendEachOtherAsync(again);
        Assert.IsType<ProofState.Anchored>(await again.Records.ProveAsync(doctor, "Organization", written[0].Id, 1, Purpose.Treatment, default));
    }

    [Theory]
    [InlineData("leaf_pending")]
    [InlineData("chain_transaction")]
    public async Task A_worker_that_met_a_fault_keeps_neither_its_lock_nor_the_connection_that_held_it(string table)
    {
        await using var ground = await TestGround.NewAsync();
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        await node.WaitUntilAnchoredAsync();
        var holders = (await node.Database.RowsAsync(row => row.GetInt32(0),
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")).ToArray();
        Assert.Equal(2, holders.Length);
        await node.Database.ExecuteAsync($"ALTER TABLE {table} RENAME TO away");
        await TestNode.UntilAsync(async () => await node.Database.ValueAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1)", holders) == 1,
            "the faulty worker's connection is gone");
        await node.Database.ExecuteAsync($"ALTER TABLE away RENAME TO {table}");
        await WriteAsync(node, doctor, writers: 1, each: 5);
        await node.WaitUntilAnchoredAsync();
        await LogIsWholeAsync(node);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_chain_that_is_away_delays_proofs_and_nothing_else(bool hung)
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        await node.WaitUntilAnchoredAsync();
        (ground.Chain.IsCut, ground.Chain.IsHung) = (!hung, hung);
        var (patient, _) = await node.RecordAsync(doctor);
        var account = await node.AddAsync(Role.Patient, patient);
        await TestNode.UntilAsync(async () => await node.Database.ValueAsync<bool>("SELECT NOT EXISTS (SELECT 1 FROM leaf_pending) AND NOT EXISTS (SELECT 1 FROM log_head WHERE checkpoint IS NULL)"), "the log has the leaves");
        await TestNode.UntilAsync(() => Task.FromResult(node.Get<ChainHealth>().Fault is not null), "the node says what is wrong");
        var own = Assert.IsType<RetrievalOutcome.Found>(await node.Records.RetrieveAsync(account, patient, Purpose.PatientRequest, null, default));
        Assert.NotEmpty(own.Records);
        Assert.All(own.Records, record => Assert.IsType<ProofState.Logged>(record.Proof));

        (ground.Chain.IsCut, ground.Chain.IsHung) = (false, false);
        await node.WaitUntilAnchoredAsync();
        own = Assert.IsType<RetrievalOutcome.Found>(await node.Records.RetrieveAsync(account, patient, Purpose.PatientRequest, null, default));
        Assert.All(own.Records, record => Assert.IsType<ProofState.Anchored>(record.Proof));
    }

    [Fact]
    public async Task The_checkpoint_verifies_under_the_nodes_key_and_no_other()
    {
        await using var node = await TestNode.StartAsync();
        await node.RecordAsync(await node.AddAsync(Role.Practitioner));
        await node.WaitUntilAnchoredAsync();
        using var client = await node.ClientAsync();
        var note = await client.GetStringAsync("/log/checkpoint", TestContext.Current.CancellationToken);
        using var verifier = NoteVerifier.Parse(node.Keys.VerifierKey);
        var checkpoint = Checkpoint.Verify(note, node.Keys.Origin, verifier)!;
        Assert.Equal(await node.Database.ValueAsync<long>("SELECT count(*) FROM leaf"), checkpoint.Size);
        Assert.Equal((await TreeOfAsync(node)).Root(), checkpoint.Root.ToArray());
        Assert.Null(Checkpoint.Verify(note.Replace($"\n{checkpoint.Size}\n", $"\n{checkpoint.Size + 1}\n"), node.Keys.Origin, verifier));
        await using var stranger = await TestNode.StartAsync();
        using var other = NoteVerifier.Parse(stranger.Keys.VerifierKey);
        Assert.Null(Checkpoint.Verify(note, node.Keys.Origin, other));
    }

    static void Damage(string folder, string damage)
    {
        string Level(int level) => Path.Combine(folder, $"level-{level:00}");
        void Cut(string path, long bytes)
        {
            using var file = File.OpenWrite(path);
            file.SetLength(file.Length - bytes);
        }
        switch (damage)
        {
            case "the whole folder gone":
                Directory.Delete(folder, recursive: true);
                break;
            case "the last append missing":
                Cut(Level(0), 32);
                break;
            case "a leaf cut in half":
                Cut(Level(0), 16);
                break;
            case "the leaves there, but not the level above them":
                Cut(Level(1), 32);
                break;
            case "the highest level gone":
                File.Delete(Directory.GetFiles(folder, "level-*").Where(file => new FileInfo(file).Length > 0).Max()!);
                break;
            case "a hash overwritten":
                var highest = Directory.GetFiles(folder, "level-*").Where(file => new FileInfo(file).Length > 0).Max()!;
                using (var file = File.OpenWrite(highest))
                {
                    file.Write(new byte[32]);
                }
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(damage));
        }
    }
}

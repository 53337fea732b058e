using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Salus.Host.Engines;
using Salus.Host.Node;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Anchoring.Witness;
using Salus.Vault.Keys;

namespace Salus.Bench;

/// <summary>The log: hashing into the tree beside the raw hash, proofs in a large tree, and the way from the outbox to the chain.</summary>
static class LedgerRun
{
    const int LeafBytes = 256;
    const int Leaves = 100_000;
    const int LeavesPerHead = 10_000;
    const int Rounds = 9;
    const int HashingRounds = 21;
    /// <summary>A node runs for weeks: until its methods are compiled for good, nothing is measured.</summary>
    const int WarmUps = 15;
    const int ProofTreeSize = 1 << 20;
    const int Proofs = 20_000;
    const int Outbox = 100_000;

    public static async Task<int> RunAsync()
    {
        Hashing();
        Verification();
        var folder = Directory.CreateTempSubdirectory("salus-bench-").FullName;
        try
        {
            await EndToEndAsync(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    static void Hashing()
    {
        byte[][] envelopes = [.. Enumerable.Range(0, Leaves).Select(_ => RandomNumberGenerator.GetBytes(LeafBytes))];
        byte[][][] batches = [.. envelopes.Chunk(LeavesPerHead)];
        List<(double Raw, double Log)> rates = [];
        Span<byte> hash = stackalloc byte[MerkleHash.Size];
        for (var round = -WarmUps; round < HashingRounds; round++)
        {
            var started = Environment.CpuUsage.TotalTime;
            foreach (var envelope in envelopes)
            {
                SHA256.HashData(envelope, hash);
            }
            var raw = (Environment.CpuUsage.TotalTime - started).TotalSeconds;
            started = Environment.CpuUsage.TotalTime;
            var edge = RightEdge.Empty;
            foreach (var batch in batches)
            {
                var hashes = new byte[batch.Length * MerkleHash.Size];
                for (var i = 0; i < batch.Length; i++)
                {
                    MerkleHash.Leaf(batch[i], hashes.AsSpan(i * MerkleHash.Size, MerkleHash.Size));
                }
                edge = edge.Append(hashes).Edge;
            }
            var root = edge.Root();
            var log = (Environment.CpuUsage.TotalTime - started).TotalSeconds;
            if (round >= 0 && root.Length == MerkleHash.Size)
            {
                rates.Add((Leaves / raw, Leaves / log));
            }
        }
        Console.WriteLine($"| leaves of {LeafBytes} bytes | median of {HashingRounds} | best |");
        Console.WriteLine("| --- | ---: | ---: |");
        Console.WriteLine($"| raw SHA-256, hashes per CPU second | {Median(rates.Select(rate => rate.Raw)):N0} | {rates.Max(rate => rate.Raw):N0} |");
        Console.WriteLine($"| hashed and sequenced, leaves per CPU second | {Median(rates.Select(rate => rate.Log)):N0} | {rates.Max(rate => rate.Log):N0} |");
        Console.WriteLine($"| ratio | {Median(rates.Select(rate => rate.Log / rate.Raw)):P1} | {rates.Max(rate => rate.Log / rate.Raw):P1} |");
    }

    static void Verification()
    {
        var tree = new MerkleTree();
        tree.Append([.. Enumerable.Range(0, ProofTreeSize).Select(leaf => MerkleHash.Leaf(BitConverter.GetBytes(leaf)))]);
        var root = tree.Root();
        var cases = Enumerable.Range(0, Proofs).Select(_ => RandomNumberGenerator.GetInt32(ProofTreeSize))
            .Select(index => (Index: index, Leaf: MerkleHash.Leaf(BitConverter.GetBytes(index)), Proof: tree.InclusionProof(index, ProofTreeSize))).ToList();
        List<double> microseconds = [];
        for (var round = 0; round <= Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            var valid = cases.Count(each => InclusionProof.Verify(each.Leaf, each.Index, ProofTreeSize, each.Proof, root) == ProofVerdict.Valid);
            if (valid != Proofs)
            {
                throw new InvalidOperationException($"{Proofs - valid} proofs do not hold.");
            }
            if (round > 0)
            {
                microseconds.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds / Proofs);
            }
        }
        Console.WriteLine($"\nAn inclusion proof in a tree of 2^20 leaves is verified in {Median(microseconds):N2} us (median of {Rounds}; least {microseconds.Min():N2}).");
    }

    static async Task EndToEndAsync(string folder)
    {
        await using var postgres = await EmbeddedPostgres.StartAsync(Path.Combine(folder, "postgres"), NullLogger.Instance, CancellationToken.None);
        await using var chain = await EmbeddedChain.StartAsync(Path.Combine(folder, "chain"), NullLogger.Instance, CancellationToken.None);
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        using var http = new HttpClient();
        var options = new ChainOptions { AnchorEveryMilliseconds = 0 };
        var finality = new DepthFinality(0, options.ReorganizationMax);
        using var node = await NodeFoundation.OpenAsync(
            database, MasterKey.CreateTransient(), new EvmRpc(http, chain.Endpoint), finality, options, (account, cancellation) => chain.FundAsync(account.ToString(), cancellation),
            Path.Combine(folder, "log"), Path.Combine(folder, "blobs"), "salus.local/bench", CancellationToken.None);
        var faults = new Failpoints(new FaultOptions());
        using var roster = new WitnessRoster(new WitnessOptions());
        using var witnessing = new Witnessing(roster, node.Log, TimeProvider.System, NullLogger<Witnessing>.Instance);
        using var sequencer = new Sequencer(database, node.Log, node.Keys, faults, TimeProvider.System, NullLogger<Sequencer>.Instance);
        using var relay = new ChainRelay(
            database, node.Chain, finality, node.Log, node.Keys, options, new ChainHealth(), witnessing, faults, TimeProvider.System, NullLogger<ChainRelay>.Instance);
        await using (var fill = database.CreateCommand(
            $"INSERT INTO leaf_pending (type, id, version, envelope) SELECT 'Bench', n::text, 1, decode(repeat(md5(n::text), {LeafBytes / 16}), 'hex') FROM generate_series(1, {Outbox}) n"))
        {
            await fill.ExecuteNonQueryAsync();
        }
        var started = Stopwatch.GetTimestamp();
        await sequencer.StartAsync(CancellationToken.None);
        await relay.StartAsync(CancellationToken.None);
        await using var anchored = database.CreateCommand("SELECT coalesce(max(size), 0) FROM anchor");
        while ((long)(await anchored.ExecuteScalarAsync())! < Outbox)
        {
            await Task.Delay(20);
        }
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await relay.StopAsync(CancellationToken.None);
        await sequencer.StopAsync(CancellationToken.None);
        await using var heads = database.CreateCommand("SELECT count(*) FROM anchor");
        Console.WriteLine($"\n{Outbox:N0} leaves from the committed outbox to the anchored head in {seconds:N2} s: {Outbox / seconds:N0} leaves/s, {await heads.ExecuteScalarAsync()} heads anchored.");
        Console.WriteLine($"Load average: {(await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0]}.");
    }

    static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}

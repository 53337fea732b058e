using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Salus.Host.Engines;
using Salus.Host.Node;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Anchoring.Witness;
using Salus.Vault.Keys;

namespace Salus.Tests.Engines;

public sealed class ChainRelayTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("salus-test-").FullName;
    readonly HttpClient http = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_a_chain_loses_is_sent_again_whether_it_was_only_mined_or_durable_in_a_snapshot_that_was_damaged()
    {
        await using var chain = await EmbeddedChain.StartAsync(Path.Combine(folder, "chain"), NullLogger.Instance, Cancellation);
        var finality = new HeldBackFinality(chain);
        await using var database = NpgsqlDataSource.Create(await EngineFixture.NewNodeDatabaseAsync());
        using var foundation = await NodeFoundation.OpenAsync(
            database, MasterKey.CreateTransient(), new EvmRpc(http, chain.Endpoint), finality, new ChainOptions(),
            (account, cancellation) => chain.FundAsync(account.ToString(), cancellation),
            Path.Combine(folder, "log"), Path.Combine(folder, "blobs"), "salus.local/test", Cancellation);
        var outbox = new ChainOutbox(database, TimeProvider.System);
        using var roster = new WitnessRoster(new WitnessOptions());
        using var witnessing = new Witnessing(roster, foundation.Log, TimeProvider.System, NullLogger<Witnessing>.Instance);
        using var relay = new ChainRelay(
            database, foundation.Chain, finality, foundation.Log, foundation.Keys, new ChainOptions(), new ChainHealth(), witnessing, new Failpoints(new FaultOptions()), TimeProvider.System, NullLogger<ChainRelay>.Instance);
        var snapshot = Path.Combine(folder, "chain", "chain.state.gz");
        var deployed = await File.ReadAllBytesAsync(snapshot, Cancellation);
        finality.IsHeldBack = true;
        await relay.StartAsync(Cancellation);
        await using (var connection = await database.OpenConnectionAsync(Cancellation))
        {
            await outbox.EnqueueAsync(connection, "register", "one", ChainContract.Members, MembersContract.Register(RandomNumberGenerator.GetBytes(32)), Cancellation);
        }

        var mined = await ReachAsync(outbox, receipt => receipt.State == ChainState.Mined);
        await KillAsync(chain);
        finality.IsHeldBack = false;
        var durable = await ReachAsync(outbox, receipt => receipt.State == ChainState.Durable);
        Assert.NotEqual(mined.BlockHash, durable.BlockHash);
        await AssertStandsAsync(foundation.Chain.Rpc, durable);

        finality.IsHeldBack = true;
        Assert.NotEqual(deployed, await File.ReadAllBytesAsync(snapshot, Cancellation));
        await File.WriteAllBytesAsync(snapshot, [], Cancellation);
        await KillAsync(chain);
        finality.IsHeldBack = false;
        var again = await ReachAsync(outbox, receipt => receipt.State == ChainState.Durable && !receipt.BlockHash.AsSpan().SequenceEqual(durable.BlockHash));
        await AssertStandsAsync(foundation.Chain.Rpc, again);
        await relay.StopAsync(Cancellation);
    }

    static async Task KillAsync(EmbeddedChain chain)
    {
        var killed = chain.Pid;
        Process.GetProcessById(killed).Kill();
        await EmbeddedChainTests.WaitUntilAsync(() => chain.Pid != killed);
    }

    static async Task<ChainReceipt> ReachAsync(ChainOutbox outbox, Func<ChainReceipt, bool> reached)
    {
        while (true)
        {
            if (await outbox.FindAsync("register", "one", Cancellation) is { } receipt && reached(receipt))
            {
                return receipt;
            }

            await Task.Delay(20, Cancellation);
        }
    }

    static async Task AssertStandsAsync(EvmRpc rpc, ChainReceipt receipt) =>
        Assert.Equal(receipt.BlockHash, (await rpc.ReceiptAsync(receipt.TransactionHash, Cancellation))?.BlockHash);

    /// <summary>The embedded chain's finality, with a time in which no snapshot is taken.</summary>
    sealed class HeldBackFinality(EmbeddedChain chain) : IChainFinality
    {
        readonly SnapshotFinality snapshots = new(chain, TimeProvider.System);

        public volatile bool IsHeldBack;

        public ulong ReorganizationMax => snapshots.ReorganizationMax;

        public ValueTask<ulong> DurableBlockAsync(EvmRpc rpc, CancellationToken cancellation) =>
            IsHeldBack ? ValueTask.FromResult(chain.DurableBlock) : snapshots.DurableBlockAsync(rpc, cancellation);
    }
}

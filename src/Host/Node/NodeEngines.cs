using Npgsql;
using Salus.Host.Engines;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;

namespace Salus.Host.Node;

/// <summary>The database and the chain of a node: embedded as child processes, or external.</summary>
sealed class NodeEngines : IAsyncDisposable
{
    static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };
    static readonly TaskCompletionSource Never = new();

    readonly EmbeddedPostgres? postgres;
    readonly EmbeddedChain? chain;

    NodeEngines(EmbeddedPostgres? postgres, string connectionString, EmbeddedChain? chain, Uri endpoint, ChainOptions options)
    {
        (this.postgres, this.chain) = (postgres, chain);
        ConnectionString = connectionString;
        Endpoint = endpoint;
        Database = NpgsqlDataSource.Create(connectionString);
        Rpc = new EvmRpc(Http, endpoint);
        Finality = chain is null ? new DepthFinality(options.Depth) : new SnapshotFinality(chain, TimeProvider.System);
    }

    public NpgsqlDataSource Database { get; }

    public string ConnectionString { get; }

    public Uri Endpoint { get; }

    public EvmRpc Rpc { get; }

    public IChainFinality Finality { get; }

    public bool HasEmbeddedChain => chain is not null;

    /// <summary>Completes when an embedded engine has ended for good: with an <see cref="EngineException"/> when it stays down.</summary>
    public Task Ended => Task.WhenAny(postgres?.Completion ?? Never.Task, chain?.Completion ?? Never.Task).Unwrap();

    public static async Task<NodeEngines> StartAsync(NodeOptions node, ChainOptions options, ILoggerFactory loggers, CancellationToken cancellation)
    {
        EmbeddedPostgres? postgres = null;
        var connectionString = node.Database.ConnectionString;
        if (connectionString.Length == 0)
        {
            postgres = await Progress.StepAsync("Starting PostgreSQL", () =>
                EmbeddedPostgres.StartAsync(Path.Combine(node.Data, "postgres"), loggers.CreateLogger<EmbeddedPostgres>(), cancellation));
            connectionString = postgres.ConnectionString;
        }
        try
        {
            EmbeddedChain? chain = null;
            if (options.Endpoint is null)
            {
                chain = await Progress.StepAsync("Starting the chain", () =>
                    EmbeddedChain.StartAsync(Path.Combine(node.Data, "chain"), loggers.CreateLogger<EmbeddedChain>(), cancellation));
            }
            return new NodeEngines(postgres, connectionString, chain, options.Endpoint ?? chain!.Endpoint, options);
        }
        catch
        {
            if (postgres is not null)
            {
                await postgres.DisposeAsync();
            }
            throw;
        }
    }

    /// <summary>Gives the node's account what it needs on the embedded chain; on an external one its owner does.</summary>
    public Task FundAsync(Address account, CancellationToken cancellation) => chain is null ? Task.CompletedTask : chain.FundAsync(account.ToString(), cancellation);

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        if (chain is not null)
        {
            await chain.DisposeAsync();
        }
        if (postgres is not null)
        {
            await postgres.DisposeAsync();
        }
    }
}

using Npgsql;
using Salus.Host.Engines;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Schema;

namespace Salus.Host.Node;

/// <summary>The database and the chain of a node: embedded as child processes, or external.</summary>
sealed class NodeEngines : IAsyncDisposable
{
    static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };
    static readonly TaskCompletionSource Never = new();

    readonly EmbeddedPostgres? postgres;
    readonly EmbeddedChain? chain;

    NodeEngines(EmbeddedPostgres? postgres, string connectionString, EmbeddedChain? chain, IReadOnlyList<Uri> endpoints, ChainOptions options)
    {
        (this.postgres, this.chain) = (postgres, chain);
        ConnectionString = connectionString;
        Endpoints = endpoints;
        Database = NodeDatabase.Open(connectionString);
        Rpc = new EvmRpc(Http, endpoints, TimeProvider.System);
        Finality = chain is null ? new DepthFinality(options.Depth, options.ReorganizationMax) : new SnapshotFinality(chain, TimeProvider.System);
    }

    public NpgsqlDataSource Database { get; }

    public string ConnectionString { get; }

    public IReadOnlyList<Uri> Endpoints { get; }

    public EvmRpc Rpc { get; }

    public IChainFinality Finality { get; }

    public bool HasEmbeddedChain => chain is not null;

    /// <summary>Completes when an embedded engine has ended for good: with an <see cref="EngineException"/> when it stays down.</summary>
    public Task Ended => Task.WhenAny(postgres?.Completion ?? Never.Task, chain?.Completion ?? Never.Task).Unwrap();

    /// <summary>Starts what is embedded and reaches what is external.</summary>
    /// <exception cref="NodeException">What is external does not answer, or cannot hold a node.</exception>
    /// <exception cref="EngineException">What is embedded does not start.</exception>
    public static async Task<NodeEngines> StartAsync(NodeOptions node, ChainOptions options, ILoggerFactory loggers, CancellationToken cancellation)
    {
        EmbeddedPostgres? postgres = null;
        EmbeddedChain? chain = null;
        try
        {
            var database = await DatabaseAsync();
            var endpoints = await ChainAsync();
            return new NodeEngines(postgres, database, chain, endpoints, options);
        }
        catch
        {
            if (postgres is not null)
            {
                await postgres.DisposeAsync();
            }
            throw;
        }

        async Task<string> DatabaseAsync()
        {
            if (node.Database.ConnectionString.Length == 0)
            {
                postgres = await Progress.StepAsync("Starting PostgreSQL", () =>
                    EmbeddedPostgres.StartAsync(node.PostgresFolder, loggers.CreateLogger<EmbeddedPostgres>(), cancellation));
                return postgres.ConnectionString;
            }
            var external = ExternalDatabase.Parse(node.Database.ConnectionString);
            await Progress.StepAsync("Reaching PostgreSQL", () => ExternalDatabase.RequireAsync(external, ExternalDatabase.VersionMin, cancellation));
            return external;
        }

        async Task<IReadOnlyList<Uri>> ChainAsync()
        {
            var external = ExternalChain.Parse(options.Addresses);
            if (external.Count == 0)
            {
                chain = await Progress.StepAsync("Starting the chain", () =>
                    EmbeddedChain.StartAsync(node.ChainFolder, loggers.CreateLogger<EmbeddedChain>(), cancellation));
                return [chain.Endpoint];
            }
            await Progress.StepAsync("Reaching the chain", () => ExternalChain.RequireAsync(Http, external, cancellation));
            return external;
        }
    }

    /// <summary>The engines of a node that runs beside this process.</summary>
    public static NodeEngines Beside(string connectionString, string chain, ChainOptions options) =>
        new(null, connectionString, null, [.. chain.Split(',').Select(address => new Uri(address))], options);

    /// <summary>Gives the node's account what it needs on the embedded chain; on an external one its owner does.</summary>
    /// <exception cref="NodeException">The account cannot pay.</exception>
    public Task FundAsync(Address account, CancellationToken cancellation) => chain is null
        ? ExternalChain.RequireFundsAsync(Rpc, string.Join(", ", Endpoints), account, cancellation)
        : chain.FundAsync(account.ToString(), cancellation);

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

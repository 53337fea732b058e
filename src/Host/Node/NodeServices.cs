using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Anchoring.Witness;
using Salus.Platform.Audit;
using Salus.Platform.Cohorts;
using Salus.Platform.Consent;
using Salus.Platform.Consortium;
using Salus.Platform.DecisionSupport;
using Salus.Platform.Erasure;
using Salus.Platform.Exchange;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Platform.Monitoring;
using Salus.Platform.Records;
using Salus.Platform.Records.Export;
using Salus.Platform.Schema;
using Salus.Vault.Blobs;
using Salus.Vault.Keys;

namespace Salus.Host.Node;

/// <summary>What must stand before a node can be composed.</summary>
public sealed record NodeFoundation(
    NpgsqlDataSource Database, KeyVault Vault, NodeKeys Keys, ChainLink Chain, IChainFinality Finality, LogFiles Log, BlobStore Blobs) : IDisposable
{
    /// <summary>What became of the log when it was compared with what is anchored.</summary>
    public LogRecoveryOutcome Recovered { get; init; } = new LogRecoveryOutcome.Whole();

    /// <summary>Brings the schema up, opens the vault and the node's keys, and finds or deploys the contracts.</summary>
    /// <param name="database">The node's database.</param>
    /// <param name="master">The master key.</param>
    /// <param name="rpc">The chain.</param>
    /// <param name="finality">Which blocks are durable.</param>
    /// <param name="options">What transactions may pay.</param>
    /// <param name="fund">Given the node's account, makes sure that it can pay.</param>
    /// <param name="logFolder">Where the log's hashes lie.</param>
    /// <param name="blobFolder">Where sealed content lies.</param>
    /// <param name="origin">The log's name in its checkpoints.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<NodeFoundation> OpenAsync(
        NpgsqlDataSource database, MasterKey master, EvmRpc rpc, IChainFinality finality, ChainOptions options, Func<Address, CancellationToken, Task> fund,
        string logFolder, string blobFolder, string origin, CancellationToken cancellation)
    {
        await Migrations.ApplyAsync(database, cancellation);
        var vault = new KeyVault(database, master, TimeProvider.System);
        await vault.OpenAsync(cancellation);
        var keys = await NodeKeys.OpenAsync(database, vault, origin, cancellation);
        await fund(keys.Chain.Address, cancellation);
        var chain = await ChainLink.OpenAsync(rpc, database, keys, finality, options, TimeProvider.System, cancellation);
        var files = new LogFiles(logFolder);
        var recovered = await new LogRecovery(database, vault, keys, chain, finality, files, TimeProvider.System).RunAsync(cancellation);
        return new NodeFoundation(database, vault, keys, chain, finality, files, new BlobStore(blobFolder)) { Recovered = recovered };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Log.Dispose();
        Chain.Dispose();
        Keys.Dispose();
    }
}

/// <summary>Composes a node from its foundation.</summary>
public static class NodeServices
{
    /// <summary>Adds every feature.</summary>
    public static IServiceCollection AddSalusNode(this IServiceCollection services, NodeFoundation foundation)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(foundation.Database).AddSingleton(foundation.Vault).AddSingleton(foundation.Keys).AddSingleton(foundation.Chain)
            .AddSingleton(foundation.Finality).AddSingleton(foundation.Log).AddSingleton(foundation.Blobs);
        AddOptions<ChainOptions>(services, "Salus:Ledger");
        AddOptions<FaultOptions>(services, "Salus:Faults");
        AddOptions<WitnessOptions>(services, "Salus:Witness");
        AddOptions<ConsortiumOptions>(services, "Salus:Consortium");
        AddOptions<ConsentOptions>(services, "Salus:Consent");
        AddOptions<RecordsOptions>(services, "Salus:Records");
        AddOptions<MonitoringOptions>(services, "Salus:Monitoring");

        services.AddWitness();
        services.AddConsortium();
        services.AddExchange();
        services.AddSingleton<Failpoints>().AddSingleton<ChainHealth>().AddSingleton<ChainOutbox>().AddSingleton<ProofDesk>().AddSingleton<LogTiles>().AddSingleton<BlockLog>();
        services.AddSingleton<AuditTrail>().AddConsents().AddRecords().AddExports();
        AddWorker<Sequencer>(services);
        AddWorker<ChainRelay>(services);
        AddWorker<ConsentMirror>(services);
        AddWorker<SubjectWorker>(services);
        AddWorker<MemberDirectory>(services);
        AddWorker<IntegrityWatch>(services);

        services.AddSingleton(provider => new IdentityHooks(
            MembersContract.Register,
            (connection, happening, cancellation) => provider.GetRequiredService<AuditTrail>().RecordAsync(connection, Fact(happening), cancellation),
            (patient, cancellation) => provider.GetRequiredService<RecordsDesk>().PatientExistsAsync(patient, cancellation)));
        services.AddModels();
        services.AddDecisionSupport();
        services.AddCohorts();
        services.AddErasure();
        services.AddSalusIdentity();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Converters.Add(new System.Text.Json.Serialization.JsonStringEnumConverter()));
        return services;
    }

    /// <summary>Maps every feature's routes.</summary>
    public static void MapSalusNode(this WebApplication app)
    {
        app.MapSalusIdentity();
        app.MapRecords();
        app.MapConsents();
        app.MapAudit();
        app.MapAnchoring();
        app.MapWitness();
        app.MapConsortium();
        app.MapExchange();
        app.MapMonitoring();
        app.MapModels();
        app.MapDecisionSupport();
        app.MapCohorts();
        app.MapErasure();
    }

    static void AddWorker<T>(IServiceCollection services) where T : class, IHostedService =>
        services.AddSingleton<T>().AddHostedService(provider => provider.GetRequiredService<T>());

    static void AddOptions<T>(IServiceCollection services, string section) where T : class
    {
        services.AddOptions<T>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<T>>().Value);
    }

    static AuditFact Fact(SecurityEvent happening) => new(
        happening.Kind is SecurityEventKind.SignedIn or SecurityEventKind.SignInFailed or SecurityEventKind.LockedOut or SecurityEventKind.SignedOut
            or SecurityEventKind.SignedOutEverywhere or SecurityEventKind.TokenIssued or SecurityEventKind.TokenRevoked
            ? AuditAction.SignIn
            : AuditAction.Account,
        happening.Kind is not (SecurityEventKind.SignInFailed or SecurityEventKind.LockedOut or SecurityEventKind.RoleRefused or SecurityEventKind.RowAltered
            or SecurityEventKind.PasskeyCounterWentBack),
        happening.By ?? happening.Account, null, happening.Account is { } account ? $"Account/{account}" : null, happening.Kind.ToString());
}

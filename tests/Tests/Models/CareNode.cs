using System.Runtime.Versioning;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Host.Engines;
using Salus.Host.Node;
using Salus.Learning.Cohort;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Cohorts;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Platform.Records;
using Salus.Tests.Engines;
using Salus.Vault.Keys;

namespace Salus.Tests.Models;

/// <summary>A whole node without its web server, on a database of its own and the shared chain.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class CareNode : IAsyncDisposable
{
    static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };
    static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(2);

    readonly DirectoryInfo folder;
    readonly NpgsqlDataSource database;
    readonly NodeFoundation foundation;
    readonly IHost host;

    CareNode(DirectoryInfo folder, NpgsqlDataSource database, NodeFoundation foundation, IHost host) =>
        (this.folder, this.database, this.foundation, this.host) = (folder, database, foundation, host);

    public NpgsqlDataSource Database => database;

    public RecordsDesk Records => host.Services.GetRequiredService<RecordsDesk>();

    public ConsentDesk Consents => host.Services.GetRequiredService<ConsentDesk>();

    public ModelDesk Models => host.Services.GetRequiredService<ModelDesk>();

    public AccountDesk Accounts => host.Services.GetRequiredService<AccountDesk>();

    public CohortDesk Cohorts => host.Services.GetRequiredService<CohortDesk>();

    public string BlobFolder => Path.Combine(folder.FullName, "blobs");

    public static async Task<CareNode> StartAsync(params (string Name, string Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("salus-node-");
        var database = NpgsqlDataSource.Create(await EngineFixture.NewNodeDatabaseAsync());
        var foundation = await NodeFoundation.OpenAsync(
            database, MasterKey.CreateTransient(), new EvmRpc(Http, EngineFixture.Chain.Endpoint), new DepthFinality(0, 128), new ChainOptions(),
            (account, cancellation) => EngineFixture.Chain.FundAsync(account.ToString(), cancellation),
            Path.Combine(folder.FullName, "log"), Path.Combine(folder.FullName, "blobs"), $"salus.test/{folder.Name}", CancellationToken.None);
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value));
        builder.Services.AddLogging(logging => logging.ClearProviders());
        builder.Services.AddSalusNode(foundation);
        if (builder.Services.All(service => service.ServiceType != typeof(ModelDesk)))
        {
            builder.Services.AddModels();
            builder.Services.AddCohorts();
        }
        var host = builder.Build();
        await host.Services.GetRequiredService<OrganizationDesk>().EnsureAsync("A hospital", CancellationToken.None);
        await host.StartAsync();
        return new CareNode(folder, database, foundation, host);
    }

    public static Caller NewCaller(Role role, string? patient = null) => new(Guid.CreateVersion7(), role, patient);

    /// <summary>Someone with an account here.</summary>
    public async Task<Caller> EmployAsync(Role role)
    {
        var created = Assert.IsType<SignUpOutcome.Created>(await Accounts.CreateAsync($"{role}@example.org", "Dana Day", "nine patient otters", role, null, CancellationToken.None));
        return new Caller(created.Account, role, null);
    }

    /// <summary>Grants the hospital access and waits until the chain has it.</summary>
    public async Task ShareAsync(string patient, params Purpose[] purposes)
    {
        var caller = NewCaller(Role.Patient, patient);
        Assert.IsType<GrantOutcome.Requested>(await Consents.GrantAsync(caller, new ConsentTerms(
            GranteeKind.Hospital, ConsentTerms.ThisHospital, Enum.GetValues<RecordCategory>(), purposes, TimeProvider.System.GetUtcNow().AddMinutes(-1),
            TimeProvider.System.GetUtcNow().AddDays(1)), CancellationToken.None));
        try
        {
            await UntilAsync(async () => (await Consents.ListAsync(caller, CancellationToken.None)).All(consent => consent.State != ConsentState.Requested));
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The grant is not in force. {await ChainAsync()}");
        }
    }

    /// <summary>What the node knows of the chain, for whoever looks into a test that waited in vain.</summary>
    async Task<string> ChainAsync()
    {
        var health = host.Services.GetRequiredService<ChainHealth>();
        await using var sent = database.CreateCommand(
            "SELECT string_agg(concat_ws(' ', id, purpose, 'state', state, 'block', block_number, 'sent', cardinality(attempts), refusal), '; ' ORDER BY id DESC) FROM (SELECT * FROM chain_transaction ORDER BY id DESC LIMIT 4) newest");
        var ended = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().Where(worker => worker.ExecuteTask is not { IsCompleted: false })
            .Select(worker => $"{worker.GetType().Name} {worker.ExecuteTask?.Exception?.InnerException}");
        return $"Workers that have ended: {string.Join("; ", ended)}. Block {health.Block} at {health.AnsweredAt:O}, now {TimeProvider.System.GetUtcNow():O}; fault: {health.Fault ?? "none"}; transactions: {await sent.ExecuteScalarAsync()}";
    }

    /// <summary>Records every encounter of synthetic patients on behalf of a doctor; their logical ids.</summary>
    public Task<IReadOnlyList<string>> EnterAsync(Caller doctor, IEnumerable<SyntheticPatient> synthetics) => EnterAsync(Records, doctor, synthetics);

    /// <summary>The same at any node.</summary>
    public static async Task<IReadOnlyList<string>> EnterAsync(RecordsDesk records, Caller doctor, IEnumerable<SyntheticPatient> synthetics)
    {
        List<string> patients = [];
        foreach (var synthetic in synthetics)
        {
            string? patient = null;
            foreach (var encounter in synthetic.Encounters)
            {
                var vitals = encounter.Vitals;
                patient = Assert.IsType<ConditionOutcome.Recorded>(await records.RecordConditionAsync(doctor, new ConditionEntry(
                    synthetic.Id, new NewPatient(synthetic.FamilyName, synthetic.GivenName, synthetic.BirthDate, synthetic.Sex),
                    encounter.Symptoms, encounter.History, encounter.Examination,
                    new VitalSigns(vitals.HeartRate, vitals.SystolicPressure, vitals.DiastolicPressure, vitals.Temperature, vitals.RespiratoryRate, vitals.OxygenSaturation, vitals.BodyMassIndex),
                    encounter.AssessedAbnormal ? Assessment.Abnormal : Assessment.Normal,
                    new DateTimeOffset(encounter.Date.ToDateTime(new TimeOnly(9, 0)), TimeSpan.Zero)), CancellationToken.None)).Patient;
            }
            patients.Add(patient!);
        }
        return patients;
    }

    /// <summary>Waits until something holds, by asking; fails when it does not come to pass.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(WaitMax);
        while (!await holds())
        {
            await Task.Delay(50, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
        foundation.Dispose();
        await database.DisposeAsync();
        folder.Delete(recursive: true);
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Host.Node;
using Salus.Host.Ui;
using Salus.Ledger.Evm;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Consortium;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Schema;
using Salus.Vault.Keys;

namespace Salus.Tests.Platform;

/// <summary>What a node of a test stands on; it outlives the node, so that another can be started on it.</summary>
sealed class TestGround : IAsyncDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-node-");

    TestGround(string connectionString, TestChain chain) => (ConnectionString, Chain) = (connectionString, chain);

    public string ConnectionString { get; }

    public TestChain Chain { get; }

    public MasterKey Master { get; private init; } = MasterKey.CreateTransient();

    public NamedFinality Finality { get; } = new();

    public MovedClock Clock { get; } = new();

    public int StaleAfterSeconds { get; init; } = 60;

    /// <summary>The log's name in its checkpoints.</summary>
    public string Origin { get; init; } = "salus.test/log";

    /// <summary>Settings of the node besides the tests' own.</summary>
    public Dictionary<string, string?> Settings { get; } = [];

    /// <summary>How transactions are sent.</summary>
    public ChainOptions Sending { get; set; } = new();

    /// <summary>The contract <c>Members</c> of the consortium that the node joins at its first start; null to found one.</summary>
    public Address? Consortium { get; init; }

    public string Folder => folder.FullName;

    public string LogFolder => Path.Combine(Folder, "log");

    public string BlobFolder => Path.Combine(Folder, "blobs");

    public string NodeLogFolder => Path.Combine(Folder, "logs");

    /// <summary>A database and a chain that the test has made.</summary>
    public static TestGround On(string connectionString, TestChain chain) => new(connectionString, chain);

    /// <summary>A database of its own on the chain that all tests share.</summary>
    public static async Task<TestGround> NewAsync(string origin = "salus.test/log", Address? consortium = null) =>
        new(await TestDatabase.NewAsync(), TestChain.Shared()) { Origin = origin, Consortium = consortium };

    /// <summary>A database and a chain of its own.</summary>
    public static async Task<TestGround> NewWithChainAsync(int staleAfterSeconds = 60, ChainKind kind = ChainKind.Anvil) =>
        new(await TestDatabase.NewAsync(), await TestChain.StartAsync(kind)) { StaleAfterSeconds = staleAfterSeconds };

    /// <summary>The same node as it stands, once more: its database, its keys and its log. Nobody may be connected to the database.</summary>
    public async Task<TestGround> CopyAsync()
    {
        var copy = new TestGround(await TestDatabase.CopyAsync(ConnectionString), TestChain.Shared()) { Master = Master, Origin = Origin };
        Directory.CreateDirectory(copy.LogFolder);
        foreach (var file in Directory.EnumerateFiles(LogFolder))
        {
            File.Copy(file, Path.Combine(copy.LogFolder, Path.GetFileName(file)));
        }
        return copy;
    }

    public async ValueTask DisposeAsync()
    {
        await Chain.DisposeAsync();
        folder.Delete(recursive: true);
    }
}

/// <summary>A whole node in this process: every feature and worker, served over HTTP.</summary>
sealed class TestNode : IAsyncDisposable
{
    public const string Endpoint = "Salus:Consortium:Endpoint";
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Tests sign in thousands of times; what a hash costs is tested by itself.</summary>
    public static Credentials WeakCredentials { get; } = new(iterations: 1_000);

    readonly WebApplication app;
    readonly NodeFoundation foundation;
    readonly bool ownsGround;
    int accounts;

    TestNode(WebApplication app, NodeFoundation foundation, TestGround ground, bool ownsGround) =>
        (this.app, this.foundation, Ground, this.ownsGround) = (app, foundation, ground, ownsGround);

    public TestGround Ground { get; }

    public IServiceProvider Services => app.Services;

    public NpgsqlDataSource Database => foundation.Database;

    public NodeKeys Keys => foundation.Keys;

    public ChainLink Chain => foundation.Chain;

    public RecordsDesk Records => Get<RecordsDesk>();

    public ConsentDesk Consents => Get<ConsentDesk>();

    public Uri Address => new(app.Urls.Single());

    public T Get<T>() where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>Starts a node on a ground of its own, which goes with it.</summary>
    public static async Task<TestNode> StartAsync() => await StartAsync(await TestGround.NewAsync(), ownsGround: true);

    /// <summary>Starts a node on a ground that the test keeps.</summary>
    public static async Task<TestNode> StartAsync(TestGround ground, bool ownsGround = false)
    {
        var database = NodeDatabase.Open(ground.ConnectionString);
        var foundation = await NodeFoundation.OpenAsync(
            database, ground.Master, ground.Chain.Rpc, ground.Finality, ground.Sending with { Members = ground.Consortium?.ToString() ?? "" }, ground.Chain.FundAsync,
            ground.LogFolder, ground.BlobFolder, ground.Origin, CancellationToken.None);
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(NodeServices).Assembly.GetName().Name, ContentRootPath = AppContext.BaseDirectory, WebRootPath = WebRoot(), EnvironmentName = "Production",
        });
        var port = ground.Settings.GetValueOrDefault(Endpoint) == ConsortiumOptions.ThisMachine ? FreePort() : 0;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        builder.Logging.UseNodeLog(ground.NodeLogFolder);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            [$"{IdentityOptions.Section}:SignInsPerMinute"] = "100000",
            [$"{IdentityOptions.Section}:SignInsPerMinutePerAccount"] = "100000",
            [$"{IdentityOptions.Section}:RequestsPerMinute"] = "100000",
            ["Salus:Ledger:AnchorEveryMilliseconds"] = "0",
            ["Salus:Consent:StaleAfterSeconds"] = $"{ground.StaleAfterSeconds}",
        });
        builder.Configuration.AddInMemoryCollection(ground.Settings);
        if (port > 0)
        {
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { [Endpoint] = $"http://127.0.0.1:{port}" });
        }
        builder.Services.AddSingleton(new NodeOptions { Data = ground.Folder, Keys = ground.Folder + "-keys" });
        builder.Services.AddSalusNode(foundation);
        builder.Services.AddSingleton<TimeProvider>(ground.Clock).AddSingleton(WeakCredentials);
        builder.Services.AddSalusUi();
        var app = builder.Build();
        await app.Services.GetRequiredService<OrganizationDesk>().EnsureAsync($"Hospital of {ground.Origin}", CancellationToken.None);
        app.UseSalusUi();
        app.UseSalusIdentity();
        app.MapSalusNode();
        app.MapSalusUi();
        await app.StartAsync();
        return new TestNode(app, foundation, ground, ownsGround);
    }

    /// <summary>A port that was free a moment ago: a node that publishes its address has to know it before it listens.</summary>
    static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    static string WebRoot([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../../src/Host/wwwroot"));

    /// <summary>An approved account, signed up through the desk.</summary>
    public async Task<Caller> AddAsync(Role role, string? patient = null)
    {
        var number = Interlocked.Increment(ref accounts);
        var created = Assert.IsType<SignUpOutcome.Created>(await Get<AccountDesk>().CreateAsync(
            $"{role}{number}@salus.test".ToLowerInvariant(), $"{role} Number {number}", "harbour violet tractor", role, patient, CancellationToken.None));
        return new Caller(created.Account, role, patient);
    }

    /// <summary>A client that bears a token of the account; nobody's without one.</summary>
    public async Task<HttpClient> ClientAsync(Caller? caller = null)
    {
        var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
        if (caller is not null)
        {
            var token = await Get<TokenDesk>().IssueAsync(caller.Account, CancellationToken.None);
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
        }
        return client;
    }

    /// <summary>Puts an unsealed entry into the log as somebody would who can write to the database and knows the formats.</summary>
    public async Task InsertOpenAsync(LeafKind kind, string type, string text)
    {
        var id = Guid.NewGuid().ToString();
        var owner = Guid.Parse("5a105000-0000-4000-8000-000000000002");
        var written = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        byte[] open = [.. new byte[32], .. Encoding.UTF8.GetBytes(text)];
        var content = SHA256.HashData(open);
        var sealedHash = SHA256.HashData([.. owner.ToByteArray(bigEndian: true), 0, 0, 0, 0, 0, .. open]);
        await Database.ExecuteAsync(
            "INSERT INTO entry (type, id, version, kind, owner, written, deleted, content, sealed, ciphertext) VALUES ($1, $2, 1, $3, $4, $5, false, $6, $7, $8)",
            type, id, (short)kind, owner, written, content, sealedHash, open);
        var envelope = new LeafEnvelope(kind, $"{type}/{id}", 1, written.ToUnixTimeMilliseconds() * 1000, content, sealedHash);
        await Database.ExecuteAsync("INSERT INTO leaf_pending (type, id, version, envelope) VALUES ($1, $2, 1, $3)", type, id, envelope.Encode());
    }

    /// <summary>Records one encounter of a new patient; answers the patient's logical id and what was stored.</summary>
    public async Task<(string Patient, IReadOnlyList<StoredRecord> Records)> RecordAsync(Caller doctor, ConditionEntry? entry = null)
    {
        var outcome = await Records.RecordConditionAsync(doctor, entry ?? EncounterOf($"P-{Guid.NewGuid():n}"), CancellationToken.None);
        var recorded = Assert.IsType<ConditionOutcome.Recorded>(outcome);
        return (recorded.Patient, recorded.Records);
    }

    /// <summary>An encounter as a doctor enters it.</summary>
    public static ConditionEntry EncounterOf(string patientId, string family = "Winterbourne", string symptoms = "Persistent cough for two weeks") => new(
        patientId, new NewPatient(family, "Isolde", new DateOnly(1971, 4, 9), "female"), symptoms, "No known illnesses.", "Clear lungs.",
        new VitalSigns(HeartRate: 72, SystolicPressure: 121, DiastolicPressure: 79, Temperature: 36.8m), Assessment.Normal);

    /// <summary>Grants an account access and waits until the chain's word of it has come back.</summary>
    public async Task<string> GrantAsync(Caller patient, Caller grantee, RecordCategory[]? categories = null, Purpose[]? purposes = null, TimeSpan? period = null)
    {
        var consent = await RequestAsync(patient, grantee, categories, purposes, period);
        await UntilAsync(async () => (await Consents.ListAsync(patient, CancellationToken.None)).Single(view => view.Id == consent).State == ConsentState.Active,
            "the consent is active");
        return consent;
    }

    /// <summary>Asks for a consent without waiting for the chain.</summary>
    public async Task<string> RequestAsync(Caller patient, Caller grantee, RecordCategory[]? categories = null, Purpose[]? purposes = null, TimeSpan? period = null)
    {
        var now = Ground.Clock.GetUtcNow();
        var terms = new ConsentTerms(GranteeKind.Account, grantee.Account.ToString(), categories ?? Enum.GetValues<RecordCategory>(),
            purposes ?? [Purpose.Treatment], now, now + (period ?? TimeSpan.FromDays(30)));
        return Assert.IsType<GrantOutcome.Requested>(await Consents.GrantAsync(patient, terms, CancellationToken.None)).Consent;
    }

    /// <summary>Waits until every leaf is in the log, every head on the chain and every transaction durable.</summary>
    public Task WaitUntilAnchoredAsync() => UntilAsync(async () =>
        await Database.ValueAsync<bool>(
            """
            SELECT NOT EXISTS (SELECT 1 FROM leaf_pending)
               AND coalesce((SELECT max(size) FROM log_head), 0) = (SELECT count(*) FROM leaf)
               AND coalesce((SELECT max(size) FROM anchor WHERE durable), 0) = (SELECT count(*) FROM leaf)
               AND NOT EXISTS (SELECT 1 FROM chain_transaction WHERE state < 3)
            """), "everything is anchored");

    /// <summary>The same, until the chain has also shown what proofs for others hold: it is asked again where it answers from another block.</summary>
    public async Task WaitUntilProvableAsync()
    {
        await WaitUntilAnchoredAsync();
        await UntilAsync(() => Database.ValueAsync<bool>("SELECT EXISTS (SELECT FROM anchor_evidence WHERE size = (SELECT max(size) FROM anchor))"), "the evidence of the newest anchor is kept");
    }

    /// <summary>Waits for what workers bring about.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await holds())
        {
            Assert.False(patience.IsCancellationRequested, $"Waited in vain until {what}.");
            await Task.Delay(25, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        foundation.Dispose();
        await foundation.Database.DisposeAsync();
        if (ownsGround)
        {
            await Ground.DisposeAsync();
        }
    }
}

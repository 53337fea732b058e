using System.Security.Cryptography;
using Salus.Cli.Api;
using Salus.Cli.Node;
using Salus.Learning.Cohort;

namespace Salus.Cli.Demo;

/// <summary>How the demonstration is run.</summary>
sealed record DemoOptions(IReadOnlyList<string> Files, string? Keep, bool Json, int Patients, string? Database = null, string? Ledger = null);

/// <summary>A patient of the demonstration.</summary>
sealed class DemoPatient(string id)
{
    /// <summary>The logical id.</summary>
    public string Id { get; } = id;

    /// <summary>The records entered or imported, as Type/id.</summary>
    public List<string> Records { get; } = [];

    /// <summary>Whether it is one of the synthetic cohort, not of the files.</summary>
    public bool IsOfCohort { get; init; }

    /// <summary>The patient's own session; set at sign-up.</summary>
    public NodeClient? Client { get; set; }

    /// <summary>The consent given to the doctor; set when it is granted.</summary>
    public string? Consent { get; set; }
}

/// <summary>What the steps of the demonstration share. The story runs in one flow and owns it; parallel parts write only what is theirs.</summary>
sealed class DemoWorld(DemoOptions options, string data, string scratch) : IDisposable
{
    /// <summary>Clients that work at once where work can be shared out.</summary>
    public const int Parallel = 4;

    public DemoOptions Options { get; } = options;

    /// <summary>The node's data folder.</summary>
    public string Data { get; } = data;

    /// <summary>A folder outside the node, for what its users keep.</summary>
    public string Scratch { get; } = scratch;

    public string Address { get; set; } = "";

    public IReadOnlyList<NodeAccount> Accounts { get; set; } = [];

    public NodeClient Nobody => nobody ??= NodeClient.Anonymous(Address);

    public NodeClient Doctor { get; set; } = null!;

    public Guid DoctorAccount { get; set; }

    /// <summary>The patient who signs up before there is a record.</summary>
    public NodeClient FirstPatient { get; set; } = null!;

    public List<DemoPatient> Patients { get; } = [];

    /// <summary>Records that belong to no patient, as Type/id.</summary>
    public List<string> Shared { get; } = [];

    /// <summary>The cohort that was entered; null when only files were.</summary>
    public SyntheticCohort? Cohort { get; set; }

    public double ImportSeconds { get; set; }

    public int ImportedResources { get; set; }

    /// <summary>The uploaded file's record, and its sealed content on the node's disk.</summary>
    public (string Binary, string Path) Upload { get; set; }

    public VerifyReport? Report { get; set; }

    NodeClient? nobody;

    /// <summary>Every record that was entered or imported.</summary>
    public IEnumerable<string> Records => Patients.SelectMany(patient => patient.Records).Concat(Shared);

    public static string NewPassword() => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 20);

    public static Dictionary<string, int> ByType(IEnumerable<string> records) =>
        records.GroupBy(record => record.Split('/')[0]).OrderBy(group => group.Key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count());

    /// <summary>Asks again until it is so.</summary>
    /// <exception cref="CliException">It was not in time.</exception>
    public static async Task<T> UntilAsync<T>(Func<Task<T?>> ask, int secondsMax, string what, CancellationToken cancellation) where T : class
    {
        var deadline = TimeProvider.System.GetUtcNow().AddSeconds(secondsMax);
        while (true)
        {
            if (await ask() is { } answer)
            {
                return answer;
            }
            if (TimeProvider.System.GetUtcNow() > deadline)
            {
                throw new CliException($"After {secondsMax} s, {what}.");
            }
            await Task.Delay(200, cancellation);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        nobody?.Dispose();
        Doctor?.Dispose();
        FirstPatient?.Dispose();
        foreach (var patient in Patients)
        {
            patient.Client?.Dispose();
        }
    }
}

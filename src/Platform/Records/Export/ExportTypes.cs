using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Salus.Fhir.Elements;
using Salus.Platform.Consent;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Records.Export;

/// <summary>Settings under <c>Salus:Export</c>.</summary>
public sealed record ExportOptions
{
    /// <summary>Exports that one account may have at a time, those that are done included.</summary>
    [Range(1, 1_000)]
    public int JobsPerAccount { get; init; } = 5;

    /// <summary>Records that one export may hold.</summary>
    [Range(1, 100_000_000)]
    public long RecordsMax { get; init; } = 1_000_000;

    /// <summary>Records that one file of an export holds.</summary>
    [Range(1, 1_000_000)]
    public int RecordsPerFile { get; init; } = 10_000;

    /// <summary>Hours for which the files of an export that is done can be fetched.</summary>
    [Range(1, 720)]
    public int KeptHours { get; init; } = 24;
}

/// <summary>Whose records are asked for.</summary>
enum ExportLevel
{
    /// <summary>All that the caller may read, the hospital's directory included.</summary>
    System,

    /// <summary>The records of patients.</summary>
    Patient,

    /// <summary>The records of the patients in a Group.</summary>
    Group,
}

/// <summary>What was asked for.</summary>
/// <param name="Level">Whose records.</param>
/// <param name="Group">The logical id of the Group; null for another level.</param>
/// <param name="Types">These resource types alone; null for all.</param>
/// <param name="Since">Only what was written at or after this moment; null for all.</param>
/// <param name="Purpose">For what.</param>
/// <param name="Address">The request as it was sent.</param>
sealed record ExportRequest(ExportLevel Level, string? Group, IReadOnlyList<string>? Types, DateTimeOffset? Since, Purpose Purpose, string Address)
{
    /// <summary>Of a type that has some, only what one of them finds.</summary>
    public IReadOnlyList<TypeFilter> Filters { get; init; } = [];

    /// <summary>The records of these patients alone, by logical id; null for all.</summary>
    public IReadOnlyList<string>? Patients { get; init; }

    /// <summary>Only these elements besides the mandatory ones: of one type (<c>Patient.birthDate</c>) or of all (<c>code</c>); empty for whole resources.</summary>
    public IReadOnlyList<string> Elements { get; init; } = [];

    /// <summary>The elements that are asked for of a type; empty for all.</summary>
    public IReadOnlyList<string> ElementsOf(string type) =>
        [.. Elements.Where(element => !element.Contains('.') || element.StartsWith($"{type}.", StringComparison.Ordinal)).Select(element => element[(element.IndexOf('.') + 1)..])];

    /// <summary>The request as it is kept: it may name a Group, and its account alone may have it.</summary>
    public byte[] Seal(OwnerKey key, Guid job, Guid account) => key.Seal(Context(job, account), JsonSerializer.SerializeToUtf8Bytes(this));

    /// <summary>The request of a job; null where its row was altered.</summary>
    public static ExportRequest? Open(OwnerKey key, Guid job, Guid account, byte[] bytes) =>
        key.TryOpen(Context(job, account), bytes, out var plain) ? JsonSerializer.Deserialize<ExportRequest>(plain) : null;

    static SealContext Context(Guid job, Guid account) => new("export-request", $"{job} {account}", 1);
}

/// <summary>A search that picks the records of a type (<c>_typeFilter</c>).</summary>
/// <param name="Type">The resource type.</param>
/// <param name="Query">The search's parameters, as they would stand in an address.</param>
sealed record TypeFilter(string Type, string Query);

/// <summary>How far an export is.</summary>
enum ExportState : short
{
    /// <summary>It is being prepared.</summary>
    Open = 1,

    /// <summary>Its files can be fetched.</summary>
    Done = 2,

    /// <summary>It ended without files.</summary>
    Failed = 3,
}

/// <summary>An export as it stands.</summary>
/// <param name="Id">Random.</param>
/// <param name="Account">Who asked.</param>
/// <param name="State">How far it is.</param>
/// <param name="Reason">Why it failed; null where it did not.</param>
/// <param name="Asked">When it was asked for: it shows the records as they were then.</param>
/// <param name="Ended">When it was done or failed.</param>
/// <param name="Request">What was asked for, sealed.</param>
/// <param name="Type">The resource type that it has come to; null at the beginning.</param>
/// <param name="After">The id up to which it has gone through that type.</param>
/// <param name="Records">Records gone through.</param>
sealed record ExportJob(
    Guid Id, Guid Account, ExportState State, string? Reason, DateTimeOffset Asked, DateTimeOffset? Ended, byte[] Request, string? Type, string After, long Records);

/// <summary>A file of an export: the records of a type in a range of ids.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Type">The resource type.</param>
/// <param name="After">The id after which it begins.</param>
/// <param name="UpTo">Its last id.</param>
/// <param name="Records">Records that the caller might read when it was prepared.</param>
/// <param name="Altered">Ids of those that did not open.</param>
sealed record ExportFile(int Number, string Type, string After, string UpTo, int Records, string[] Altered);

/// <summary>A range of one type's records, as they were at one moment.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="At">The moment.</param>
/// <param name="Type">The resource type.</param>
/// <param name="After">The id after which the range begins.</param>
/// <param name="UpTo">Its last id; null for no end.</param>
sealed record ExportRange(ExportRequest Request, DateTimeOffset At, string Type, string After, string? UpTo);

/// <summary>Some records of a range, opened, in the order of their ids.</summary>
/// <param name="Records">Those the caller may read now.</param>
/// <param name="Altered">Ids of those that do not open.</param>
/// <param name="Next">The last id gone through; null where nothing is left.</param>
sealed record ExportBatch(IReadOnlyList<StoredRecord> Records, IReadOnlyList<string> Altered, string? Next);

/// <summary>Some of what was deleted.</summary>
/// <param name="Names">As <c>Type/id</c>.</param>
/// <param name="Next">The last one gone through; null where nothing is left.</param>
sealed record DeletionBatch(IReadOnlyList<string> Names, (DateTimeOffset Written, string Id)? Next);

/// <summary>What became of the wish for an export.</summary>
abstract record ExportOutcome
{
    ExportOutcome() { }

    /// <summary>It is being prepared.</summary>
    public sealed record Accepted(Guid Job) : ExportOutcome;

    /// <summary>It cannot be understood.</summary>
    public sealed record Invalid(IReadOnlyList<FhirIssue> Issues) : ExportOutcome;

    /// <summary>The caller exports nothing.</summary>
    public sealed record Forbidden(string Reason) : ExportOutcome;

    /// <summary>The Group cannot be read.</summary>
    public sealed record NoGroup(ReadOutcome Read) : ExportOutcome;

    /// <summary>The caller has as many as one may have.</summary>
    public sealed record TooMany(int JobsMax) : ExportOutcome;
}

/// <summary>What stands of an export, for who asked for it.</summary>
/// <param name="Job">The export.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="Files">Its files, by number.</param>
/// <param name="Until">Until when they can be fetched; null while it is not done.</param>
sealed record ExportView(ExportJob Job, ExportRequest Request, IReadOnlyList<ExportFile> Files, DateTimeOffset? Until);

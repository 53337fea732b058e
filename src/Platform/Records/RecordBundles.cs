using Salus.Fhir.Bundles;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>What became of one entry of a batch or transaction.</summary>
public abstract record EntryOutcome
{
    EntryOutcome() { }

    /// <summary>It wrote, or found that there was nothing to write.</summary>
    public sealed record Wrote(StoredRecord Record) : EntryOutcome;

    /// <summary>It was refused.</summary>
    public sealed record Refused(WriteOutcome Write) : EntryOutcome;

    /// <summary>It read one record.</summary>
    public sealed record Read(ReadOutcome Outcome) : EntryOutcome;

    /// <summary>It searched.</summary>
    public sealed record Searched(string Type, SearchResult Result) : EntryOutcome;
}

/// <summary>What became of a Bundle.</summary>
public abstract record BundleResult
{
    BundleResult() { }

    /// <summary>Each entry has its outcome, in the order in which they were sent.</summary>
    public sealed record Done(bool IsBatch, IReadOnlyList<EntryOutcome> Entries) : BundleResult;

    /// <summary>Nothing was done.</summary>
    public sealed record Refused(WriteOutcome Write) : BundleResult;
}

// Bundles: many wishes at once.
public sealed partial class RecordsDesk
{
    const int BatchMax = 1_000;

    /// <summary>Stores the resources of a transaction or collection Bundle, all of them or none.</summary>
    public async Task<WriteOutcome> ImportAsync(Caller caller, ReadOnlyMemory<byte> json, CancellationToken cancellation)
    {
        if (Read(json, out var refused) is not var (type, entries))
        {
            return refused!;
        }
        if (type == "batch")
        {
            return Invalid("not-supported", "Bundle.type", "A batch is not all or nothing. Send it to the FHIR endpoint, or make it a transaction.");
        }
        return WritesOf(entries, type, out var wrong) is { } writes ? await WriteAsync(caller, writes, AuditAction.Import, cancellation) : wrong!;
    }

    /// <summary>Does what a Bundle says: a transaction or collection all or nothing, a batch entry by entry.</summary>
    public async Task<BundleResult> DoAsync(Caller caller, ReadOnlyMemory<byte> json, Purpose purpose, CancellationToken cancellation)
    {
        if (Read(json, out var refused) is not var (type, entries))
        {
            return new BundleResult.Refused(refused!);
        }
        if (type == "batch")
        {
            if (entries.Count > BatchMax)
            {
                return new BundleResult.Refused(Invalid("too-costly", "Bundle.entry", $"A batch has at most {BatchMax} entries; a transaction takes more."));
            }
            List<EntryOutcome> done = [];
            foreach (var entry in entries)
            {
                done.Add(entry.Method is "GET" or "HEAD" ? await ReadEntryAsync(caller, entry, purpose, cancellation) : await WriteEntryAsync(caller, entry, type, cancellation));
            }
            return new BundleResult.Done(true, done);
        }
        var reads = entries.Where(entry => entry.Method is "GET" or "HEAD").ToList();
        if (reads.Count > BatchMax)
        {
            return new BundleResult.Refused(Invalid("too-costly", "Bundle.entry", $"A transaction has at most {BatchMax} entries that read."));
        }
        if (WritesOf([.. entries.Where(entry => entry.Method is not ("GET" or "HEAD"))], type, out var wrong) is not { } writes)
        {
            return new BundleResult.Refused(wrong!);
        }
        IReadOnlyList<StoredRecord> written = [];
        if (writes.Count > 0)
        {
            var outcome = await WriteAsync(caller, writes, AuditAction.Import, cancellation);
            if (outcome is not WriteOutcome.Written all)
            {
                return new BundleResult.Refused(outcome);
            }
            written = all.Records;
        }
        List<EntryOutcome> outcomes = [];
        var next = 0;
        foreach (var entry in entries)
        {
            // What reads sees what was written: it comes last (R4 section 3.1.0.11.2).
            outcomes.Add(entry.Method is "GET" or "HEAD" ? await ReadEntryAsync(caller, entry, purpose, cancellation) : new EntryOutcome.Wrote(written[next++]));
        }
        return new BundleResult.Done(false, outcomes);
    }

    static (string Type, IReadOnlyList<BundleEntry> Entries)? Read(ReadOnlyMemory<byte> json, out WriteOutcome? refused)
    {
        refused = null;
        var read = FhirJson.Read(json);
        if (read is not FhirReadOutcome.Ok { Resource: var bundle })
        {
            refused = new WriteOutcome.Invalid(((FhirReadOutcome.Refused)read).Issues);
            return null;
        }
        var outcome = BundleReader.Read(bundle);
        if (outcome is not BundleOutcome.Ok { Entries: var entries, Type: var type })
        {
            refused = new WriteOutcome.Invalid(((BundleOutcome.Refused)outcome).Issues);
            return null;
        }
        return (type, entries);
    }

    async Task<EntryOutcome> WriteEntryAsync(Caller caller, BundleEntry entry, string type, CancellationToken cancellation)
    {
        if (WritesOf([entry], type, out var wrong) is not { } writes)
        {
            return new EntryOutcome.Refused(wrong!);
        }
        var outcome = await WriteAsync(caller, writes, AuditAction.Create, cancellation);
        return outcome is WriteOutcome.Written { Records: [var record] } ? new EntryOutcome.Wrote(record) : new EntryOutcome.Refused(outcome);
    }

    async Task<EntryOutcome> ReadEntryAsync(Caller caller, BundleEntry entry, Purpose purpose, CancellationToken cancellation)
    {
        var (path, query) = Cut(entry.Url!);
        switch (path.Split('/'))
        {
            case [var type]:
                return new EntryOutcome.Searched(type, await SearchAsync(caller, type, RecordWrite.ParametersOf(query ?? ""), purpose, cancellation));
            case [var type, var id]:
                return new EntryOutcome.Read(await ReadAsync(caller, type, id, null, purpose, cancellation));
            case [var type, var id, "_history", var number] when int.TryParse(number, out var version):
                return new EntryOutcome.Read(await ReadAsync(caller, type, id, version, purpose, cancellation));
            default:
                return new EntryOutcome.Refused(Invalid("not-supported", $"Bundle.entry[{entry.Position}].request.url", $"GET {path} is not taken in a Bundle; reads, versions and searches are."));
        }
    }

    /// <summary>What entries wish to write; null with the reason when one cannot be understood.</summary>
    static List<RecordWrite>? WritesOf(IReadOnlyList<BundleEntry> entries, string bundleType, out WriteOutcome? wrong)
    {
        List<FhirIssue> issues = [];
        List<RecordWrite> writes = [];
        foreach (var entry in entries)
        {
            if (WriteOf(entry, bundleType, issues) is { } write)
            {
                writes.Add(write);
            }
        }
        wrong = issues.Count > 0 ? new WriteOutcome.Invalid(issues) : null;
        return wrong is null ? writes : null;
    }

    static RecordWrite? WriteOf(BundleEntry entry, string bundleType, List<FhirIssue> issues)
    {
        var at = $"Bundle.entry[{entry.Position}]";
        if (bundleType == "collection" || entry.Method == "POST")
        {
            return new RecordWrite(WriteVerb.Create, entry.Resource!.ResourceType) { Resource = entry.Resource, FullUrl = entry.FullUrl, Condition = entry.IfNoneExist, Path = $"{at}.resource" };
        }
        var (path, query) = Cut(entry.Url!);
        var parts = path.Split('/');
        if (FhirDefinitions.R4.Type(parts[0]) is not { Kind: TypeKind.Resource } || parts.Length > 2 || (parts.Length == 1 && string.IsNullOrEmpty(query)) || (parts.Length == 2 && query is not null))
        {
            issues.Add(new FhirIssue(IssueSeverity.Error, "value", $"{at}.request.url", $"'{entry.Url}' is neither Type/id nor Type?query."));
            return null;
        }
        int? expected = null;
        if (entry.IfMatch is { } tag)
        {
            expected = VersionOf(tag);
            if (expected is null)
            {
                issues.Add(new FhirIssue(IssueSeverity.Error, "value", $"{at}.request.ifMatch", "ifMatch names a version, such as W/\"3\"."));
                return null;
            }
        }
        var id = parts.Length == 2 ? parts[1] : null;
        var write = new RecordWrite(WriteVerb.Delete, parts[0]) { Id = id, Condition = query, Expected = expected, FullUrl = entry.FullUrl, Path = at };
        switch (entry.Method)
        {
            case "DELETE":
                return write;
            case "PATCH" when RecordPatch.Of(entry.Resource!, $"{at}.resource", issues) is var patch:
                return patch is null ? null : write with { Verb = WriteVerb.Patch, Patch = patch, Path = $"{at}.resource" };
            case "PUT" when id is null || entry.Resource!.Id == id:
                return write with { Verb = WriteVerb.Update, Resource = entry.Resource, Path = $"{at}.resource" };
            case "PUT":
                issues.Add(new FhirIssue(IssueSeverity.Error, "invalid", $"{at}.resource.id", $"The resource's id is '{entry.Resource!.Id}', the url names '{id}'. They must be the same."));
                return null;
            default:
                issues.Add(new FhirIssue(IssueSeverity.Error, "not-supported", $"{at}.request.method", $"The method {entry.Method} is not taken in a Bundle."));
                return null;
        }
    }

    /// <summary>The version that an entity tag names; null when it names none.</summary>
    public static int? VersionOf(string tag) => int.TryParse(tag.Replace("W/", "", StringComparison.Ordinal).Trim('"'), out var version) ? version : null;

    static (string Path, string? Query) Cut(string url)
    {
        var mark = url.IndexOf('?');
        return mark < 0 ? (url.Trim('/'), null) : (url[..mark].Trim('/'), url[(mark + 1)..]);
    }
}

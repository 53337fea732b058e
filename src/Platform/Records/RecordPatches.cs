using Npgsql;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;
using Salus.Fhir.Patch;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>Changes to what stands, to be put to it where nobody else changes it.</summary>
abstract record RecordPatch
{
    RecordPatch() { }

    /// <summary>JSON Patch (RFC 6902).</summary>
    public sealed record Json(ReadOnlyMemory<byte> Operations) : RecordPatch;

    /// <summary>FHIRPath Patch.</summary>
    public sealed record FhirPath(Resource Parameters) : RecordPatch;

    /// <summary>A patch as the body of a request; null when the body cannot be read as one.</summary>
    public static RecordPatch? Read(ReadOnlyMemory<byte> body, bool isJsonPatch, out IReadOnlyList<FhirIssue> issues)
    {
        issues = [];
        if (isJsonPatch)
        {
            return new Json(body);
        }
        if (FhirJson.Read(body) is not FhirReadOutcome.Ok { Resource: var parameters })
        {
            issues = ((FhirReadOutcome.Refused)FhirJson.Read(body)).Issues;
            return null;
        }
        return new FhirPath(parameters);
    }

    /// <summary>A patch as the resource of a Bundle's entry (R4 section 3.1.0.11.3): Parameters, or a Binary that holds a JSON Patch; null when it is neither.</summary>
    public static RecordPatch? Of(Resource resource, string path, List<FhirIssue> issues)
    {
        if (resource.ResourceType == "Parameters")
        {
            return new FhirPath(resource);
        }
        if (resource.ResourceType == "Binary" && FhirRequest.IsJsonPatch(resource["contentType"].Text) && Content(resource["data"].Text) is { } operations)
        {
            return new Json(operations);
        }
        issues.Add(new FhirIssue(IssueSeverity.Error, "not-supported", path,
            $"A patch in a Bundle is a Parameters resource, or a Binary of the content type {FhirRequest.JsonPatchType} with base64 in data."));
        return null;
    }

    /// <summary>What becomes of a resource.</summary>
    public PatchOutcome ApplyTo(Resource resource) => this switch
    {
        Json json => JsonPatch.Apply(resource.Utf8, json.Operations),
        FhirPath path => FhirPathPatch.Apply(resource, path.Parameters),
        _ => throw new InvalidOperationException("Every patch has its kind."),
    };

    static byte[]? Content(string? base64)
    {
        var bytes = new byte[base64?.Length ?? 0];
        return base64 is not null && Convert.TryFromBase64String(base64, bytes, out var count) ? bytes[..count] : null;
    }
}

// Patches: changes to the version that stands, made behind the door.
public sealed partial class RecordsDesk
{
    const int PatchTriesMax = 5;

    /// <summary>Stores a new version of a resource that a patch makes of the one that stands; for a caller who may both read and write it.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="type">The resource type.</param>
    /// <param name="id">The logical id; null where a condition finds it.</param>
    /// <param name="condition">The query that means one resource.</param>
    /// <param name="patch">The changes.</param>
    /// <param name="expected">The version that the caller has seen (If-Match).</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal async Task<WriteOutcome> PatchAsync(
        Caller caller, string type, string? id, string? condition, RecordPatch patch, int? expected, CancellationToken cancellation)
    {
        for (var tries = 1; ; tries++)
        {
            var outcome = await WriteAsync(
                caller, [new RecordWrite(WriteVerb.Patch, type) { Id = id, Condition = condition, Patch = patch, Expected = expected }], AuditAction.Update, cancellation);
            // Another wrote in the same moment: the changes are put to what they made of it
            if (outcome is not WriteOutcome.Conflict { IsRace: true } || tries == PatchTriesMax)
            {
                return outcome;
            }
        }
    }

    /// <summary>Gives the patches among writes their content.</summary>
    async Task<WriteOutcome?> PatchedAsync(
        NpgsqlConnection connection, Caller caller, List<RecordWrite> writes, Dictionary<string, string> names, CancellationToken cancellation)
    {
        List<RecordWrite> patched = [];
        for (var i = 0; i < writes.Count; i++)
        {
            if (writes[i].Verb != WriteVerb.Patch)
            {
                continue;
            }
            var (write, refusal) = await PatchedAsync(connection, caller, writes[i], cancellation);
            if (refusal is not null)
            {
                return refusal;
            }
            writes[i] = write;
            patched.Add(write);
        }
        if (!patched.Any(write => ResourceRewriter.References(write.Resource!).Any(BundleReferences.IsConditional)))
        {
            return null;
        }
        var reach = new RecordReach(await consents.ScopesAsync(caller, Purpose.Treatment, cancellation, connection), caller.Role, time.GetUtcNow());
        return await ReferencesAsync(connection, caller, reach, patched, names, cancellation);
    }

    async Task<(RecordWrite Write, WriteOutcome? Refusal)> PatchedAsync(NpgsqlConnection connection, Caller caller, RecordWrite write, CancellationToken cancellation)
    {
        var newest = write.Newest!;
        // The answer and the tests of a patch tell what stands: a patch is a read too, of what is about nobody as well.
        if (await DecideAsync(connection, caller, newest, Purpose.Treatment, cancellation) is AccessDecision.Refused refused)
        {
            return (write, await ForbidAsync(caller, newest.Patient, $"{write.Type}/{write.Id}", refused.Reason, cancellation));
        }
        if (newest.Deleted)
        {
            return (write, new WriteOutcome.Gone());
        }
        if (await store.OpenAsync(newest, cancellation) is not { } bytes || FhirJson.Read(bytes) is not FhirReadOutcome.Ok { Resource: var stands })
        {
            return (write, new WriteOutcome.Altered($"{write.Type}/{write.Id}, version {newest.Version}"));
        }
        var applied = write.Patch!.ApplyTo(stands);
        if (applied is not PatchOutcome.Ok { Utf8: var utf8 })
        {
            var issue = ((PatchOutcome.Refused)applied).Issue;
            return (write, new WriteOutcome.Invalid([issue with { Expression = write.Path.Length == 0 ? issue.Expression : $"{write.Path}.{issue.Expression}" }]));
        }
        if (FhirJson.Read(utf8) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            // The places are those of a text that the client has never seen
            return (write, new WriteOutcome.Invalid([.. ((FhirReadOutcome.Refused)FhirJson.Read(utf8)).Issues.Select(issue => issue with { Severity = IssueSeverity.Error, Line = null, Column = null })]));
        }
        if (resource.ResourceType != write.Type || resource.Id != write.Id)
        {
            return (write, Invalid("business-rule", $"{write.Type}.id", $"A patch changes neither the type nor the id of {write.Type}/{write.Id}."));
        }
        var issues = DraftSet.Validate(definitions.Refusals, [(resource, write.Path)]);
        return issues.Count > 0
            ? (write, new WriteOutcome.Invalid([.. issues.Select(issue => issue with { Line = null, Column = null })]))
            : (write with { Resource = resource }, null);
    }
}

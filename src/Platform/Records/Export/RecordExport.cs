using Npgsql;
using Salus.Fhir.Elements;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records.Export;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

// The part of the door through which records leave in bulk.
public sealed partial class RecordsDesk
{
    const int ExportedAtOnce = 500;

    /// <summary>Whether a role may ask for an export at all; what it then holds is a matter of consent.</summary>
    internal static bool MayExport(Role role) => AccessRules.MayReadDirectory(role);

    /// <summary>Opens the next records of a range that the caller may read now; null while it is not known what they may.</summary>
    internal async Task<ExportBatch?> OpenRangeAsync(Caller caller, ExportRange range, int countMax, CancellationToken cancellation)
    {
        if (caller.Role != Role.Patient && !consents.IsFresh)
        {
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var reach = await ExportReachAsync(connection, caller, range.Request, cancellation);
        var (count, of) = (Math.Min(countMax, ExportedAtOnce), reach.Of(range.Type));
        var entries = of.IsEmpty ? [] : await ExportStore.EntriesAsync(connection, range, of, count, cancellation);
        List<StoredRecord> records = [];
        List<string> altered = [];
        foreach (var entry in entries.Where(reach.Sees))
        {
            if (await store.OpenAsync(entry, cancellation) is { } bytes)
            {
                records.Add(new StoredRecord(entry.Type, entry.Id, entry.Version, entry.Written, entry.Patient, bytes));
            }
            else if (await vault.FindOwnerAsync(connection, entry.Owner, cancellation) is not null)
            {
                altered.Add(entry.Id);
            }
        }
        return new ExportBatch(records, altered, entries.Count < count ? null : entries[^1].Id);
    }

    /// <summary>The same, to be handed to the caller: each patient among them is told of it before a byte leaves.</summary>
    internal async Task<ExportBatch?> HandOutRangeAsync(Caller caller, ExportRange range, CancellationToken cancellation)
    {
        var batch = await OpenRangeAsync(caller, range, ExportedAtOnce, cancellation);
        if (batch is { Records.Count: > 0 })
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await AuditShownAsync(caller, AuditAction.Export, $"{batch.Records.Count} {range.Type}", batch.Records, range.Request.Purpose, cancellation);
        }
        return batch;
    }

    /// <summary>Keeps in the trail that an export was asked for, or why it was refused.</summary>
    internal async Task AuditExportAsync(Caller caller, bool succeeded, string? detail, CancellationToken cancellation)
    {
        await audit.RecordAsync(new AuditFact(AuditAction.Export, succeeded, caller.Account, null, "request", detail), cancellation);
        sequencer.Wake();
    }

    async Task<ExportReach> ExportReachAsync(NpgsqlConnection connection, Caller caller, ExportRequest request, CancellationToken cancellation)
    {
        var scopes = await consents.ScopesAsync(caller, request.Purpose, cancellation);
        var members = request.Group is { } group ? await MembersAsync(connection, caller, scopes, group, cancellation) : null;
        return new ExportReach(scopes, caller.Role, members, request.Level == ExportLevel.System, time.GetUtcNow());
    }

    /// <summary>The patients in a Group as it stands now; none where the caller may not read it any more.</summary>
    async Task<IReadOnlySet<string>> MembersAsync(
        NpgsqlConnection connection, Caller caller, IReadOnlyDictionary<string, AccessScope> scopes, string group, CancellationToken cancellation)
    {
        HashSet<string> members = [];
        if (await SealedStore.FindAsync(connection, "Group", group, null, cancellation) is { Deleted: false } entry
            && new ExportReach(scopes, caller.Role, null, false, time.GetUtcNow()).Sees(entry)
            && await store.OpenAsync(entry, cancellation) is { } bytes && FhirJson.Read(bytes) is FhirReadOutcome.Ok { Resource: var resource })
        {
            foreach (var member in resource["member"].Items)
            {
                if (member["entity"u8]["reference"u8].Text is { } reference && reference.StartsWith("Patient/", StringComparison.Ordinal) && member["inactive"u8].Text != "true")
                {
                    members.Add(reference["Patient/".Length..]);
                }
            }
        }
        return members;
    }
}

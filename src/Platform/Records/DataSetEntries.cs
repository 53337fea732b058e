using Npgsql;
using Salus.Fhir.Elements;
using Salus.Ledger.Proofs;
using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

// Data sets: an entry in the log that commits to sealed content under a key of its own.
public sealed partial class RecordsDesk
{
    /// <summary>
    /// Stores the DocumentReference of a data set whose owner was decided before, in one transaction with <paramref name="beside"/>, which is given
    /// the entry's id and may still decline: then nothing is written.
    /// </summary>
    internal async Task<WriteOutcome> StoreDataSetAsync(
        Caller caller, OwnerKey owner, byte[] json, byte[] blob, Func<NpgsqlConnection, string, CancellationToken, Task<bool>> beside, CancellationToken cancellation)
    {
        if (FhirJson.Read(json) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return new WriteOutcome.Invalid(((FhirReadOutcome.Refused)FhirJson.Read(json)).Issues);
        }
        var id = NewId();
        if (DraftSet.Validate(definitions.Refusals, [(resource, "")]) is { Count: > 0 } issues)
        {
            return new WriteOutcome.Invalid(issues);
        }
        var now = SealedStore.Now(time);
        var bytes = ResourceRewriter.Rewrite(resource, id, "1", now);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await beside(connection, id, cancellation))
        {
            return new WriteOutcome.NotFound();
        }
        await SealedStore.AppendAsync(connection,
            [
                new NewEntry(LeafKind.DataSet, resource.ResourceType, id, 1, owner, null, now, bytes, Blob: blob),
                await audit.EntryAsync(new AuditFact(AuditAction.Create, true, caller.Account, null, $"{resource.ResourceType}/{id}", "data set sealed"), cancellation),
            ], cancellation);
        await transaction.CommitAsync(cancellation);
        sequencer.Wake();
        return new WriteOutcome.Written([new StoredRecord(resource.ResourceType, id, 1, now, null, bytes)]);
    }
}

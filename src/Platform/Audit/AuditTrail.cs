using Npgsql;
using Salus.Ledger.Proofs;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Audit;

/// <summary>Who did what, and to whose record. An entry is sealed, logged and anchored like a record; it names patients by aliases.</summary>
public sealed class AuditTrail
{
    const string AliasPurpose = "audit";

    readonly NpgsqlDataSource database;
    readonly KeyVault vault;
    readonly SealedStore store;
    readonly TimeProvider time;

    /// <summary>The trail of this node.</summary>
    public AuditTrail(NpgsqlDataSource database, KeyVault vault, TimeProvider time)
    {
        (this.database, this.vault, this.time) = (database, vault, time);
        store = new SealedStore(vault);
    }

    /// <summary>The alias under which the trail knows a patient.</summary>
    public static string AliasOf(OwnerKey patient) => patient.Alias(AliasPurpose);

    /// <summary>Writes a fact in the transaction of the deed it tells of.</summary>
    public async Task RecordAsync(NpgsqlConnection connection, AuditFact fact, CancellationToken cancellation) =>
        await SealedStore.AppendAsync(connection, [await EntryAsync(fact, cancellation)], cancellation);

    /// <summary>Writes a fact that stands alone, such as a refusal; durable on return.</summary>
    public async Task RecordAsync(AuditFact fact, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await RecordAsync(connection, fact, cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>The newest facts, newest first: all of them, or those about one patient.</summary>
    public async Task<IReadOnlyList<AuditLine>> ListAsync(string? patientAlias, int countMax, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var entries = await connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM entry e
            WHERE type = 'AuditEvent' AND ($1::text IS NULL OR patient = $1) ORDER BY written DESC LIMIT $2
            """, patientAlias, countMax);
        List<AuditLine> lines = [];
        foreach (var entry in entries)
        {
            if (await store.OpenAsync(entry, cancellation) is { } bytes)
            {
                lines.Add(AuditEventJson.Read(bytes));
            }
        }
        return lines;
    }

    internal async ValueTask<NewEntry> EntryAsync(AuditFact fact, CancellationToken cancellation)
    {
        var owner = await vault.FindOwnerAsync(Owners.Audit, cancellation)
            ?? throw new InvalidOperationException("The audit trail's key is missing; the node is not set up.");
        var id = Guid.CreateVersion7().ToString();
        var now = SealedStore.Now(time);
        return new NewEntry(LeafKind.Audit, "AuditEvent", id, 1, owner, fact.PatientAlias, now, AuditEventJson.Write(id, now, fact, "Salus node"));
    }
}

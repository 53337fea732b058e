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
    const int OpenedMax = 2_000;
    const int BatchSize = 250;

    readonly NpgsqlDataSource database;
    readonly KeyVault vault;
    readonly SealedStore store;
    readonly AuditWriter alone;
    readonly TimeProvider time;

    /// <summary>The trail of this node.</summary>
    public AuditTrail(NpgsqlDataSource database, NodeMessages messages, KeyVault vault, TimeProvider time)
    {
        (this.database, this.vault, this.time) = (database, vault, time);
        store = new SealedStore(vault);
        alone = new AuditWriter(messages);
    }

    /// <summary>The alias under which the trail knows a patient.</summary>
    public static string AliasOf(OwnerKey patient) => patient.Alias(AliasPurpose);

    /// <summary>Writes a fact in the transaction of the deed it tells of.</summary>
    public async Task RecordAsync(NpgsqlConnection connection, AuditFact fact, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        AuditWriter.Append(batch, [await SealAsync(fact, cancellation)]);
        await batch.RunAsync(cancellation);
    }

    /// <summary>Forgets which facts about several patients are about this one; the facts themselves stand.</summary>
    public static Task ForgetAsync(NpgsqlConnection connection, string patientAlias, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM audit_about WHERE alias = $1", patientAlias);

    /// <summary>Writes a fact that stands alone, such as a read or a refusal; durable on return.</summary>
    public async Task RecordAsync(AuditFact fact, CancellationToken cancellation) =>
        await alone.WriteAsync(await SealAsync(fact, cancellation), cancellation);

    async ValueTask<SealedFact> SealAsync(AuditFact fact, CancellationToken cancellation) => new(SealedRow.Of(await EntryAsync(fact, cancellation)), fact.PatientAliases);

    /// <summary>The newest facts, newest first: all of them, or those about one patient.</summary>
    public async Task<IReadOnlyList<AuditLine>> ListAsync(string? patientAlias, int countMax, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (patientAlias is null)
        {
            return (await PageAsync(connection, _ => true, null, newer: false, countMax, cancellation)).Lines;
        }
        var entries = await connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM (
                (SELECT * FROM entry WHERE type = 'AuditEvent' AND patient = $1 ORDER BY written DESC LIMIT $2)
                UNION ALL
                (SELECT entry.* FROM audit_about about JOIN entry ON entry.type = 'AuditEvent' AND entry.id = about.id AND entry.version = 1
                 WHERE about.alias = $1 ORDER BY about.written DESC LIMIT $2)) e
            ORDER BY e.written DESC, e.id DESC LIMIT $2
            """, patientAlias, countMax);
        List<AuditLine> lines = [];
        foreach (var entry in entries)
        {
            // Of a deed about several patients each is told of their own part alone.
            if (await OpenAsync(entry, cancellation) is { } line && (line.Fact.PatientAlias ?? line.Fact.PatientAliases.FirstOrDefault(alias => alias == patientAlias)) == patientAlias)
            {
                lines.Add(line with { Fact = line.Fact with { PatientAlias = patientAlias, PatientAliases = [], Entity = line.Fact.PatientAliases.Count == 0 ? line.Fact.Entity : "list" } });
            }
        }
        return lines;
    }

    /// <summary>A page of all facts that match, newest first. What they say is sealed, so each is opened to be matched; one call opens at most <see cref="OpenedMax"/>.</summary>
    /// <param name="matches">Which facts are wanted.</param>
    /// <param name="from">The cursor of another page; null for the newest.</param>
    /// <param name="newer">Whether to go towards newer facts from there.</param>
    /// <param name="countMax">Facts on the page.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<AuditPage> PageAsync(Func<AuditFact, bool> matches, PageCursor? from, bool newer, int countMax, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await PageAsync(connection, matches, from, newer && from is not null, countMax, cancellation);
    }

    async Task<AuditPage> PageAsync(
        NpgsqlConnection connection, Func<AuditFact, bool> matches, PageCursor? from, bool newer, int countMax, CancellationToken cancellation)
    {
        List<AuditLine> lines = [];
        var (seen, opened, isMore) = (from, 0, true);
        while (lines.Count <= countMax && opened < OpenedMax && isMore)
        {
            var batch = await BatchAsync(connection, seen, newer, cancellation);
            isMore = batch.Count == BatchSize;
            foreach (var entry in batch.TakeWhile(_ => lines.Count <= countMax))
            {
                (seen, opened) = (new PageCursor(entry.Written, entry.Id), opened + 1);
                if (await OpenAsync(entry, cancellation) is { } line && matches(line.Fact))
                {
                    lines.Add(line);
                }
            }
        }
        var isPartial = lines.Count <= countMax && isMore;
        var further = lines.Count > countMax ? Cursor(lines[countMax - 1]) : isPartial ? seen : null;
        lines = [.. lines.Take(countMax)];
        if (newer)
        {
            lines.Reverse();
            return new AuditPage(lines, further, lines.Count > 0 ? Cursor(lines[^1]) : from, isPartial);
        }
        return new AuditPage(lines, from is null ? null : lines.Count > 0 ? Cursor(lines[0]) : from, further, isPartial);
    }

    static Task<List<SealedEntry>> BatchAsync(NpgsqlConnection connection, PageCursor? from, bool newer, CancellationToken cancellation) =>
        connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM entry e
            WHERE type = 'AuditEvent' {(from is null ? "" : $"AND id {(newer ? ">" : "<")} $2 ")}ORDER BY id {(newer ? "ASC" : "DESC")} LIMIT $1
            """, from is null ? [BatchSize] : [BatchSize, from.Id]);

    async Task<AuditLine?> OpenAsync(SealedEntry entry, CancellationToken cancellation) =>
        await store.OpenAsync(entry, cancellation) is { } bytes ? AuditEventJson.Read(bytes) : null;

    static PageCursor Cursor(AuditLine line) => new(line.Time, line.Id);

    internal async ValueTask<NewEntry> EntryAsync(AuditFact fact, CancellationToken cancellation)
    {
        var owner = await vault.FindOwnerAsync(Owners.Audit, cancellation)
            ?? throw new InvalidOperationException("The audit trail's key is missing; the node is not set up.");
        var now = SealedStore.Now(time);
        // The trail is read in the order of ids
        var id = OrderedId.New(now).ToString();
        return new NewEntry(LeafKind.Audit, "AuditEvent", id, 1, owner, fact.PatientAlias, now, AuditEventJson.Write(id, now, fact, "Salus node"));
    }
}

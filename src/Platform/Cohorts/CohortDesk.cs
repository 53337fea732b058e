using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Learning.Privacy;
using Salus.Learning.Tables;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;
using Salus.Vault.Blobs;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Cohorts;

/// <summary>
/// Data sets of personal health records: loaded, looked at, processed, noised, sealed and logged. Each has a key of its own and belongs to the
/// account that brought it; nobody else sees that it is there.
/// </summary>
public sealed partial class CohortDesk(
    NpgsqlDataSource database, KeyVault vault, BlobStore blobs, RecordsDesk records, ProofDesk proofs, AuditTrail audit, IOptions<CohortsOptions> options, TimeProvider time)
{
    const string BlobKind = "DataSet";
    const string AboutKind = "DataSetAbout";
    const int NameLengthMax = 200;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };

    readonly SealedStore store = new(vault);
    readonly TableCache tables = new(options.Value.CachedValuesMax);

    /// <summary>What is known of a version, sealed beside its content. The account stands in it, lest a changed row give the data set to another.</summary>
    sealed record About(
        Guid Account, string Name, string? FileName, DataSetStep Step, int Rows, IReadOnlyList<DataSetColumn> Columns, char Delimiter,
        ProcessingReport? Processing, NoiseReport? Noise);

    /// <summary>A data set that this caller may work on, opened.</summary>
    sealed record Opened(DataSetRow Row, OwnerKey Owner, IReadOnlyList<(DataSetVersionRow Row, About About)> Versions);

    /// <summary>The caller's data sets, newest first.</summary>
    public async Task<IReadOnlyList<DataSetView>> ListAsync(Caller caller, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<DataSetView> views = [];
        foreach (var row in await CohortStore.OfAccountAsync(connection, caller.Account, cancellation))
        {
            if (await OpenAsync(connection, row, caller, cancellation) is { } opened)
            {
                views.Add(await ViewAsync(connection, opened, cancellation));
            }
        }
        return views;
    }

    /// <summary>One data set.</summary>
    public async Task<DataSetOutcome> FindAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var (opened, refusal) = await DecideAsync(connection, caller, id, AuditAction.Read, forUpdate: false, cancellation);
        return refusal ?? new DataSetOutcome.Done(await ViewAsync(connection, opened!, cancellation));
    }

    /// <summary>Loads a CSV. The content is sealed as it streams in; where it is no CSV, its key and its bytes are destroyed again.</summary>
    /// <param name="caller">Who brings it.</param>
    /// <param name="name">What it is to be called.</param>
    /// <param name="fileName">The name of the file, when known.</param>
    /// <param name="delimiter">The character between fields: comma, semicolon, tab or bar.</param>
    /// <param name="content">UTF-8 text with a header line.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<DataSetOutcome> LoadAsync(
        Caller caller, string name, string? fileName, char delimiter, Stream content, CancellationToken cancellation)
    {
        if (caller.Role is not (Role.Researcher or Role.Practitioner or Role.Patient))
        {
            await RefusedAsync(caller, AuditAction.Create, "DataSet", "The role keeps no data sets.", cancellation);
            return new DataSetOutcome.Forbidden($"The role {caller.Role} keeps no data sets; researchers, practitioners and patients do.");
        }
        if (string.IsNullOrWhiteSpace(name) || name.Length > NameLengthMax || fileName?.Length > NameLengthMax)
        {
            return new DataSetOutcome.Invalid("name", $"Give the data set a name of 1 to {NameLengthMax} characters.");
        }
        if (delimiter is not (',' or ';' or '\t' or '|'))
        {
            return new DataSetOutcome.Invalid("delimiter", "The fields are separated by a comma, a semicolon, a tab or a bar.");
        }
        var id = Guid.CreateVersion7();
        OwnerKey owner;
        await using (var connection = await database.OpenConnectionAsync(cancellation))
        {
            if (await CohortStore.CountAsync(connection, caller.Account, cancellation) >= options.Value.DataSetsPerAccountMax)
            {
                return new DataSetOutcome.Refused($"You keep {options.Value.DataSetsPerAccountMax} data sets already. Delete a draft first.");
            }
            owner = await vault.CreateOwnerAsync(connection, id, OwnerKind.DataSet, cancellation);
        }
        BlobOutcome.Stored? stored = null;
        try
        {
            var written = await blobs.WriteAsync(owner, BlobContext(id, 1), content, (long)options.Value.FileMiBMax << 20, cancellation);
            stored = written as BlobOutcome.Stored;
            var (table, refusal) = stored is null
                ? (null, new DataSetOutcome.Invalid("file", $"The file is larger than {options.Value.FileMiBMax} MiB. Split it."))
                : await Task.Run(() => Parse(owner, id, 1, stored.SealedHash, delimiter, kinds: null), cancellation);
            if (table is null)
            {
                await ForgetAsync(id, stored?.SealedHash);
                return refusal!;
            }
            var about = new About(caller.Account, name.Trim(), fileName, DataSetStep.Loaded, table.RowCount, ColumnsOf(table), delimiter, null, null);
            var view = await KeepFirstAsync(caller, id, owner, about, stored!, cancellation);
            tables.Add(id, 1, table);
            return new DataSetOutcome.Done(view);
        }
        catch
        {
            await ForgetAsync(id, stored?.SealedHash);
            throw;
        }
    }

    /// <summary>Deletes a draft: its key is destroyed, its content removed. A sealed data set stays.</summary>
    public async Task<DataSetOutcome> DeleteAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var (opened, refusal) = await DecideAsync(connection, caller, id, AuditAction.Delete, forUpdate: true, cancellation);
        if (refusal is not null)
        {
            return refusal;
        }
        if (opened!.Row.Entry is not null)
        {
            return new DataSetOutcome.Refused("A sealed data set stands in the log and is not deleted here.");
        }
        var view = await ViewAsync(connection, opened, cancellation);
        await CohortStore.RemoveAsync(connection, id, cancellation);
        await vault.EraseOwnerAsync(connection, id, cancellation);
        await audit.RecordAsync(connection, Fact(AuditAction.Delete, caller, id, null), cancellation);
        await transaction.CommitAsync(cancellation);
        tables.Remove(id);
        foreach (var (row, _) in opened.Versions)
        {
            blobs.Delete(row.Blob);
        }
        return new DataSetOutcome.Done(view);
    }

    async Task<DataSetView> KeepFirstAsync(Caller caller, Guid id, OwnerKey owner, About about, BlobOutcome.Stored stored, CancellationToken cancellation)
    {
        var now = SealedStore.Now(time);
        var row = new DataSetRow(id, caller.Account, now, null);
        var version = VersionRow(id, 1, now, owner, about, stored);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await CohortStore.AddAsync(connection, row, cancellation);
        await CohortStore.AddVersionAsync(connection, version, cancellation);
        await audit.RecordAsync(connection, Fact(AuditAction.Create, caller, id, "loaded"), cancellation);
        await transaction.CommitAsync(cancellation);
        return await ViewAsync(connection, new Opened(row, owner, [(version, about)]), cancellation);
    }

    /// <summary>Destroys what was begun; not cancelled with the request that began it.</summary>
    async Task ForgetAsync(Guid id, byte[]? blob)
    {
        if (blob is not null)
        {
            blobs.Delete(blob);
        }
        await using var connection = await database.OpenConnectionAsync(CancellationToken.None);
        await vault.EraseOwnerAsync(connection, id, CancellationToken.None);
    }

    async Task<(Opened? Opened, DataSetOutcome? Refusal)> DecideAsync(
        NpgsqlConnection connection, Caller caller, Guid id, AuditAction action, bool forUpdate, CancellationToken cancellation)
    {
        if (await CohortStore.FindAsync(connection, id, forUpdate, cancellation) is not { } row || row.Account != caller.Account)
        {
            await RefusedAsync(caller, action, $"DataSet/{id}", "not this account's", cancellation);
            return (null, new DataSetOutcome.NotFound());
        }
        return await OpenAsync(connection, row, caller, cancellation) is { } opened
            ? (opened, null)
            : (null, new DataSetOutcome.Altered($"Data set {id}"));
    }

    async Task<Opened?> OpenAsync(NpgsqlConnection connection, DataSetRow row, Caller caller, CancellationToken cancellation)
    {
        if (await vault.FindOwnerAsync(row.Id, cancellation) is not { } owner)
        {
            return null;
        }
        List<(DataSetVersionRow, About)> versions = [];
        foreach (var version in await CohortStore.VersionsAsync(connection, row.Id, cancellation))
        {
            if (!owner.TryOpen(AboutContext(row.Id, version.Version, version.Blob), version.About, out var bytes)
                || JsonSerializer.Deserialize<About>(bytes, Json) is not { } about || about.Account != caller.Account)
            {
                return null;
            }
            versions.Add((version, about));
        }
        return versions.Count == 0 ? null : new Opened(row, owner, versions);
    }

    async Task<DataSetView> ViewAsync(NpgsqlConnection connection, Opened opened, CancellationToken cancellation)
    {
        var first = opened.Versions[0].About;
        return new DataSetView(opened.Row.Id, first.Name, first.FileName, opened.Row.Created,
            [.. opened.Versions.Select(version => new DataSetVersion(
                version.Row.Version, version.Row.Created, version.About.Step, version.About.Rows, version.About.Columns, version.Row.Length, version.Row.SealedLength,
                version.About.Processing, version.About.Noise))],
            opened.Row.Entry is { } entry ? await SealedViewAsync(connection, opened, entry, cancellation) : null);
    }

    (Table? Table, DataSetOutcome? Refusal) Parse(
        OwnerKey owner, Guid id, int version, byte[] blob, char delimiter, IReadOnlyDictionary<string, ColumnKind>? kinds)
    {
        using var content = blobs.OpenRead(owner, BlobContext(id, version), blob);
        if (content is null)
        {
            return (null, new DataSetOutcome.Altered($"The content of data set {id}"));
        }
        var csv = new CsvOptions { Delimiter = delimiter, RowsMax = options.Value.RowsMax, ColumnsMax = options.Value.ColumnsMax + ProcessedColumnsMax, FieldLengthMax = 100_000 };
        return CsvTable.Read(content, kinds is null ? csv with { ColumnsMax = options.Value.ColumnsMax } : csv with { Kinds = kinds, MissingMarks = [] }) switch
        {
            CsvOutcome.Loaded loaded => (loaded.Table, null),
            CsvOutcome.Refused refused => (null, new DataSetOutcome.NotCsv(refused.Line, refused.Column, refused.ColumnName, refused.Message)),
            _ => throw new InvalidOperationException("A file is loaded or refused."),
        };
    }

    static DataSetVersionRow VersionRow(Guid id, int version, DateTimeOffset now, OwnerKey owner, About about, BlobOutcome.Stored stored) =>
        new(id, version, now, owner.Seal(AboutContext(id, version, stored.SealedHash), JsonSerializer.SerializeToUtf8Bytes(about, Json)),
            stored.SealedHash, stored.Length, stored.SealedLength);

    static IReadOnlyList<DataSetColumn> ColumnsOf(Table table) => [.. table.Columns.Select(column => new DataSetColumn(column.Name, column.Kind))];

    static SealContext BlobContext(Guid id, int version) => new(BlobKind, id.ToString(), version);

    // The content's hash is bound in, lest one version's description be put beside another's content.
    static SealContext AboutContext(Guid id, int version, byte[] blob) => new(AboutKind, $"{id} {Convert.ToHexStringLower(blob)}", version);

    static AuditFact Fact(AuditAction action, Caller caller, Guid id, string? detail) => new(action, true, caller.Account, null, $"DataSet/{id}", detail);

    Task RefusedAsync(Caller caller, AuditAction action, string entity, string reason, CancellationToken cancellation) =>
        audit.RecordAsync(new AuditFact(action, false, caller.Account, null, entity, reason), cancellation);
}

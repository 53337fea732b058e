using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Salus.Learning.Privacy;
using Salus.Learning.Tables;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;
using Salus.Vault.Blobs;

namespace Salus.Platform.Cohorts;

// Looking at a data set, and the steps that make its next version.
public sealed partial class CohortDesk
{
    /// <summary>The most rows of one page.</summary>
    public const int PageRowsMax = 500;

    const int ProcessedColumnsMax = 16_384;
    const string Moved = "Another request sealed or changed the data set in the meantime. Look at it, then try again.";

    /// <summary>A page of a version (the newest when none is named), with each column's type, missing share and figures; null table with its refusal.</summary>
    public async Task<(TablePage? Page, DataSetOutcome? Refusal)> PageAsync(
        Caller caller, Guid id, int? version, int offset, int count, CancellationToken cancellation)
    {
        var (table, shown, refusal) = await TableAsync(caller, id, version, cancellation);
        if (table is null)
        {
            return (null, refusal);
        }
        var from = Math.Clamp(offset, 0, table.RowCount);
        var rows = Enumerable.Range(from, Math.Min(Math.Clamp(count, 1, PageRowsMax), table.RowCount - from))
            .Select(row => (IReadOnlyList<string?>)[.. table.Columns.Select(column => column.Show(row))]).ToList();
        return (new TablePage(id, shown, table.RowCount, from, [.. table.Columns.Select(column => ColumnSummary.Of(column))], rows), null);
    }

    /// <summary>Chart data of a version: of one column, by another when that is named; without a column, rows by sex and by age.</summary>
    public async Task<(IReadOnlyList<ChartView>? Charts, DataSetOutcome? Refusal)> ChartsAsync(
        Caller caller, Guid id, int? version, string? column, string? by, CancellationToken cancellation)
    {
        var (table, _, refusal) = await TableAsync(caller, id, version, cancellation);
        if (table is null)
        {
            return (null, refusal);
        }
        if (column is null)
        {
            return (TableCharts.Overview(table), null);
        }
        foreach (var (field, name) in new[] { ("column", column), ("by", by) })
        {
            if (name is not null && table.Find(name) is null)
            {
                return (null, new DataSetOutcome.Invalid(field, $"There is no column '{name}'. Name one of: {string.Join(", ", table.Columns.Select(known => known.Name))}."));
            }
        }
        return ([TableCharts.Of(table[column], by is null ? null : table[by])], null);
    }

    /// <summary>Makes numbers of categories and fills missing values, by what the training part alone teaches, as a new version.</summary>
    public async Task<DataSetOutcome> ProcessAsync(Caller caller, Guid id, ProcessingRequest request, CancellationToken cancellation) =>
        await StepAsync(caller, id, DataSetStep.Processed, table => TableProcessing.Apply(table, request) switch
        {
            ProcessingOutcome.Processed { Table.Columns.Count: > ProcessedColumnsMax } => new StepResult(null, Refusal: new DataSetOutcome.Invalid("categories", $"More than {ProcessedColumnsMax} columns would come of it. Make the categories ordinal, or drop some.")),
            ProcessingOutcome.Processed processed => new StepResult(processed.Table, Processing: processed.Report),
            ProcessingOutcome.Refused refused => new StepResult(null, Refusal: new DataSetOutcome.Invalid(refused.Field, refused.Message)),
            _ => throw new InvalidOperationException("A table is processed or refused."),
        }, cancellation);

    /// <summary>Adds privacy noise under a total epsilon per row, or states that there is none, as a new version.</summary>
    public async Task<DataSetOutcome> NoiseAsync(Caller caller, Guid id, NoiseRequest request, CancellationToken cancellation)
    {
        var (plan, invalid) = NoisePlans.Of(request);
        return plan is null ? invalid! : await StepAsync(caller, id, DataSetStep.Noised, table => NoiseMechanism.Apply(table, plan) switch
        {
            NoiseOutcome.Noised noised => new StepResult(noised.Table, Noise: noised.Report),
            NoiseOutcome.Refused refused => new StepResult(null, Refusal: new DataSetOutcome.Invalid(refused.Column ?? "epsilon", refused.Message)),
            _ => throw new InvalidOperationException("A table is noised or refused."),
        }, cancellation);
    }

    /// <summary>Seals the newest version for good and puts it into the log; again is no error.</summary>
    public async Task<DataSetOutcome> SealAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var (opened, refusal) = await DecideAsync(connection, caller, id, AuditAction.Create, forUpdate: false, cancellation);
        if (refusal is not null)
        {
            return refusal;
        }
        if (opened!.Row.Entry is not null)
        {
            return new DataSetOutcome.Done(await ViewAsync(connection, opened, cancellation));
        }
        var (row, about) = opened.Versions[^1];
        var moved = false;
        var outcome = await records.StoreDataSetAsync(caller, opened.Owner, DocumentJson(id, row, about), row.Blob, async (inside, entry, token) =>
        {
            moved = await CohortStore.FindAsync(inside, id, forUpdate: true, token) is not { Entry: null }
                || (await CohortStore.VersionsAsync(inside, id, token)).Count != row.Version;
            if (!moved)
            {
                await CohortStore.SealAsync(inside, id, entry, token);
            }
            return !moved;
        }, cancellation);
        if (outcome is WriteOutcome.Invalid invalid)
        {
            throw new InvalidOperationException($"The data set is no valid DocumentReference: {invalid.Issues[0].Expression}: {invalid.Issues[0].Message}");
        }
        if (moved)
        {
            return new DataSetOutcome.Refused(Moved);
        }
        return await FindAsync(caller, id, cancellation);
    }

    /// <summary>The CSV of a version (the newest when none is named), opened as it is read.</summary>
    public async Task<(Stream? Content, string? FileName, DataSetOutcome? Refusal)> DownloadAsync(Caller caller, Guid id, int? version, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var (opened, refusal) = await DecideAsync(connection, caller, id, AuditAction.Read, forUpdate: false, cancellation);
        if (refusal is not null)
        {
            return (null, null, refusal);
        }
        if (Version(opened!, version) is not var (row, _))
        {
            return (null, null, new DataSetOutcome.NotFound());
        }
        if (blobs.OpenRead(opened!.Owner, BlobContext(id, row.Version), row.Blob) is not { } content)
        {
            return (null, null, new DataSetOutcome.Altered($"The content of data set {id}, version {row.Version}"));
        }
        await audit.RecordAsync(Fact(AuditAction.Read, caller, id, $"downloaded version {row.Version}"), cancellation);
        return (content, $"data-set-{id}-{row.Version}.csv", null);
    }

    sealed record StepResult(Table? Table, ProcessingReport? Processing = null, NoiseReport? Noise = null, DataSetOutcome? Refusal = null);

    async Task<DataSetOutcome> StepAsync(Caller caller, Guid id, DataSetStep step, Func<Table, StepResult> apply, CancellationToken cancellation)
    {
        var (table, version, refusal) = await TableAsync(caller, id, null, cancellation);
        if (table is null)
        {
            return refusal!;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var (opened, moved) = await DecideAsync(connection, caller, id, AuditAction.Update, forUpdate: false, cancellation);
        if (moved is not null)
        {
            return moved;
        }
        if (Objection(opened!, version) is { } objection)
        {
            return new DataSetOutcome.Refused(objection);
        }
        var result = await Task.Run(() => apply(table), cancellation);
        if (result.Table is not { } made)
        {
            return result.Refusal!;
        }
        var about = opened!.Versions[^1].About with
        {
            Step = step, Rows = made.RowCount, Columns = ColumnsOf(made), Delimiter = ',', Processing = result.Processing, Noise = result.Noise,
        };
        return await KeepNextAsync(connection, caller, opened, about, made, cancellation);
    }

    async Task<DataSetOutcome> KeepNextAsync(NpgsqlConnection connection, Caller caller, Opened opened, About about, Table made, CancellationToken cancellation)
    {
        var (id, version) = (opened.Row.Id, opened.Versions[^1].Row.Version + 1);
        using var csv = new MemoryStream();
        CsvText.Write(made, csv);
        csv.Position = 0;
        if (await blobs.WriteAsync(opened.Owner, BlobContext(id, version), csv, int.MaxValue, cancellation) is not BlobOutcome.Stored stored)
        {
            return new DataSetOutcome.Refused("The table that would come of it is too large to keep.");
        }
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            var now = await CohortStore.FindAsync(connection, id, forUpdate: true, cancellation);
            if (now is not { Entry: null } || (await CohortStore.VersionsAsync(connection, id, cancellation)).Count != version - 1)
            {
                blobs.Delete(stored.SealedHash);
                return new DataSetOutcome.Refused(Moved);
            }
            await CohortStore.AddVersionAsync(connection, VersionRow(id, version, SealedStore.Now(time), opened.Owner, about, stored), cancellation);
            await audit.RecordAsync(connection, Fact(AuditAction.Update, caller, id, about.Step == DataSetStep.Processed ? "processed" : "noised"), cancellation);
            await transaction.CommitAsync(cancellation);
        }
        catch
        {
            blobs.Delete(stored.SealedHash);
            throw;
        }
        tables.Add(id, version, made);
        return await FindAsync(caller, id, cancellation);
    }

    string? Objection(Opened opened, int version) =>
        opened.Row.Entry is not null ? "The data set is sealed and does not change any more. Load the file anew to begin another."
        : opened.Versions.Count >= options.Value.VersionsMax ? $"The data set has {options.Value.VersionsMax} versions already. Load the file anew to begin another."
        : opened.Versions[^1].Row.Version != version ? Moved
        : null;

    async Task<(Table? Table, int Version, DataSetOutcome? Refusal)> TableAsync(Caller caller, Guid id, int? version, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var (opened, refusal) = await DecideAsync(connection, caller, id, AuditAction.Read, forUpdate: false, cancellation);
        if (refusal is not null)
        {
            return (null, 0, refusal);
        }
        if (Version(opened!, version) is not var (row, about))
        {
            return (null, 0, new DataSetOutcome.NotFound());
        }
        if (tables.Find(id, row.Version) is { } known)
        {
            return (known, row.Version, null);
        }
        var (table, unreadable) = await Task.Run(() => Parse(opened!.Owner, id, row.Version, row.Blob, about.Delimiter,
            row.Version == 1 ? null : about.Columns.ToDictionary(column => column.Name, column => column.Kind)), cancellation);
        if (table is not null)
        {
            tables.Add(id, row.Version, table);
        }
        return (table, row.Version, unreadable);
    }

    static (DataSetVersionRow Row, About About)? Version(Opened opened, int? version)
    {
        if (version is not { } wanted)
        {
            return opened.Versions[^1];
        }
        return wanted >= 1 && wanted <= opened.Versions.Count ? opened.Versions[wanted - 1] : null;
    }

    async Task<SealedDataSet?> SealedViewAsync(NpgsqlConnection connection, Opened opened, string entry, CancellationToken cancellation)
    {
        if (await SealedStore.FindAsync(connection, "DocumentReference", entry, 1, cancellation) is not { Kind: LeafKind.DataSet, Blob: { } blob } found
            || await store.OpenAsync(found, cancellation) is null || opened.Versions.FirstOrDefault(version => version.Row.Blob.AsSpan().SequenceEqual(blob)).Row is not { } row)
        {
            return new SealedDataSet(entry, 0, 0, "", new ProofView("broken", Reason: "The entry in the log does not open, or names other content than this data set has."));
        }
        var state = (await proofs.VerifyAsync([found.Envelope(found.HashAsStored())], cancellation))[0];
        return new SealedDataSet(entry, row.Version, row.SealedLength, Convert.ToHexStringLower(blob), ProofView.Of(state));
    }

    static byte[] DocumentJson(Guid id, DataSetVersionRow row, About about) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["resourceType"] = "DocumentReference",
        ["status"] = "current",
        ["identifier"] = new JsonArray(new JsonObject { ["system"] = "https://salus.health/fhir/data-set", ["value"] = id.ToString() }),
        ["date"] = row.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        ["description"] = about.Noise is { } noise ? $"{about.Name}. {noise.Statement}" : $"{about.Name}. No noise step was made.",
        ["content"] = new JsonArray(new JsonObject
        {
            ["attachment"] = new JsonObject { ["contentType"] = "text/csv", ["size"] = Math.Min(row.Length, int.MaxValue), ["title"] = about.Name },
        }),
    });
}

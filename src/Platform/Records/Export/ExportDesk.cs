using Npgsql;
using Salus.Platform.Identity;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records.Export;

/// <summary>
/// Exports by the Bulk Data Access IG: asked for, looked after and fetched by one account. No copy of a record is made; a file is a range that is
/// opened while it is fetched, as far as the caller may read it then.
/// </summary>
sealed class ExportDesk(NpgsqlDataSource database, KeyVault vault, RecordsDesk records, ExportWorker worker, ExportOptions options, TimeProvider time)
{
    /// <summary>Asks for an export.</summary>
    public async Task<ExportOutcome> AskAsync(Caller caller, ExportRequest request, CancellationToken cancellation)
    {
        if (!RecordsDesk.MayExport(caller.Role))
        {
            var reason = $"The role {caller.Role} reads no records.";
            await records.AuditExportAsync(caller, false, reason, cancellation);
            return new ExportOutcome.Forbidden(reason);
        }
        if (request.Group is { } group && await records.ReadAsync(caller, "Group", group, null, request.Purpose, cancellation) is var read and not ReadOutcome.Found)
        {
            return new ExportOutcome.NoGroup(read);
        }
        if (await records.CheckFiltersAsync(caller, request, cancellation) is { Count: > 0 } wrong)
        {
            return new ExportOutcome.Invalid(wrong);
        }
        var id = Guid.NewGuid();
        var key = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (!await ExportStore.AddAsync(connection, id, caller.Account, request.Seal(key, id, caller.Account), SealedStore.Now(time), options.JobsPerAccount, cancellation))
        {
            return new ExportOutcome.TooMany(options.JobsPerAccount);
        }
        await records.AuditExportAsync(caller, true, null, cancellation);
        worker.Wake();
        return new ExportOutcome.Accepted(id);
    }

    /// <summary>What stands of an export; null for one that is not there or another's.</summary>
    public async Task<ExportView?> FindAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await ExportStore.FindAsync(connection, id, caller.Account, cancellation) is not { } job
            || ExportRequest.Open(await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation), id, caller.Account, job.Request) is not { } request)
        {
            return null;
        }
        var until = job.State == ExportState.Done ? job.Ended + TimeSpan.FromHours(options.KeptHours) : null;
        return until < time.GetUtcNow() ? null : new ExportView(job, request, job.State == ExportState.Done ? await ExportStore.FilesAsync(connection, id, cancellation) : [], until);
    }

    /// <summary>Whether anything was deleted that the caller might read; null while it is not known what they may.</summary>
    public async Task<bool?> HasDeletionsAsync(Caller caller, ExportView view, CancellationToken cancellation)
    {
        var after = (DateTimeOffset.MinValue, "");
        while (await records.DeletionsAsync(caller, view.Request, view.Job.Asked, after, isHandedOut: false, cancellation) is { } batch)
        {
            if (batch.Names.Count > 0 || batch.Next is not { } next)
            {
                return batch.Names.Count > 0;
            }
            after = next;
        }
        return null;
    }

    /// <summary>The next of what was deleted; null while it is not known what the caller may read.</summary>
    public Task<DeletionBatch?> DeletionsAsync(Caller caller, ExportView view, (DateTimeOffset Written, string Id) after, CancellationToken cancellation) =>
        records.DeletionsAsync(caller, view.Request, view.Job.Asked, after, isHandedOut: true, cancellation);

    /// <summary>Ends an export and forgets it; false for one that is not there or another's.</summary>
    public async Task<bool> CancelAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await ExportStore.RemoveAsync(connection, id, caller.Account, cancellation);
    }

    /// <summary>The next records of a file; null while it is not known what the caller may read.</summary>
    public Task<ExportBatch?> NextAsync(Caller caller, ExportView view, ExportFile file, string after, CancellationToken cancellation) =>
        records.HandOutRangeAsync(caller, new ExportRange(view.Request, view.Job.Asked, file.Type, after, file.UpTo), cancellation);
}

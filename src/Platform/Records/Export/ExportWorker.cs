using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Fhir.Definitions;
using Salus.Platform.Identity;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records.Export;

/// <summary>
/// Prepares exports: goes through what each may hold, a batch to a transaction that keeps the place, so that a killed node goes on where it was and
/// several share the work. Every record is opened once, so that one that was altered is told of in the manifest.
/// </summary>
sealed class ExportWorker(
    NpgsqlDataSource database, KeyVault vault, RecordsDesk records, AccountDesk accounts, ExportOptions options, TimeProvider time, ILogger<ExportWorker> logger) : WokenWorker(time, logger)
{
    /// <summary>What was written in this time before a job was asked for may still be under way when it is asked for.</summary>
    static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);
    static readonly string[] AllTypes = [.. FhirDefinitions.R4.ResourceTypes.Where(type => type != "AuditEvent").Order(StringComparer.Ordinal)];

    /// <summary>Instead of a place in a type: all of it.</summary>
    const string Through = "*";

    /// <inheritdoc/>
    protected override TimeSpan BusyWait => TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    protected override async Task<bool> WorkAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var (now, kept) = (Time.GetUtcNow(), TimeSpan.FromHours(options.KeptHours));
        await ExportStore.ForgetAsync(connection, now - kept, now - kept - kept, cancellation);
        await ExportStore.SetBarriersAsync(connection, now - Settle, cancellation);
        while (await StepAsync(connection, cancellation))
        {
        }
        return await ExportStore.AnyOpenAsync(connection, cancellation);
    }

    /// <summary>Takes one job a batch further; false where there is none, or where it must wait.</summary>
    async Task<bool> StepAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await ExportStore.TakeAsync(connection, cancellation) is not { } job)
        {
            return false;
        }
        var key = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
        var moved = await accounts.FindAsync(job.Account, cancellation) is not { Intact: true, Approved: true, Disabled: false } account
            ? job with { State = ExportState.Failed, Reason = "The account that asked for it may not sign in any more." }
            : ExportRequest.Open(key, job.Id, job.Account, job.Request) is not { } request
                ? job with { State = ExportState.Failed, Reason = "What was asked for was altered in the database." }
                : await AdvanceAsync(connection, job, request, new Caller(account.Id, account.Role, account.Patient), cancellation);
        if (moved is null)
        {
            return false;
        }
        var now = Time.GetUtcNow();
        await ExportStore.MoveAsync(connection, moved.State == ExportState.Open ? moved : moved with { Ended = now }, now, cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>Goes through a batch of the first type that has one left; null while it is not known what the caller may read.</summary>
    async Task<ExportJob?> AdvanceAsync(NpgsqlConnection connection, ExportJob job, ExportRequest request, Caller caller, CancellationToken cancellation)
    {
        var last = await ExportStore.LastFileAsync(connection, job.Id, cancellation);
        foreach (var type in Left(request.Types?.Distinct().Order(StringComparer.Ordinal).ToArray() ?? AllTypes, job))
        {
            var after = type == job.Type ? job.After : "";
            var file = last is not null && last.Type == type && last.Records < options.RecordsPerFile ? last : new ExportFile((last?.Number ?? 0) + 1, type, after, after, 0, []);
            if (await records.OpenRangeAsync(caller, new ExportRange(request, job.Asked, type, after, null), options.RecordsPerFile - file.Records, cancellation) is not { } batch)
            {
                return null;
            }
            List<string> found = [.. batch.Records.Select(record => record.Id), .. batch.Altered];
            if (found.Count > 0)
            {
                await ExportStore.SaveFileAsync(connection, job.Id, file with
                {
                    UpTo = batch.Next ?? found.Max(StringComparer.Ordinal)!, Records = file.Records + batch.Records.Count, Altered = [.. file.Altered, .. batch.Altered],
                }, cancellation);
            }
            else if (batch.Next is null)
            {
                continue;
            }
            var through = job.Records + found.Count;
            return through > options.RecordsMax
                ? job with { State = ExportState.Failed, Reason = $"There are more than {options.RecordsMax} records. Ask for fewer types with _type, or for what is new with _since." }
                : job with { Type = type, After = batch.Next ?? Through, Records = through };
        }
        return job with { State = ExportState.Done };
    }

    /// <summary>The types that a job has not gone through.</summary>
    static IEnumerable<string> Left(string[] types, ExportJob job) =>
        types.Where(type => job.Type is not { } at || string.CompareOrdinal(type, at) > 0 || (type == at && job.After != Through));
}

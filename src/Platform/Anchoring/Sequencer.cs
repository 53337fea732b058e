using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Ledger.Merkle;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>
/// Gives pending leaves their place in the log. One node process sequences while it holds the lock; one that has lost the lock without
/// knowing it fails on the position that the other has taken, and begins again from what stands.
/// </summary>
public sealed partial class Sequencer(NpgsqlDataSource database, LogFiles files, NodeKeys keys, Failpoints faults, TimeProvider time, ILogger<Sequencer> logger)
    : BackgroundService
{
    const int LeavesPerHeadMax = 20_000;
    internal const long LockKey = 0x53616c75734c6f67; // "SalusLog"
    /// <summary>Leaves that come within it share a head: one costs a signature, two commits and a place on the chain, however few they are.</summary>
    static readonly TimeSpan GatherWait = TimeSpan.FromMilliseconds(50);

    static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan FaultWait = TimeSpan.FromSeconds(2);

    readonly SemaphoreSlim awake = new(0, 1);
    RightEdge edge = RightEdge.Empty;

    /// <summary>Tells the sequencer that there is work.</summary>
    public void Wake()
    {
        if (awake.CurrentCount == 0)
        {
            try
            {
                awake.Release();
            }
            catch (SemaphoreFullException)
            {
                // Woken by another already.
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunAsync(stoppingToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or IOException or InvalidOperationException)
            {
                LogFault(logger, fault);
                await Task.Delay(FaultWait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    async Task RunAsync(CancellationToken cancellation)
    {
        // Through indexes: what waits was often much more, or less, than when the database last counted it
        await using var connection = await database.OpenPlanningAsync(Planning.Once, cancellation);
        while (!(await connection.QueryAsync(cancellation, row => row.GetBoolean(0), "SELECT pg_try_advisory_lock($1)", LockKey))[0])
        {
            await Task.Delay(FaultWait, time, cancellation);
        }
        await CatchUpAsync(connection, cancellation);
        while (true)
        {
            if (await AppendAsync(connection, cancellation))
            {
                await Task.Delay(GatherWait, time, cancellation);
            }
            else
            {
                await awake.WaitAsync(IdleWait, cancellation);
            }
        }
    }

    /// <summary>Brings the files to the newest committed head: a kill may have come between the commit and the write.</summary>
    async Task CatchUpAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var head = await LogStore.HeadAsync(connection, cancellation);
        var size = head?.Size ?? 0;
        await GrowToAsync(connection, Math.Min(files.LeafCount, size), size, cancellation);
        if (head is not null && !edge.Root().AsSpan().SequenceEqual(head.Root))
        {
            // The files may have been damaged where they are long enough; the leaves decide.
            await GrowToAsync(connection, 0, size, cancellation);
        }
        if (head is not null && !edge.Root().AsSpan().SequenceEqual(head.Root))
        {
            throw new InvalidOperationException($"The log's leaves do not lead to its head of size {size}; nothing more is appended to it. Run: salus verify");
        }
        if (head is { Checkpoint: null })
        {
            await LogStore.SignHeadAsync(connection, size, keys.SignCheckpoint(size, head.Root), cancellation);
        }
    }

    async Task<bool> AppendAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        Growth growth;
        await using (var transaction = await connection.BeginTransactionAsync(cancellation))
        {
            var pending = await LogStore.TakePendingAsync(connection, LeavesPerHeadMax, cancellation);
            if (pending.Count == 0)
            {
                return false;
            }
            var hashes = new byte[pending.Count * MerkleHash.Size];
            for (var i = 0; i < pending.Count; i++)
            {
                MerkleHash.Leaf(pending[i].Envelope, hashes.AsSpan(i * MerkleHash.Size, MerkleHash.Size));
            }
            growth = edge.Append(hashes);
            await LogStore.PlaceAsync(connection, edge.Size, pending, cancellation);
            if (!await LogStore.AddHeadAsync(connection, edge.Size, growth.Edge.Size, growth.Edge.Root(), time.GetUtcNow(), cancellation))
            {
                throw new InvalidOperationException($"The log has grown beyond size {edge.Size} by another's hand; sequencing begins again from what stands.");
            }
            await transaction.CommitAsync(cancellation);
        }
        faults.Reach(Failpoint.SequencerCommitted);
        files.Write(growth.Added);
        edge = growth.Edge;
        faults.Reach(Failpoint.SequencerWritten);
        await LogStore.SignHeadAsync(connection, edge.Size, keys.SignCheckpoint(edge.Size, edge.Root()), cancellation);
        return true;
    }

    /// <summary>Goes on from the first <paramref name="from"/> leaves as the files have them, with the leaves of the database.</summary>
    async Task GrowToAsync(NpgsqlConnection connection, long from, long size, CancellationToken cancellation)
    {
        edge = await EdgeAsync(from, cancellation);
        while (edge.Size < size)
        {
            var leaves = await LogStore.LeafHashesAsync(connection, edge.Size, Math.Min(LeavesPerHeadMax, size - edge.Size), cancellation);
            if (leaves.Count == 0)
            {
                throw new InvalidOperationException($"The log has a head of size {size}, but its leaf {edge.Size} is missing. Run: salus verify");
            }
            var growth = edge.Append(leaves);
            files.Write(growth.Added);
            edge = growth.Edge;
        }
    }

    async Task<RightEdge> EdgeAsync(long size, CancellationToken cancellation)
    {
        var ids = RightEdge.PeakIds(size);
        var hashes = await files.ReadAsync([.. ids], cancellation);
        return new RightEdge(size, ids.Select(id => hashes[id]).ToList());
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Sequencing stopped and begins again")]
    static partial void LogFault(ILogger logger, Exception fault);
}

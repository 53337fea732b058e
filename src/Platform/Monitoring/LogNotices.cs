using Npgsql;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Monitoring;

/// <summary>What the log itself says was erased or lost: notices that stand in a leaf, or wait for their place, and bear the log's signature.</summary>
sealed class LogNotices
{
    readonly List<LeafRanges> erased = [];
    readonly Dictionary<long, LogGap> gaps = [];

    /// <summary>Reads and checks them all, in the caller's transaction.</summary>
    public static async Task<LogNotices> ReadAsync(NpgsqlConnection connection, string verifierKey, CancellationToken cancellation)
    {
        var notices = new LogNotices();
        var told = new List<LogNotice.Gap>();
        var rows = await connection.QueryAsync(cancellation, row => (Entry: SealedStore.Read(row), Envelope: row.GetFieldValue<byte[]>(12)),
            $"""
            SELECT {SealedStore.Columns}, coalesce(l.envelope, p.envelope) FROM entry e
            LEFT JOIN leaf l USING (type, id, version) LEFT JOIN leaf_pending p USING (type, id, version)
            WHERE e.type IN ('{LeafKind.Erasure}', '{LeafKind.Gap}') AND coalesce(l.envelope, p.envelope) IS NOT NULL
            """);
        foreach (var (entry, envelope) in rows)
        {
            if (!entry.Envelope(entry.HashAsStored()).Encode().AsSpan().SequenceEqual(envelope))
            {
                continue; // altered: named where the leaves are compared
            }
            switch (LogNotice.Read(entry.OpenBytes, verifierKey))
            {
                case LogNotice.Erasure erasure when entry.Kind == LeafKind.Erasure:
                    notices.erased.Add(erasure.Leaves);
                    break;
                case LogNotice.Gap gap when entry.Kind == LeafKind.Gap:
                    told.Add(gap);
                    break;
            }
        }
        foreach (var gap in await LogStore.GapsAsync(connection, cancellation))
        {
            if (told.Exists(notice => notice.Leaves.Ranges is [var range] && range == (gap.From, gap.To - 1)) && gap.Hashes().Count() == gap.To - gap.From)
            {
                notices.gaps[gap.From] = gap;
            }
        }
        return notices;
    }

    /// <summary>Whether an authorised notice names the position as erased.</summary>
    public bool IsErased(long position) => erased.Exists(ranges => ranges.Contains(position));

    /// <summary>The gap that begins at a position.</summary>
    public LogGap? GapFrom(long position) => gaps.GetValueOrDefault(position);
}

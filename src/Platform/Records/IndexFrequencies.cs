using System.Collections.Frozen;
using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Records;

/// <summary>How the matches of a page are found.</summary>
abstract record IndexWay
{
    /// <summary>The records are gone through in their order until the page is full.</summary>
    public sealed record Walked : IndexWay;

    /// <summary>What its hashes let through is looked up, held to the rest of the condition and sorted.</summary>
    public sealed record ByHashes(IndexPlan Hashes, IndexPlan Rest) : IndexWay;

    /// <summary>What matches is looked up as the database thinks best, and sorted.</summary>
    public sealed record LookedUp : IndexWay;
}

/// <summary>
/// What the database's own statistics tell of the index: which hashes are in many rows, and how many patients there are. By that a search either goes
/// through records in their order until a page is full, or looks up what matches and sorts it.
/// </summary>
sealed class IndexFrequencies(TimeProvider time)
{
    /// <summary>Rows gone through for a page at most, as far as can be told beforehand; looking up that many costs about the same.</summary>
    const double WalkedMax = 5_000;

    static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    /// <summary>How soon to ask again of a database that has told of no frequencies yet.</summary>
    static readonly TimeSpan FreshUntold = TimeSpan.FromSeconds(5);

    volatile Held? held;

    sealed record Held(long At, FrozenDictionary<Guid, float> Common, double Patients);

    /// <summary>How a page is found soonest.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="reach">What may be seen.</param>
    /// <param name="plan">The condition.</param>
    /// <param name="order">The order.</param>
    /// <param name="countMax">Matches wanted.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async ValueTask<IndexWay> WayAsync(NpgsqlConnection connection, IndexReach reach, IndexPlan plan, IndexOrder order, int countMax, CancellationToken cancellation)
    {
        if (plan is IndexPlan.Everything && reach.SeesNobodys)
        {
            return new IndexWay.Walked();
        }
        var known = held is { } last && time.GetElapsedTime(last.At) < (last.Common.Count == 0 ? FreshUntold : Fresh) ? last : await ReadAsync(connection, cancellation);
        var seen = reach.SeesNobodys ? 1 : Math.Min(1, reach.Patients.Length / Math.Max(1, known.Patients));
        if (countMax <= WalkedMax * seen * PartOf(plan, known.Common, order))
        {
            return new IndexWay.Walked();
        }
        var isHashed = (plan is IndexPlan.And and ? and.Plans : [plan]).ToLookup(each => each is IndexPlan.AnyHash or IndexPlan.AllHashes);
        // Where hashes tell less apart than patients do, the database decides
        return isHashed[true].Any() && isHashed[true].Min(each => MostOf(each, known.Common)) <= seen
            ? new IndexWay.ByHashes(new IndexPlan.And([.. isHashed[true]]), new IndexPlan.And([.. isHashed[false]]))
            : new IndexWay.LookedUp();
    }

    /// <summary>The part of the rows for which a condition on hashes holds at most, as far as is known; 0 for few.</summary>
    static double MostOf(IndexPlan plan, FrozenDictionary<Guid, float> common) => plan switch
    {
        IndexPlan.AnyHash any => any.Hashes.Sum(hash => common.GetValueOrDefault(hash)),
        IndexPlan.AllHashes all => all.Hashes.Min(hash => common.GetValueOrDefault(hash)),
        _ => 1,
    };

    /// <summary>The part of the rows for which a condition holds at least, as far as is known; 0 where it may be next to none.</summary>
    static double PartOf(IndexPlan plan, FrozenDictionary<Guid, float> common, IndexOrder order) => plan switch
    {
        IndexPlan.Everything or IndexPlan.OfKey => 1,
        IndexPlan.AnyHash any => any.Hashes.Select(hash => common.GetValueOrDefault(hash)).DefaultIfEmpty().Max(),
        IndexPlan.Not { Plan: IndexPlan.AnyHash any } => Math.Max(0, 1 - any.Hashes.Sum(hash => common.GetValueOrDefault(hash))),
        IndexPlan.Written when order.ByTime => 1,
        IndexPlan.And and => and.Plans.Aggregate(1.0, (part, each) => part * PartOf(each, common, order)),
        IndexPlan.Or { Plans.Count: > 0 } or => or.Plans.Max(each => PartOf(each, common, order)),
        _ => 0,
    };

    async Task<Held> ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("SELECT most_common_elems::text::uuid[], most_common_elem_freqs FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'search_value' AND attname = 'hashes'");
        batch.Add("SELECT greatest(reltuples, 0)::float8 FROM pg_class WHERE oid = 'patient'::regclass");
        await using var rows = await batch.ExecuteReaderAsync(cancellation);
        var hashes = await rows.ReadAllAsync(row => (Hashes: row.Nullable<Guid[]>(0) ?? [], Parts: row.Nullable<float[]>(1) ?? []), cancellation);
        await rows.NextResultAsync(cancellation);
        var patients = await rows.ReadAllAsync(row => row.GetDouble(0), cancellation);
        // After the frequencies of the elements come the least and the greatest of them
        var common = hashes.SelectMany(row => row.Hashes.Zip(row.Parts)).ToFrozenDictionary(pair => pair.First, pair => pair.Second);
        return held = new Held(time.GetTimestamp(), common, patients[0]);
    }
}

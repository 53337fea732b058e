using System.Collections.Frozen;
using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Records;

/// <summary>How the matches of a page are found.</summary>
abstract record IndexWay
{
    /// <summary>Whether the page is found soon, as far as can be told.</summary>
    public bool IsShort { get; init; }

    /// <summary>The records are gone through in their order until the page is full.</summary>
    public sealed record Walked : IndexWay;

    /// <summary>What its hashes let through is looked up, held to the rest of the condition and sorted.</summary>
    public sealed record ByHashes(IndexPlan Hashes, IndexPlan Rest) : IndexWay;

    /// <summary>What is named by its id is looked up, held to the rest of the condition and sorted.</summary>
    public sealed record ByIds : IndexWay;

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

    /// <summary>Rows, or ids, that are gone through soon.</summary>
    const int ShortMax = 500;

    /// <summary>The part of the rows from which on a hash costs more to be looked up than it tells, beside others that must be there too.</summary>
    const float TellsLittle = 0.05f;

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
    public async ValueTask<IndexWay> WayAsync(LazyConnection connection, IndexReach reach, IndexPlan plan, IndexOrder order, int countMax, CancellationToken cancellation)
    {
        if (plan is IndexPlan.Everything && reach.SeesNobodys)
        {
            return new IndexWay.Walked { IsShort = countMax <= ShortMax };
        }
        var plans = plan is IndexPlan.And and ? and.Plans : [plan];
        if (plans.OfType<IndexPlan.Ids>().FirstOrDefault(ids => ids.Values.Length <= ShortMax) is not null)
        {
            return new IndexWay.ByIds { IsShort = true };
        }
        var known = await KnownAsync(connection, cancellation);
        var seen = reach.SeesNobodys ? 1 : Math.Min(1, reach.Patients.Length / Math.Max(1, known.Patients));
        var part = seen * PartOf(plan, known.Common, order);
        if (countMax <= WalkedMax * part)
        {
            return new IndexWay.Walked { IsShort = countMax <= ShortMax * part };
        }
        var hashes = plans.OfType<IndexPlan.AnyHash>().ToList();
        var most = hashes.Select(each => MostOf(each, known.Common)).DefaultIfEmpty(double.PositiveInfinity).Min();
        // Where hashes tell less apart than patients do, the database decides
        return most <= seen
            ? new IndexWay.ByHashes(new IndexPlan.And(hashes), new IndexPlan.And([.. plans.Except(hashes)])) { IsShort = most == 0 && hashes.Sum(each => each.Hashes.Length) <= ShortMax }
            : new IndexWay.LookedUp();
    }

    /// <summary>
    /// The condition without those of several hashes that most records have: to go through the places of each in the index takes longer the more records
    /// there are. It holds for what the condition holds for, and for more.
    /// </summary>
    public async ValueTask<IndexPlan> LoosenAsync(LazyConnection connection, IndexPlan plan, CancellationToken cancellation) =>
        Loosen(plan, (await KnownAsync(connection, cancellation)).Common);

    static IndexPlan Loosen(IndexPlan plan, FrozenDictionary<Guid, float> common) => plan switch
    {
        IndexPlan.AllHashes all when all.Hashes.Where(hash => common.GetValueOrDefault(hash) < TellsLittle).ToArray() is { Length: > 0 } telling
            && telling.Length < all.Hashes.Length => new IndexPlan.AllHashes(telling),
        IndexPlan.And and => and with { Plans = [.. and.Plans.Select(each => Loosen(each, common))] },
        IndexPlan.Or or => or with { Plans = [.. or.Plans.Select(each => Loosen(each, common))] },
        _ => plan,
    };

    /// <summary>The part of the rows for which a condition on hashes holds at most, as far as is known; 0 for few.</summary>
    static double MostOf(IndexPlan.AnyHash plan, FrozenDictionary<Guid, float> common) => plan.Hashes.Sum(hash => common.GetValueOrDefault(hash));

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

    async ValueTask<Held> KnownAsync(LazyConnection connection, CancellationToken cancellation) =>
        held is { } last && time.GetElapsedTime(last.At) < (last.Common.Count == 0 ? FreshUntold : Fresh) ? last : await ReadAsync(connection, cancellation);

    async Task<Held> ReadAsync(LazyConnection connection, CancellationToken cancellation)
    {
        var isOwn = !connection.IsOpen;
        var known = await ReadAsync(await connection.OpenAsync(cancellation), cancellation);
        if (isOwn)
        {
            // What follows may be asked in messages that are shared
            await connection.CloseAsync();
        }
        return held = known;
    }

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
        return new Held(time.GetTimestamp(), common, patients[0]);
    }
}

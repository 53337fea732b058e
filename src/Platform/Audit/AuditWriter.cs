using Npgsql;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Audit;

/// <summary>A fact on its way into the trail.</summary>
/// <param name="Entry">What is sealed.</param>
/// <param name="Aliases">The patients of a deed about several.</param>
sealed record SealedFact(NewEntry Entry, IReadOnlyList<string> Aliases);

/// <summary>
/// Writes facts that stand alone: those that come while others are being written go together, in one transaction. Whoever has a fact to write waits for
/// it, so there are never more of them than requests.
/// </summary>
sealed class AuditWriter(NpgsqlDataSource database)
{
    // One message, which is a transaction of its own
    const int TogetherMax = SealedStore.StreamedMin - 1;

    readonly Lock gate = new();
    readonly Queue<Waiting> queue = [];
    bool isWriting;

    sealed record Waiting(SealedFact Fact)
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Writes a fact; durable on return. One that is not waited for any longer is written all the same.</summary>
    public Task WriteAsync(SealedFact fact, CancellationToken cancellation)
    {
        var own = new Waiting(fact);
        bool isFirst;
        lock (gate)
        {
            queue.Enqueue(own);
            (isFirst, isWriting) = (!isWriting, true);
        }
        if (isFirst)
        {
            _ = Task.Run(WriteAllAsync, CancellationToken.None);
        }
        return own.Written.Task.WaitAsync(cancellation);
    }

    /// <summary>Adds the rows of facts to a batch.</summary>
    public static async Task AppendAsync(NpgsqlBatch batch, IReadOnlyList<SealedFact> facts, CancellationToken cancellation)
    {
        await SealedStore.AppendAsync(batch, [.. facts.Select(fact => fact.Entry)], cancellation);
        var about = facts.SelectMany(fact => fact.Aliases.Select(alias => (Alias: alias, fact.Entry.Written, fact.Entry.Id))).ToList();
        if (about.Count > 0)
        {
            batch.Add("INSERT INTO audit_about (alias, written, id) SELECT * FROM unnest($1, $2, $3)",
                about.Select(row => row.Alias).ToArray(), about.Select(row => row.Written).ToArray(), about.Select(row => row.Id).ToArray());
        }
    }

    async Task WriteAllAsync()
    {
        while (Take() is { Count: > 0 } together)
        {
            try
            {
                await WriteTogetherAsync([.. together.Select(waiting => waiting.Fact)]);
                together.ForEach(waiting => waiting.Written.SetResult());
            }
            catch (Exception fault)
            {
                together.ForEach(waiting => waiting.Written.SetException(fault));
            }
        }
    }

    List<Waiting> Take()
    {
        lock (gate)
        {
            List<Waiting> taken = [];
            while (taken.Count < TogetherMax && queue.TryDequeue(out var waiting))
            {
                taken.Add(waiting);
            }
            isWriting = taken.Count > 0;
            return taken;
        }
    }

    async Task WriteTogetherAsync(IReadOnlyList<SealedFact> facts)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        await AppendAsync(batch, facts, CancellationToken.None);
        await batch.RunAsync(CancellationToken.None);
    }
}

using Npgsql;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Audit;

/// <summary>A fact on its way into the trail.</summary>
/// <param name="Row">The fact, sealed.</param>
/// <param name="Aliases">The patients of a deed about several.</param>
sealed record SealedFact(SealedRow Row, IReadOnlyList<string> Aliases);

/// <summary>Writes facts that stand alone: those that come while others are being written go together, in one transaction.</summary>
sealed class AuditWriter(NodeMessages messages)
{
    const int TogetherMax = SealedStore.StreamedMin - 1;

    readonly Gathering<SealedFact, bool> gathering = new(messages.Writes, WriteTogether, TogetherMax);

    /// <summary>Writes a fact; durable on return. One that is not waited for any longer is written all the same.</summary>
    public Task WriteAsync(SealedFact fact, CancellationToken cancellation) => gathering.AskAsync(fact, cancellation);

    /// <summary>Adds the rows of facts to a batch.</summary>
    public static void Append(NpgsqlBatch batch, IReadOnlyList<SealedFact> facts)
    {
        SealedStore.Append(batch, [.. facts.Select(fact => fact.Row)]);
        var about = facts.SelectMany(fact => fact.Aliases.Select(alias => (Alias: alias, fact.Row.Entry.Written, fact.Row.Entry.Id))).ToList();
        if (about.Count > 0)
        {
            batch.Add("INSERT INTO audit_about (alias, written, id) SELECT * FROM unnest($1, $2, $3)",
                about.Select(row => row.Alias).ToArray(), about.Select(row => row.Written).ToArray(), about.Select(row => row.Id).ToArray());
        }
    }

    static AnswerReader<bool> WriteTogether(NpgsqlBatch message, IReadOnlyList<SealedFact> facts)
    {
        Append(message, facts);
        return _ => Task.FromResult<IReadOnlyList<bool>>([.. facts.Select(_ => true)]);
    }
}

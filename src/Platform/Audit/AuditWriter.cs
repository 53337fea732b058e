using Npgsql;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Audit;

/// <summary>A fact on its way into the trail.</summary>
/// <param name="Row">The fact, sealed.</param>
/// <param name="Aliases">The patients of a deed about several.</param>
sealed record SealedFact(SealedRow Row, IReadOnlyList<string> Aliases);

/// <summary>Writes facts that stand alone: those that come while others are being written go together, in one transaction.</summary>
sealed class AuditWriter(NpgsqlDataSource database)
{
    // One message, which is a transaction of its own
    const int TogetherMax = SealedStore.StreamedMin - 1;

    readonly Gathering<SealedFact, bool> gathering = new(facts => WriteTogetherAsync(database, facts), TogetherMax);

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

    static async Task<IReadOnlyList<bool>> WriteTogetherAsync(NpgsqlDataSource database, IReadOnlyList<SealedFact> facts)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        Append(batch, facts);
        await batch.RunAsync(CancellationToken.None);
        return [.. facts.Select(_ => true)];
    }
}

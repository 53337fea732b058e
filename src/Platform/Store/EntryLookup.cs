using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Store;

/// <summary>Finds versions by what they are called, for many who ask in one message.</summary>
sealed class EntryLookup
{
    const int AskedTogetherMax = 100;

    readonly Gathering<Question, SealedEntry?> asked;

    public EntryLookup(NodeMessages messages) => asked = new Gathering<Question, SealedEntry?>(messages.Questions, Ask, AskedTogetherMax);

    sealed record Question(string Type, string Id, int? Version);

    /// <summary>One version, or the newest when none is named.</summary>
    /// <param name="type">The resource type.</param>
    /// <param name="id">The logical id.</param>
    /// <param name="version">Which version; null for the newest.</param>
    /// <param name="lent">The connection that the caller holds: who holds one must not wait for another.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public Task<SealedEntry?> FindAsync(string type, string id, int? version, NpgsqlConnection? lent, CancellationToken cancellation) =>
        lent is null ? asked.AskAsync(new Question(type, id, version), cancellation) : SealedStore.FindAsync(lent, type, id, version, cancellation);

    static AnswerReader<SealedEntry?> Ask(NpgsqlBatch message, IReadOnlyList<Question> questions)
    {
        message.Add(
            $"""
            SELECT asked.question, {SealedStore.Columns} FROM unnest($1, $2, $3, $4) asked (question, type, id, version)
            CROSS JOIN LATERAL (SELECT * FROM entry WHERE entry.type = asked.type AND entry.id = asked.id AND entry.version <= asked.version ORDER BY version DESC LIMIT 1) e
            WHERE asked.version IN ({int.MaxValue}, e.version)
            """,
            Enumerable.Range(0, questions.Count).ToArray(), questions.Select(question => question.Type).ToArray(), questions.Select(question => question.Id).ToArray(),
            questions.Select(question => question.Version ?? int.MaxValue).ToArray());
        return async rows =>
        {
            var found = new SealedEntry?[questions.Count];
            foreach (var (question, entry) in await rows.ReadAllAsync(row => (row.GetInt32(0), SealedStore.Read(row, 1)), CancellationToken.None))
            {
                found[question] = entry;
            }
            await rows.NextResultAsync();
            return found;
        };
    }
}

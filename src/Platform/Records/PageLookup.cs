using Npgsql;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

/// <summary>A page of a search as a statement.</summary>
/// <param name="Sql">The statement.</param>
/// <param name="Values">Its parameters' values.</param>
/// <param name="Planning">How it is planned.</param>
sealed record PageQuestion(string Sql, object?[] Values, Planning Planning)
{
    /// <summary>Asks it alone.</summary>
    public Task<List<(IndexMatch Match, SealedEntry? Entry)>> AskAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        connection.QueryAsync(cancellation, Planning, Read, Sql, Values);

    /// <summary>A match, with its newest version; null for what is there no more.</summary>
    public static (IndexMatch Match, SealedEntry? Entry) Read(NpgsqlDataReader row) =>
        (new IndexMatch(row.GetString(0), row.GetFieldValue<DateTimeOffset>(1)), row.IsDBNull(2) ? null : SealedStore.Read(row, 2));
}

/// <summary>Asks for pages that are found soon, those of many requests in one message; what may take long would be waited for by all in it.</summary>
sealed class PageLookup(NodeMessages messages)
{
    const int AskedTogetherMax = 20;

    readonly Gathering<PageQuestion, List<(IndexMatch Match, SealedEntry? Entry)>> walks = new(messages.Walks, Ask, AskedTogetherMax);
    readonly Gathering<PageQuestion, List<(IndexMatch Match, SealedEntry? Entry)>> lookups = new(messages.Lookups, Ask, AskedTogetherMax);

    /// <summary>The matches of a page.</summary>
    /// <param name="question">The page.</param>
    /// <param name="isShort">Whether it is found soon.</param>
    /// <param name="connection">Where it is asked alone: who holds a connection must not wait for another.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<List<(IndexMatch Match, SealedEntry? Entry)>> FindAsync(PageQuestion question, bool isShort, LazyConnection connection, CancellationToken cancellation) =>
        (isShort && !connection.IsOpen, question.Planning) switch
        {
            (true, Planning.OnceInOrder) => await walks.AskAsync(question, cancellation),
            (true, Planning.OnceByCondition) => await lookups.AskAsync(question, cancellation),
            _ => await question.AskAsync(await connection.OpenAsync(cancellation), cancellation),
        };

    static AnswerReader<List<(IndexMatch Match, SealedEntry? Entry)>> Ask(NpgsqlBatch message, IReadOnlyList<PageQuestion> questions)
    {
        foreach (var question in questions)
        {
            message.Add(question.Sql, question.Values);
        }
        return async rows =>
        {
            var pages = new List<(IndexMatch Match, SealedEntry? Entry)>[questions.Count];
            for (var i = 0; i < pages.Length; i++)
            {
                pages[i] = await rows.ReadAllAsync(PageQuestion.Read, CancellationToken.None);
                await rows.NextResultAsync();
            }
            return pages;
        };
    }
}

using System.Text.Json;
using Npgsql;
using Salus.Platform.Identity;
using Salus.Platform.Schema;

namespace Salus.Platform.DecisionSupport;

/// <summary>What came of a card: how often, and why it was not followed.</summary>
/// <param name="Outcome">What was done.</param>
/// <param name="Reason">The code of the reason; null where none was given.</param>
/// <param name="Count">Cards.</param>
public sealed record CdsFeedbackCount(CdsOutcome Outcome, string? Reason, int Count);

/// <summary>What became of a card.</summary>
public enum CdsOutcome : short
{
    /// <summary>It was taken as it was meant.</summary>
    Accepted = 1,

    /// <summary>It was set aside.</summary>
    Overridden = 2,
}

/// <summary>One card's feedback.</summary>
sealed record CdsFeedback(Guid Asker, Guid Card, string Model, CdsOutcome Outcome, string? Reason, DateTimeOffset Given);

/// <summary>The SQL of other systems, their tokens and their feedback. A row whose binding does not hold lets nobody in and counts for nothing.</summary>
sealed class CdsStore(RowBinding binding)
{
    const string ClientTable = "cds_client";
    const string FeedbackTable = "cds_feedback";
    const int FeedbackMax = 10_000;
    const string ClientColumns = "id, name, issuer, keys, origins, registered, registered_by, withdrawn, withdrawn_by, binding";

    public async Task<IReadOnlyList<CdsClient>> ListAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        Intact(await connection.QueryAsync(cancellation, Read, $"SELECT {ClientColumns} FROM cds_client ORDER BY registered DESC, id LIMIT 1000"));

    /// <summary>The systems that were registered under that issuer, the one that counts first.</summary>
    public async Task<IReadOnlyList<CdsClient>> OfIssuerAsync(NpgsqlConnection connection, string issuer, CancellationToken cancellation) =>
        Intact(await connection.QueryAsync(cancellation, Read,
            $"SELECT {ClientColumns} FROM cds_client WHERE issuer = $1 ORDER BY withdrawn DESC NULLS FIRST LIMIT 10", issuer));

    public Task<int> AddAsync(NpgsqlConnection connection, CdsClient client, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, $"INSERT INTO cds_client ({ClientColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, NULL, $8) ON CONFLICT DO NOTHING",
            client.Id, client.Name, client.Issuer, Keys(client), Origins(client), client.Registered, client.RegisteredBy, BindingOf(client));

    public Task<int> WithdrawAsync(NpgsqlConnection connection, CdsClient client, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE cds_client SET withdrawn = $2, withdrawn_by = $3, binding = $4 WHERE id = $1 AND withdrawn IS NULL",
            client.Id, client.Withdrawn, client.WithdrawnBy, BindingOf(client));

    /// <summary>Takes a token's name; false where it was taken before.</summary>
    public static async Task<bool> TakeAsync(NpgsqlConnection connection, byte[] hash, DateTimeOffset now, DateTimeOffset expires, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "DELETE FROM cds_token WHERE expires < $1", now);
        return await connection.ExecuteAsync(cancellation, "INSERT INTO cds_token (hash, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING", hash, expires) == 1;
    }

    /// <summary>Keeps what came of a card; what was said of it before no longer counts.</summary>
    public Task<int> KeepAsync(NpgsqlConnection connection, CdsFeedback feedback, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            """
            INSERT INTO cds_feedback (asker, card, model, outcome, reason, given, binding) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (asker, card) DO UPDATE SET model = $3, outcome = $4, reason = $5, given = $6, binding = $7
            """,
            feedback.Asker, feedback.Card, feedback.Model, (short)feedback.Outcome, feedback.Reason, feedback.Given, BindingOf(feedback));

    /// <summary>What came of a model's newest cards, the most frequent first.</summary>
    public async Task<IReadOnlyList<CdsFeedbackCount>> CountAsync(NpgsqlConnection connection, string model, CancellationToken cancellation)
    {
        var rows = await connection.QueryAsync(cancellation, row => (
            Feedback: new CdsFeedback(row.GetGuid(0), row.GetGuid(1), row.GetString(2), (CdsOutcome)row.GetInt16(3), row.Nullable<string>(4), row.GetFieldValue<DateTimeOffset>(5)),
            Binding: row.GetFieldValue<byte[]>(6)),
            "SELECT asker, card, model, outcome, reason, given, binding FROM cds_feedback WHERE model = $1 ORDER BY given DESC LIMIT $2", model, FeedbackMax);
        return
        [
            .. rows.Where(row => binding.Holds(row.Binding, FeedbackTable, Columns(row.Feedback))).GroupBy(row => (row.Feedback.Outcome, row.Feedback.Reason))
                .Select(group => new CdsFeedbackCount(group.Key.Outcome, group.Key.Reason, group.Count())).OrderBy(count => count.Outcome).ThenByDescending(count => count.Count),
        ];
    }

    List<CdsClient> Intact(List<(CdsClient Client, byte[] Binding)> rows) => [.. rows.Where(row => binding.Holds(row.Binding, ClientTable, Columns(row.Client))).Select(row => row.Client)];

    byte[] BindingOf(CdsClient client) => binding.Of(ClientTable, Columns(client));

    byte[] BindingOf(CdsFeedback feedback) => binding.Of(FeedbackTable, Columns(feedback));

    static object?[] Columns(CdsClient client) =>
        [client.Id, client.Name, client.Issuer, Keys(client), Origins(client), client.Registered, client.RegisteredBy, client.Withdrawn, client.WithdrawnBy];

    static object?[] Columns(CdsFeedback feedback) => [feedback.Asker, feedback.Card, feedback.Model, (int)feedback.Outcome, feedback.Reason, feedback.Given];

    static string Keys(CdsClient client) => JsonSerializer.Serialize(client.Keys);

    static string Origins(CdsClient client) => string.Join(' ', client.Origins);

    static (CdsClient Client, byte[] Binding) Read(NpgsqlDataReader row) => (
        new CdsClient(
            row.GetGuid(0), row.GetString(1), row.GetString(2), JsonSerializer.Deserialize<CdsKey[]>(row.GetString(3))!,
            row.GetString(4).Split(' ', StringSplitOptions.RemoveEmptyEntries), row.GetFieldValue<DateTimeOffset>(5), row.GetGuid(6),
            row.NullableValue<DateTimeOffset>(7), row.NullableValue<Guid>(8)),
        row.GetFieldValue<byte[]>(9));
}

using Npgsql;
using Salus.Platform.Consent.Emergencies;
using Salus.Platform.Identity;
using Salus.Platform.Schema;

namespace Salus.Platform.Consent;

/// <summary>What may let a caller read: the consents in force, newest first, and the records that a practitioner has open in an emergency.</summary>
sealed record Rights(IReadOnlyList<ConsentRow> Held, IReadOnlyList<EmergencyRow> Open);

/// <summary>The question for a caller's rights.</summary>
/// <param name="Account">Who wants to read.</param>
/// <param name="IsStaff">Whether what is given to the whole hospital counts.</param>
/// <param name="MayOpen">Whether emergencies count.</param>
/// <param name="Patient">Whose record; null for all.</param>
sealed record RightsQuestion(Guid Account, bool IsStaff, bool MayOpen, string? Patient)
{
    /// <summary>The question of a caller.</summary>
    public static RightsQuestion Of(Caller caller, string? patient) =>
        new(caller.Account, caller.Role is Role.Practitioner or Role.Laboratory or Role.Pharmacy, caller.Role == Role.Practitioner, patient);

    /// <summary>Whom the consents may name.</summary>
    public string[] Grantees => IsStaff ? [Account.ToString(), ConsentTerms.ThisHospital] : [Account.ToString()];
}

/// <summary>Asks for what may let callers read, for many of them in one message.</summary>
sealed class RightsInForce
{
    const int AskedTogetherMax = 100;
    const int ConsentsMax = 10_000;
    const int EmergenciesMax = 100;
    const string Held = $"SELECT {ConsentStore.Columns} FROM consent WHERE grantee = asked.grantee AND granted_block IS NOT NULL AND revoked IS NULL";
    const string Open = $"SELECT {EmergencyStore.Columns} FROM emergency WHERE account = asked.account AND closed IS NULL";

    readonly TimeProvider time;
    readonly Gathering<RightsQuestion, Rights> asked;

    public RightsInForce(NodeMessages messages, TimeProvider time)
    {
        this.time = time;
        asked = new Gathering<RightsQuestion, Rights>(messages.Questions, AskDistinct, AskedTogetherMax);
    }

    /// <summary>A caller's rights now.</summary>
    /// <param name="question">Whose, and to whose record.</param>
    /// <param name="lent">The connection that the caller holds: who holds one must not wait for another.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<Rights> FindAsync(RightsQuestion question, NpgsqlConnection? lent, CancellationToken cancellation) =>
        lent is null ? await asked.AskAsync(question, cancellation) : await FindOnAsync(lent, question, cancellation);

    async Task<Rights> FindOnAsync(NpgsqlConnection lent, RightsQuestion question, CancellationToken cancellation)
    {
        await using var message = new NpgsqlBatch(lent);
        var read = Ask(message, [question]);
        await using var rows = await message.ExecuteReaderAsync(cancellation);
        return (await read(rows))[0];
    }

    /// <summary>One caller asks the same in many requests.</summary>
    AnswerReader<Rights> AskDistinct(NpgsqlBatch message, IReadOnlyList<RightsQuestion> questions)
    {
        List<RightsQuestion> distinct = [.. questions.Distinct()];
        var read = Ask(message, distinct);
        return async rows =>
        {
            var found = distinct.Zip(await read(rows)).ToDictionary(pair => pair.First, pair => pair.Second);
            return [.. questions.Select(question => found[question])];
        };
    }

    AnswerReader<Rights> Ask(NpgsqlBatch message, List<RightsQuestion> questions)
    {
        var now = time.GetUtcNow();
        List<bool> areConsents = [];
        foreach (var (ofOne, asking) in questions.Index().GroupBy(question => question.Item.Patient is not null).Select(group => (group.Key, group.ToList())))
        {
            var grantees = asking.SelectMany(question => question.Item.Grantees.Select(grantee => (Grantee: grantee, question.Index, question.Item.Patient))).ToList();
            Add(message, "grantee", Held, "requested", ConsentsMax, ofOne, [.. grantees.Select(row => row.Grantee)], [.. grantees.Select(row => row.Index)], [.. grantees.Select(row => row.Patient)], now);
            areConsents.Add(true);
            if (asking.Where(question => question.Item.MayOpen).ToList() is { Count: > 0 } opening)
            {
                Add(message, "account", Open, "opened", EmergenciesMax, ofOne,
                    opening.Select(question => question.Item.Account).ToArray(), [.. opening.Select(question => question.Index)], [.. opening.Select(question => question.Item.Patient)], now);
                areConsents.Add(false);
            }
        }
        return rows => ReadAsync(rows, questions.Count, areConsents);
    }

    static async Task<IReadOnlyList<Rights>> ReadAsync(NpgsqlDataReader rows, int count, List<bool> areConsents)
    {
        List<List<ConsentRow>> held = [.. Enumerable.Range(0, count).Select(_ => new List<ConsentRow>())];
        List<List<EmergencyRow>> open = [.. Enumerable.Range(0, count).Select(_ => new List<EmergencyRow>())];
        foreach (var isConsent in areConsents)
        {
            while (await rows.ReadAsync())
            {
                var question = rows.GetInt32(0);
                if (isConsent)
                {
                    held[question].Add(ConsentStore.Read(rows, 1));
                }
                else
                {
                    open[question].Add(EmergencyStore.Read(rows, 1));
                }
            }
            await rows.NextResultAsync();
        }
        return [.. held.Zip(open, (consents, emergencies) => new Rights([.. consents.OrderByDescending(row => row.Requested).Take(ConsentsMax)], emergencies))];
    }

    static void Add<T>(NpgsqlBatch batch, string by, string select, string newest, int countMax, bool ofOne, T[] keys, int[] questions, string?[] patients, DateTimeOffset now)
    {
        var (names, condition) = ofOne ? ("question, patient", " AND patient = asked.patient") : ("question", "");
        var sql = $"""
            SELECT asked.question, found.* FROM unnest($1, $2{(ofOne ? ", $4" : "")}) asked ({by}, {names})
            CROSS JOIN LATERAL ({select}{condition} AND not_after >= $3 ORDER BY {newest} DESC LIMIT {countMax}) found
            """;
        if (ofOne)
        {
            batch.Add(sql, keys, questions, now, patients);
        }
        else
        {
            batch.Add(sql, keys, questions, now);
        }
    }
}

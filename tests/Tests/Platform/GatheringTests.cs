using System.Diagnostics.CodeAnalysis;
using Npgsql;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Schema;

namespace Salus.Tests.Platform;

public sealed class GatheringTests : IAsyncLifetime
{
    const int Lock = 7_919;

    readonly List<(NpgsqlBatch Message, string Kind, int Count)> asked = [];
    NpgsqlDataSource database = null!;
    SharedMessages messages = null!;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = NodeDatabase.Open(await TestDatabase.NewAsync());
        messages = new SharedMessages(database, Planning.Once);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task What_comes_while_others_are_answered_goes_together_and_each_gets_its_own_answer()
    {
        var tens = Multiplying(10, 7);
        await using var gate = await CloseAsync();
        var answers = Enumerable.Range(0, 200).Select(i => tens.AskAsync(i, Cancellation)).ToList();
        await gate.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => i * 10), await Task.WhenAll(answers));
        Assert.Equal(200, asked.Sum(part => part.Count));
        Assert.Equal(7, asked.Max(part => part.Count));
        Assert.InRange(asked.Count, 29, 29 + (7 * Environment.ProcessorCount));
        Assert.Equal(70, await tens.AskAsync(7, Cancellation));
    }

    [Fact]
    public async Task Questions_of_several_kinds_share_a_message_and_each_kind_reads_its_own_answers()
    {
        var (tens, hundreds) = (Multiplying(10, 1000), Multiplying(100, 1000));
        await using var gate = await CloseAsync();
        var first = await OccupyAsync(tens);
        var answers = Enumerable.Range(0, 60).Select(i => (i % 3 == 0 ? tens : hundreds).AskAsync(i, Cancellation)).ToList();
        await gate.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, 60).Select(i => i * (i % 3 == 0 ? 10 : 100)), await Task.WhenAll(answers));
        Assert.Equal(Enumerable.Range(0, first.Count).Select(i => i * 10), await Task.WhenAll(first));
        Assert.Contains(asked.GroupBy(part => part.Message, (_, parts) => parts.Select(part => part.Kind).Order()), kinds => kinds.SequenceEqual(["x 10", "x 100"]));
    }

    [Fact]
    public async Task A_fault_reaches_all_that_were_asked_with_it_and_nobody_else()
    {
        var broken = new Gathering<int, int>(messages, (message, asks) =>
        {
            message.Add("SELECT 1");
            return _ => throw new InvalidOperationException("lost");
        }, 1000);
        var tens = Multiplying(10, 1000);
        await using var gate = await CloseAsync();
        var first = await OccupyAsync(tens);
        var together = new[] { broken.AskAsync(1, Cancellation), tens.AskAsync(2, Cancellation), broken.AskAsync(3, Cancellation) };
        await gate.DisposeAsync();
        foreach (var failing in together)
        {
            Assert.Equal("lost", (await Assert.ThrowsAsync<InvalidOperationException>(() => failing)).Message);
        }
        Assert.Equal(Enumerable.Range(0, first.Count).Select(i => i * 10), await Task.WhenAll(first));
        Assert.Equal(50, await tens.AskAsync(5, Cancellation));
    }

    [Theory]
    [InlineData(13, true)]
    [InlineData(17, false)]
    public async Task A_question_that_cannot_be_asked_or_is_refused_fails_alone(int bad, bool isRefused)
    {
        var halves = new Gathering<int, int>(messages, (message, asks) =>
        {
            Note(message, "by", asks.Count);
            if (asks.Contains(17))
            {
                throw new ArgumentException("no such number");
            }
            message.Add($"SELECT pg_advisory_xact_lock_shared({Lock}), x / (x - 13) * 0 + x FROM unnest($1) x", (object)asks.ToArray());
            return rows => NumbersAsync(rows, 1);
        }, 1000);
        var hundreds = Multiplying(100, 1000);
        await using var gate = await CloseAsync();
        var numbers = Enumerable.Range(0, 60).Where(i => i == bad || i is not (13 or 17)).ToList();
        var answers = numbers.ToDictionary(i => i, i => halves.AskAsync(i, Cancellation));
        var others = Enumerable.Range(0, 60).Select(i => hundreds.AskAsync(i, Cancellation)).ToList();
        await gate.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, 60).Select(i => i * 100), await Task.WhenAll(others));
        if (isRefused)
        {
            Assert.Equal(PostgresErrorCodes.DivisionByZero, (await Assert.ThrowsAsync<PostgresException>(() => answers[bad])).SqlState);
        }
        else
        {
            await Assert.ThrowsAsync<ArgumentException>(() => answers[bad]);
        }
        foreach (var i in numbers.Where(i => i != bad))
        {
            Assert.Equal(i, await answers[i]);
        }
        // By halves, not one by one
        Assert.InRange(asked.Count, 2, 30);
    }

    [Fact]
    public async Task A_refusal_that_means_something_is_the_answer_of_the_one_it_concerns_and_the_rest_is_written_once()
    {
        await database.ExecuteAsync("CREATE TABLE told (number integer PRIMARY KEY)");
        await database.ExecuteAsync("INSERT INTO told VALUES (5), (23)");
        var told = new Gathering<int, string>(messages, (message, asks) =>
        {
            message.Add("INSERT INTO told SELECT * FROM unnest($1)", (object)asks.ToArray());
            return _ => Task.FromResult<IReadOnlyList<string>>([.. asks.Select(_ => "told")]);
        }, 1000)
        {
            Meaning = (PostgresException refusal, [MaybeNullWhen(false)] out string meaning) => (meaning = refusal.SqlState == PostgresErrorCodes.UniqueViolation ? "taken" : null) is not null,
        };
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => told.AskAsync(i, Cancellation)));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => i is 5 or 23 ? "taken" : "told"), answers);
        Assert.Equal(50, await database.ValueAsync<long>("SELECT count(*) FROM told"));
    }

    [Fact]
    public async Task Texts_that_the_database_cannot_hold_fail_nobody_elses_questions()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        var self = await node.AddAsync(Role.Patient, patient);
        var read = Enumerable.Range(0, 200).Select(i => i % 4 == 0
            ? ReadAsync("Observation", i % 8 == 0 ? "\0" : "\ud800")
            : ReadAsync(records[0].Type, records[0].Id)).ToList();
        var ends = await Task.WhenAll(read);
        Assert.Equal(150, ends.Count(found => found));

        async Task<bool> ReadAsync(string type, string id)
        {
            await Task.Yield();
            try
            {
                return await node.Records.ReadAsync(self, type, id, null, Purpose.Treatment, Cancellation) is ReadOutcome.Found;
            }
            catch (Exception refused) when (refused is PostgresException or ArgumentException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Who_no_longer_waits_holds_up_nobody_and_is_answered_all_the_same()
    {
        var tens = Multiplying(10, 10);
        await using var gate = await CloseAsync();
        using var gone = new CancellationTokenSource();
        var left = tens.AskAsync(1, gone.Token);
        var stays = tens.AskAsync(2, Cancellation);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await gate.DisposeAsync();
        Assert.Equal(20, await stays);
        await TestNode.UntilAsync(() =>
        {
            lock (asked)
            {
                return Task.FromResult(asked.Sum(part => part.Count) == 2);
            }
        }, "what was left is asked");
    }

    /// <summary>Multiplies by the database, once the gate is open.</summary>
    Gathering<int, int> Multiplying(int by, int togetherMax) => new(messages, (message, asks) =>
    {
        Note(message, $"x {by}", asks.Count);
        message.Add($"SELECT pg_advisory_xact_lock_shared({Lock})");
        message.Add($"SELECT x * {by} FROM unnest($1) x", (object)asks.ToArray());
        return async rows =>
        {
            await rows.NextResultAsync(Cancellation);
            return await NumbersAsync(rows, 0);
        };
    }, togetherMax);

    static async Task<IReadOnlyList<int>> NumbersAsync(NpgsqlDataReader rows, int column)
    {
        var numbers = await rows.ReadAllAsync(row => row.GetInt32(column), Cancellation);
        await rows.NextResultAsync(Cancellation);
        return numbers;
    }

    void Note(NpgsqlBatch message, string kind, int count)
    {
        lock (asked)
        {
            asked.Add((message, kind, count));
        }
    }

    /// <summary>Lets no message be answered until it is disposed of.</summary>
    async Task<NpgsqlConnection> CloseAsync()
    {
        var connection = await database.OpenUnpooledAsync(Cancellation);
        await connection.ExecuteAsync(Cancellation, $"SELECT pg_advisory_lock({Lock})");
        return connection;
    }

    /// <summary>Asks until as many messages as can be are under way: what is asked next goes together.</summary>
    async Task<List<Task<int>>> OccupyAsync(Gathering<int, int> gathering)
    {
        List<Task<int>> answers = [];
        for (var i = 0; i < SharedMessages.AtOnceMax; i++)
        {
            answers.Add(gathering.AskAsync(i, Cancellation));
            await TestNode.UntilAsync(() =>
            {
                lock (asked)
                {
                    return Task.FromResult(asked.Count == answers.Count);
                }
            }, "a message is under way");
        }
        return answers;
    }
}

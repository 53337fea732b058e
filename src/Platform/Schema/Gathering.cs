using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Salus.Platform.Schema;

/// <summary>Adds to a message the statements that answer all of some questions, and says how to read what comes back.</summary>
delegate AnswerReader<TAnswer> AskTogether<TAsk, TAnswer>(NpgsqlBatch message, IReadOnlyList<TAsk> asks);

/// <summary>Reads the results of the statements that were added, from the first of them, and goes on to the one after the last; the answers in the order of the questions.</summary>
delegate Task<IReadOnlyList<TAnswer>> AnswerReader<TAnswer>(NpgsqlDataReader results);

/// <summary>What a refusal of one question by the database means; false where it is a fault.</summary>
delegate bool RefusalMeaning<TAnswer>(PostgresException refusal, [MaybeNullWhen(false)] out TAnswer answer);

/// <summary>Questions of one kind that go in one message.</summary>
interface IGathered
{
    /// <summary>How many.</summary>
    int Count { get; }

    /// <summary>Adds their statements.</summary>
    void Ask(NpgsqlBatch message);

    /// <summary>Reads the answers, and keeps them until it is certain that the message was carried out.</summary>
    Task ReadAsync(NpgsqlDataReader results);

    /// <summary>Gives the answers to those who wait.</summary>
    void Answer();

    /// <summary>Tells those who wait what a refusal of one question means, if it means anything to them.</summary>
    bool TryAnswer(PostgresException refusal);

    /// <summary>Tells those who wait that there is no answer.</summary>
    void Fail(Exception fault);

    /// <summary>The first half of them and the others, each of which goes in a message of its own.</summary>
    (IGathered First, IGathered Others) Halve();
}

/// <summary>Where questions of one kind wait.</summary>
interface IGathering
{
    /// <summary>Takes those that wait, as many as go together; null where there are none. The messages' lock is held.</summary>
    IGathered? Take();
}

/// <summary>
/// Asks the database for many in one message: what comes while others are being answered goes together. Nothing is kept, so that an answer is never
/// older than its question. Whoever asks waits, so there are never more questions than requests.
/// </summary>
/// <param name="messages">In which they go, with those of other kinds.</param>
/// <param name="ask">Asks; called again for fewer where a message was refused.</param>
/// <param name="togetherMax">Questions of this kind in one message at most.</param>
sealed class Gathering<TAsk, TAnswer>(SharedMessages messages, AskTogether<TAsk, TAnswer> ask, int togetherMax) : IGathering
{
    readonly AskTogether<TAsk, TAnswer> ask = ask;
    readonly Queue<Waiting> queue = [];

    /// <summary>What refusals mean; null where each is a fault.</summary>
    public RefusalMeaning<TAnswer>? Meaning { get; init; }

    sealed record Waiting(TAsk Ask)
    {
        public TaskCompletionSource<TAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Asks, and waits for the answer. A question that is not waited for any longer is asked all the same.</summary>
    public Task<TAnswer> AskAsync(TAsk ask, CancellationToken cancellation)
    {
        var own = new Waiting(ask);
        messages.Add(this, () => queue.Enqueue(own));
        return own.Answer.Task.WaitAsync(cancellation);
    }

    IGathered? IGathering.Take()
    {
        if (queue.Count == 0)
        {
            return null;
        }
        List<Waiting> taken = [];
        while (taken.Count < togetherMax && queue.TryDequeue(out var waiting))
        {
            taken.Add(waiting);
        }
        return new Gathered(this, taken);
    }

    sealed class Gathered(Gathering<TAsk, TAnswer> of, List<Waiting> waiting) : IGathered
    {
        AnswerReader<TAnswer>? reader;
        IReadOnlyList<TAnswer> answers = [];

        public int Count => waiting.Count;

        public void Ask(NpgsqlBatch message) => reader = of.ask(message, waiting.ConvertAll(each => each.Ask));

        public async Task ReadAsync(NpgsqlDataReader results) => answers = await reader!(results);

        public void Answer()
        {
            for (var i = 0; i < waiting.Count; i++)
            {
                waiting[i].Answer.SetResult(answers[i]);
            }
        }

        public bool TryAnswer(PostgresException refusal)
        {
            if (of.Meaning is null || !of.Meaning(refusal, out var answer))
            {
                return false;
            }
            answers = [answer];
            Answer();
            return true;
        }

        public void Fail(Exception fault) => waiting.ForEach(each => each.Answer.TrySetException(fault));

        public (IGathered First, IGathered Others) Halve() => (new Gathered(of, waiting[..(Count / 2)]), new Gathered(of, waiting[(Count / 2)..]));
    }
}

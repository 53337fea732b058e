using Npgsql;

namespace Salus.Platform.Schema;

/// <summary>
/// Asks the database for many in one message: what comes while others are being answered goes together. Nothing is kept, so that an answer is never
/// older than its question. Whoever asks waits, so there are never more questions than requests.
/// </summary>
/// <param name="answer">Answers questions, in their order. Not cancelled by who no longer waits.</param>
/// <param name="togetherMax">Questions in one message at most.</param>
sealed class Gathering<TAsk, TAnswer>(Func<IReadOnlyList<TAsk>, Task<IReadOnlyList<TAnswer>>> answer, int togetherMax)
{
    // Each more at once means fewer in a message: as many as a database beside the program can work on
    static readonly int AtOnceMax = Math.Max(1, Environment.ProcessorCount / 2);

    readonly Lock gate = new();
    readonly Queue<Waiting> queue = [];
    int atOnce;

    sealed record Waiting(TAsk Ask)
    {
        public TaskCompletionSource<TAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Asks, and waits for the answer. A question that is not waited for any longer is asked all the same.</summary>
    public Task<TAnswer> AskAsync(TAsk ask, CancellationToken cancellation)
    {
        var own = new Waiting(ask);
        lock (gate)
        {
            queue.Enqueue(own);
            if (atOnce == AtOnceMax)
            {
                return own.Answer.Task.WaitAsync(cancellation);
            }
            atOnce++;
        }
        // Behind the requests that are being read, whose questions then go along
        ThreadPool.UnsafeQueueUserWorkItem(static own => _ = own.AnswerAllAsync(), this, preferLocal: false);
        return own.Answer.Task.WaitAsync(cancellation);
    }

    async Task AnswerAllAsync()
    {
        while (Take() is { Count: > 0 } together)
        {
            await AnswerAsync(together);
            // Behind whoever was answered just now: what they ask next goes in the same message
            await Task.Yield();
        }
    }

    async Task AnswerAsync(IReadOnlyList<Waiting> together)
    {
        try
        {
            var answers = await answer([.. together.Select(waiting => waiting.Ask)]);
            for (var i = 0; i < together.Count; i++)
            {
                together[i].Answer.SetResult(answers[i]);
            }
        }
        catch (Exception fault) when (together.Count > 1 && IsOfOne(fault))
        {
            foreach (var waiting in together)
            {
                await AnswerAsync([waiting]);
            }
        }
        catch (Exception fault)
        {
            foreach (var waiting in together)
            {
                waiting.Answer.SetException(fault);
            }
        }
    }

    /// <summary>Whether a fault may be of one question alone, such as a text that the database cannot hold, and nothing came of any: nobody can fail the others' questions by their own.</summary>
    static bool IsOfOne(Exception fault) => fault is PostgresException { IsTransient: false } or ArgumentException;

    List<Waiting> Take()
    {
        lock (gate)
        {
            List<Waiting> taken = [];
            while (taken.Count < togetherMax && queue.TryDequeue(out var waiting))
            {
                taken.Add(waiting);
            }
            atOnce -= taken.Count == 0 ? 1 : 0;
            return taken;
        }
    }
}

namespace Salus.SystemTests.Support;

/// <summary>Waits for what the system does in its own time. The limits are generous: they end a hung run, they measure nothing.</summary>
static class Waiting
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks again until there is an answer.</summary>
    /// <param name="ask">Gives null while it is not so yet.</param>
    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="secondsMax">When to give up.</param>
    public static async Task<T> UntilAsync<T>(Func<Task<T?>> ask, string what, int secondsMax = 90) where T : class
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (await ask() is { } answer)
            {
                return answer;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(started).TotalSeconds < secondsMax, $"After {secondsMax} s still waiting for: {what}");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Asks again until it is so.</summary>
    public static Task UntilAsync(Func<Task<bool>> ask, string what, int secondsMax = 90) =>
        UntilAsync<object>(async () => await ask() ? what : null, what, secondsMax);

    /// <summary>Asks again until it is so.</summary>
    public static Task UntilAsync(Func<bool> ask, string what, int secondsMax = 90) => UntilAsync(() => Task.FromResult(ask()), what, secondsMax);
}

using System.Diagnostics;

namespace Salus.Bench;

/// <summary>What requests cost that some clients made one after the other, each client for itself. CPU is that of the server side, up to the anchored head.</summary>
sealed record Load(int Count, double Seconds, double MedianMilliseconds, double P99Milliseconds, ServerCpu Cpu)
{
    /// <summary>Requests per second of CPU time, PostgreSQL and chain included.</summary>
    public double PerCpuSecond => Count / Cpu.All;

    /// <summary>CPU milliseconds of one request: program, PostgreSQL, chain.</summary>
    public string CpuOfOne => $"{Cpu.Program * 1000 / Count:N2} + {Cpu.Postgres * 1000 / Count:N2} + {Cpu.Chain * 1000 / Count:N2} = {Cpu.All * 1000 / Count:N2}";

    public double PerSecond => Count / Seconds;

    /// <summary>Makes requests, some of them beforehand so that what is measured is a server that runs.</summary>
    /// <param name="node">Who answers.</param>
    /// <param name="clients">How many ask at once.</param>
    /// <param name="warm">Requests that do not count.</param>
    /// <param name="count">Requests that do.</param>
    /// <param name="requestAsync">The request of a number; numbers are given out once.</param>
    public static async Task<Load> RunAsync(NodeUnderTest node, int clients, int warm, int count, Func<int, Task> requestAsync)
    {
        await InParallelAsync(clients, 0, warm, requestAsync);
        await AnchoredAsync(node);
        var cpu = CpuClock.Read().Under(node.ProcessId);
        var milliseconds = new double[count];
        var started = Stopwatch.GetTimestamp();
        await InParallelAsync(clients, warm, count, async number =>
        {
            var asked = Stopwatch.GetTimestamp();
            await requestAsync(number);
            milliseconds[number - warm] = Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
        });
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await AnchoredAsync(node);
        Array.Sort(milliseconds);
        return new Load(count, seconds, milliseconds[count / 2], milliseconds[count * 99 / 100], CpuClock.Read().Under(node.ProcessId).Since(cpu));
    }

    static async Task InParallelAsync(int clients, int from, int count, Func<int, Task> requestAsync)
    {
        var next = from - 1;
        async Task ClientAsync()
        {
            for (var number = Interlocked.Increment(ref next); number < from + count; number = Interlocked.Increment(ref next))
            {
                await requestAsync(number);
            }
        }
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(ClientAsync)));
    }

    static async Task AnchoredAsync(NodeUnderTest node)
    {
        while (await node.AnchoredSizeAsync() is null)
        {
            await Task.Delay(100);
        }
    }
}

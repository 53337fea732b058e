using System.Collections.Concurrent;
using System.Data;
using Npgsql;

namespace Salus.Platform.Schema;

/// <summary>
/// Messages to the database that questions of several kinds share. While one is under way, questions wait, and then go in the next: one statement for
/// all of a kind, one transaction for all.
/// </summary>
/// <param name="database">Where: on connections of their own, which know how to plan and keep what they prepared.</param>
/// <param name="planning">How the statements are planned.</param>
sealed class SharedMessages(NpgsqlDataSource database, Planning planning) : IAsyncDisposable
{
    /// <summary>Messages under way at once at most. Each more means fewer questions in one: as many as a database beside the program can work on.</summary>
    internal static readonly int AtOnceMax = Math.Clamp(Environment.ProcessorCount / 2, 1, 4);

    readonly Lock gate = new();
    readonly List<IGathering> kinds = [];
    readonly ConcurrentBag<NpgsqlConnection> idle = [];
    int atOnce;

    /// <summary>Adds a question of a kind.</summary>
    public void Add(IGathering kind, Action enqueue)
    {
        lock (gate)
        {
            if (!kinds.Contains(kind))
            {
                kinds.Add(kind);
            }
            enqueue();
            if (atOnce == AtOnceMax)
            {
                return;
            }
            atOnce++;
        }
        // Behind the requests that are being read, whose questions then go along
        ThreadPool.UnsafeQueueUserWorkItem(static own => _ = own.SendAllAsync(), this, preferLocal: false);
    }

    async Task SendAllAsync()
    {
        while (Take() is { Count: > 0 } together)
        {
            await SendAsync(together);
            // Behind whoever was answered just now: what they ask next goes in the same message
            await Task.Yield();
        }
    }

    List<IGathered> Take()
    {
        lock (gate)
        {
            var taken = kinds.Select(kind => kind.Take()).OfType<IGathered>().ToList();
            atOnce -= taken.Count == 0 ? 1 : 0;
            return taken;
        }
    }

    async Task SendAsync(List<IGathered> parts)
    {
        try
        {
            await ExchangeAsync(parts);
            parts.ForEach(part => part.Answer());
        }
        catch (Exception fault) when (IsOfOne(fault) && parts.Sum(part => part.Count) > 1)
        {
            var (first, others) = Halve(parts);
            await SendAsync(first);
            await SendAsync(others);
        }
        catch (PostgresException refusal) when (parts is [{ Count: 1 } only] && only.TryAnswer(refusal))
        {
        }
        catch (Exception fault)
        {
            parts.ForEach(part => part.Fail(fault));
        }
    }

    static (List<IGathered> First, List<IGathered> Others) Halve(List<IGathered> parts)
    {
        if (parts is not [var only])
        {
            return (parts[..(parts.Count / 2)], parts[(parts.Count / 2)..]);
        }
        var (first, others) = only.Halve();
        return ([first], [others]);
    }

    async Task ExchangeAsync(List<IGathered> parts)
    {
        var connection = idle.TryTake(out var kept) ? kept : await database.OpenPlanningAsync(planning, CancellationToken.None);
        try
        {
            await ExchangeAsync(connection, parts);
        }
        finally
        {
            if (connection.State == ConnectionState.Open)
            {
                idle.Add(connection);
            }
            else
            {
                await connection.DisposeAsync();
            }
        }
    }

    static async Task ExchangeAsync(NpgsqlConnection connection, List<IGathered> parts)
    {
        await using var message = new NpgsqlBatch(connection);
        parts.ForEach(part => part.Ask(message));
        await using var results = await message.ExecuteReaderAsync();
        foreach (var part in parts)
        {
            await part.ReadAsync(results);
        }
        // To the end, where a transaction is refused that was refused
        while (await results.NextResultAsync())
        {
        }
    }

    /// <summary>Closes the connections. What is asked afterwards opens new ones.</summary>
    public async ValueTask DisposeAsync()
    {
        while (idle.TryTake(out var connection))
        {
            await connection.DisposeAsync();
        }
    }

    /// <summary>
    /// Whether a fault may be of one question alone, such as a text that the database cannot hold or a version that is there already, and nothing came of
    /// any: nobody can fail the others' questions by their own.
    /// </summary>
    static bool IsOfOne(Exception fault) =>
        fault is PostgresException { IsTransient: false } or PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected } or ArgumentException;
}

/// <summary>The messages that requests share: in some is asked, in others searched or written.</summary>
public sealed class NodeMessages(NpgsqlDataSource database) : IAsyncDisposable, IDisposable
{
    internal SharedMessages Questions { get; } = new(database, Planning.Once);

    internal SharedMessages Writes { get; } = new(database, Planning.Once);

    internal SharedMessages Walks { get; } = new(database, Planning.OnceInOrder);

    internal SharedMessages Lookups { get; } = new(database, Planning.OnceByCondition);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var messages in new[] { Questions, Writes, Walks, Lookups })
        {
            await messages.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
}

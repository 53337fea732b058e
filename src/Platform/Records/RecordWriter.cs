using Npgsql;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

/// <summary>One version that is ready to be stored.</summary>
/// <param name="Rows">The version and the audit of it, sealed.</param>
/// <param name="Patient">Into whose record it goes; null for nobody's.</param>
/// <param name="Replaced">The record whose earlier version was found by other values; null for a new one.</param>
/// <param name="Found">What it is found by; null for a deletion.</param>
sealed record ReadyWrite(IReadOnlyList<SealedRow> Rows, string? Patient, (string Type, string Id)? Replaced, IndexRow? Found);

/// <summary>What became of a version.</summary>
enum WriteEnd
{
    /// <summary>Stored, durably.</summary>
    Stored,

    /// <summary>A version of that number stands there already.</summary>
    Taken,

    /// <summary>The patient is not known, or no more.</summary>
    NoPatient,
}

/// <summary>Writes versions that stand alone: those that come while others are being written go together, in one transaction. What is refused holds up none of the others.</summary>
sealed class RecordWriter(NpgsqlDataSource database)
{
    // With its audit each has two rows, all of which go in one message, which is a transaction of its own
    const int TogetherMax = (SealedStore.StreamedMin - 1) / 2;

    readonly Gathering<ReadyWrite, WriteEnd> gathering = new(writes => WriteTogetherAsync(database, writes), TogetherMax);

    /// <summary>Writes a version. One that is not waited for any longer is written all the same.</summary>
    public Task<WriteEnd> WriteAsync(ReadyWrite write, CancellationToken cancellation) => gathering.AskAsync(write, cancellation);

    static async Task<IReadOnlyList<WriteEnd>> WriteTogetherAsync(NpgsqlDataSource database, IReadOnlyList<ReadyWrite> writes)
    {
        await using var connection = await database.OpenConnectionAsync();
        var end = await TryAsync(connection, writes);
        if (end == WriteEnd.Stored || writes.Count == 1)
        {
            return [.. writes.Select(_ => end)];
        }
        // None was stored because of one: each by itself
        List<WriteEnd> ends = [];
        foreach (var write in writes)
        {
            ends.Add(await TryAsync(connection, [write]));
        }
        return ends;
    }

    /// <summary>Writes all, or none because of one of them.</summary>
    static async Task<WriteEnd> TryAsync(NpgsqlConnection connection, IReadOnlyList<ReadyWrite> writes)
    {
        try
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.Plan(Planning.Once);
            RecordStore.HoldPatients(batch, [.. writes.Select(write => write.Patient).OfType<string>().Distinct()]);
            SealedStore.Append(batch, [.. writes.SelectMany(write => write.Rows)]);
            IndexStore.Remove(batch, [.. writes.Select(write => write.Replaced).OfType<(string, string)>()]);
            await IndexStore.AddAsync(batch, [.. writes.Select(write => write.Found).OfType<IndexRow>()], CancellationToken.None);
            await batch.RunAsync(CancellationToken.None);
            return WriteEnd.Stored;
        }
        catch (PostgresException refused) when (EndOf(refused) is { } end)
        {
            return end;
        }
    }

    static WriteEnd? EndOf(PostgresException refused) => refused.SqlState switch
    {
        PostgresErrorCodes.NoDataFound => WriteEnd.NoPatient,
        // Two transactions that write the same versions in another order are a race like any other
        PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected => WriteEnd.Taken,
        _ => null,
    };
}

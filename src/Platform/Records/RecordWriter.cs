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
sealed class RecordWriter(NodeMessages messages)
{
    // With its audit each has two rows
    const int TogetherMax = (SealedStore.StreamedMin - 1) / 2;

    readonly Gathering<ReadyWrite, WriteEnd> gathering = new(messages.Writes, WriteTogether, TogetherMax) { Meaning = TryEnd };

    /// <summary>Writes a version. One that is not waited for any longer is written all the same.</summary>
    public Task<WriteEnd> WriteAsync(ReadyWrite write, CancellationToken cancellation) => gathering.AskAsync(write, cancellation);

    static AnswerReader<WriteEnd> WriteTogether(NpgsqlBatch message, IReadOnlyList<ReadyWrite> writes)
    {
        var patients = writes.Select(write => write.Patient).OfType<string>().Distinct().ToArray();
        RecordStore.HoldPatients(message, patients);
        SealedStore.Append(message, [.. writes.SelectMany(write => write.Rows)]);
        IndexStore.Remove(message, [.. writes.Select(write => write.Replaced).OfType<(string, string)>()]);
        IndexStore.Add(message, [.. writes.Select(write => write.Found).OfType<IndexRow>()]);
        return async results =>
        {
            if (patients.Length > 0)
            {
                await results.NextResultAsync();
            }
            return [.. writes.Select(_ => WriteEnd.Stored)];
        };
    }

    static bool TryEnd(PostgresException refusal, out WriteEnd end)
    {
        end = refusal.SqlState switch
        {
            PostgresErrorCodes.NoDataFound => WriteEnd.NoPatient,
            // Two transactions that write the same versions in another order are a race like any other
            PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected => WriteEnd.Taken,
            _ => WriteEnd.Stored,
        };
        return end != WriteEnd.Stored;
    }
}

using Npgsql;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring.Witness;

/// <summary>What a witness answers to add-checkpoint (C2SP tlog-witness).</summary>
public abstract record CosignOutcome
{
    CosignOutcome() { }

    /// <summary>Seen, kept, and cosigned.</summary>
    public sealed record Cosigned(NoteSignature Signature) : CosignOutcome;

    /// <summary>Not such a request, or an old size above the new one.</summary>
    public sealed record Malformed(string Reason) : CosignOutcome;

    /// <summary>The checkpoint's origin is of no log that is cosigned here.</summary>
    public sealed record UnknownLog : CosignOutcome;

    /// <summary>No key that is trusted for the origin has signed.</summary>
    public sealed record UnknownSignature : CosignOutcome;

    /// <summary>The old size is not the one cosigned last, or the same size has another root.</summary>
    public sealed record Conflict(long Size) : CosignOutcome;

    /// <summary>The proof does not lead from what was cosigned last to the checkpoint.</summary>
    public sealed record Unproven(ProofVerdict Verdict) : CosignOutcome;
}

/// <summary>Cosigns checkpoints of other members' logs that extend what it has seen of them; it learns nothing of what they hold.</summary>
public sealed class WitnessDesk(NpgsqlDataSource database, NodeKeys keys, WitnessRoster roster, TimeProvider time)
{
    /// <summary>Checks a request, keeps the checkpoint, and only then cosigns it.</summary>
    public async Task<CosignOutcome> AddCheckpointAsync(string body, CancellationToken cancellation)
    {
        WitnessRequest request;
        Checkpoint checkpoint;
        try
        {
            request = WitnessRequest.Parse(body);
            checkpoint = Checkpoint.Parse(request.Checkpoint.Text);
        }
        catch (FormatException malformed)
        {
            return new CosignOutcome.Malformed(malformed.Message);
        }
        var known = roster.LogKeys(checkpoint.Origin);
        if (known.Count == 0)
        {
            return new CosignOutcome.UnknownLog();
        }
        if (known.FirstOrDefault(key => request.Checkpoint.Verify(key).Count > 0) is not { } signer)
        {
            return new CosignOutcome.UnknownSignature();
        }
        if (request.OldSize > checkpoint.Size)
        {
            return new CosignOutcome.Malformed($"The old size {request.OldSize} is above the checkpoint's, {checkpoint.Size}.");
        }
        if (await KeepAsync(request, checkpoint, signer, cancellation) is { } refusal)
        {
            return refusal;
        }
        return new CosignOutcome.Cosigned(keys.Witness.Cosign(request.Checkpoint.Text, time.GetUtcNow()));
    }

    /// <summary>Compares and keeps in one transaction, so that of two requests at once the later sees what the earlier kept.</summary>
    async Task<CosignOutcome?> KeepAsync(WitnessRequest request, Checkpoint checkpoint, NoteVerifier signer, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync(cancellation,
            "INSERT INTO witnessed_log (origin, key, size, root) VALUES ($1, $2, 0, $3) ON CONFLICT (origin) DO NOTHING",
            checkpoint.Origin, signer.ToString(), MerkleHash.EmptyRoot());
        var (size, root) = (await connection.QueryAsync(cancellation, row => (row.GetInt64(0), row.GetFieldValue<byte[]>(1)),
            "SELECT size, root FROM witnessed_log WHERE origin = $1 FOR UPDATE", checkpoint.Origin))[0];
        if (request.OldSize != size || (checkpoint.Size == size && !checkpoint.Root.Span.SequenceEqual(root)))
        {
            return new CosignOutcome.Conflict(size);
        }
        var verdict = size == 0 && request.Proof.Count == 0 ? ProofVerdict.Valid : ConsistencyProof.Verify(size, checkpoint.Size, root, checkpoint.Root.Span, request.Proof);
        if (verdict != ProofVerdict.Valid)
        {
            return new CosignOutcome.Unproven(verdict);
        }
        await connection.ExecuteAsync(cancellation, "UPDATE witnessed_log SET key = $2, size = $3, root = $4, note = $5, seen = $6 WHERE origin = $1",
            checkpoint.Origin, signer.ToString(), checkpoint.Size, checkpoint.Root.ToArray(), request.Checkpoint.ToString(), time.GetUtcNow());
        await transaction.CommitAsync(cancellation);
        return null;
    }
}

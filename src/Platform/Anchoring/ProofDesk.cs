using System.Collections.Concurrent;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring.Witness;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>How far a version's proof has come, as verified at the time of asking.</summary>
public abstract record ProofState
{
    ProofState() { }

    /// <summary>Stored; the log will take it in a moment.</summary>
    public sealed record Pending : ProofState;

    /// <summary>In the log, under a signed checkpoint; the chain does not have it yet.</summary>
    public sealed record Logged(long Position, long Size) : ProofState;

    /// <summary>In the log, under a head that the contract holds.</summary>
    /// <param name="Position">The leaf's place in the log.</param>
    /// <param name="Head">The anchored head that covers it.</param>
    public sealed record Anchored(long Position, AnchoredHead Head) : ProofState;

    /// <summary>It does not verify.</summary>
    public sealed record Broken(long? Position, string Reason) : ProofState;
}

/// <summary>Makes and checks proofs that a version stands in the log and that the contract holds the log's head.</summary>
public sealed class ProofDesk(NpgsqlDataSource database, LogFiles files, ChainLink link, NodeKeys keys, Witnessing witnessing)
{
    const int HeadsCachedMax = 256;

    readonly ConcurrentDictionary<(long Size, string Transaction), bool> heads = new();

    /// <summary>
    /// Verifies versions now: envelope against row, inclusion proof against the head, head against what the contract recorded.
    /// </summary>
    /// <param name="versions">Each with the envelope computed from the row as it stands.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<IReadOnlyList<ProofState>> VerifyAsync(IReadOnlyList<LeafEnvelope> versions, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var names = versions.Select(version => version.Id.Split('/', 2)).ToList();
        var leaves = (await connection.QueryAsync(cancellation,
            row => new StoredLeaf(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetFieldValue<byte[]>(4)),
            """
            SELECT l.position, l.type, l.id, l.version, l.envelope
            FROM unnest($1::text[], $2::text[], $3::int[]) AS wanted(type, id, version) JOIN leaf l USING (type, id, version)
            """,
            names.Select(name => name[0]).ToArray(), names.Select(name => name[1]).ToArray(), versions.Select(version => (int)version.EntityVersion).ToArray()))
            .ToDictionary(leaf => ($"{leaf.Type}/{leaf.Id}", leaf.Version));
        // Signed only when its hashes lie in the files; an unsigned one is a moment old
        var (head, unsigned) = (await LogStore.SignedHeadAsync(connection, cancellation), await LogStore.HeadAsync(connection, cancellation));
        var anchors = leaves.Count == 0 ? [] : await AnchorsFromAsync(connection, leaves.Values.Min(leaf => leaf.Position), cancellation);
        var known = new Dictionary<long, LogHead?>();
        List<ProofState> states = [];
        foreach (var version in versions)
        {
            states.Add(leaves.TryGetValue((version.Id, (int)version.EntityVersion), out var leaf)
                ? leaf.Position >= (head?.Size ?? 0) && leaf.Position < (unsigned?.Size ?? 0)
                    ? new ProofState.Pending()
                    : await VerifyAsync(connection, version, leaf, head, anchors, known, cancellation)
                : new ProofState.Pending());
        }
        return states;
    }

    /// <summary>
    /// The proof of one version for others to check: under the first anchored head that covers it and whose evidence was kept, or else under
    /// the newest checkpoint. Null as long as it has no place in the log.
    /// </summary>
    /// <param name="envelope">Computed from the row as it stands.</param>
    /// <param name="content">The stored bytes with their salt, or null to show the commitment alone.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<ProofFile?> MakeAsync(LeafEnvelope envelope, ProvenContent? content, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var name = envelope.Id.Split('/', 2);
        if (await LogStore.LeafAsync(connection, name[0], name[1], (int)envelope.EntityVersion, cancellation) is not { } leaf)
        {
            return null;
        }
        var anchored = await LogStore.EvidenceOfAsync(connection, leaf.Position, witnessing.Required, cancellation);
        var head = anchored?.Head ?? await LogStore.SignedHeadAsync(connection, cancellation);
        if (head is not { Checkpoint: { } checkpoint } || head.Size <= leaf.Position)
        {
            return null;
        }
        var path = await TreeProofs.InclusionAsync(leaf.Position, head.Size, files.ReadAsync, cancellation);
        return new ProofFile(envelope, content, new TlogProof(leaf.Position, path, SignedNote.Parse(checkpoint)),
            anchored is { Evidence: var evidence } ? AnchorEvidence.Read(evidence) : null);
    }

    async Task<ProofState> VerifyAsync(
        NpgsqlConnection connection, LeafEnvelope version, StoredLeaf leaf, LogHead? newest, List<AnchoredHead> anchors, Dictionary<long, LogHead?> known,
        CancellationToken cancellation)
    {
        var envelope = version.Encode();
        if (!envelope.AsSpan().SequenceEqual(leaf.Envelope))
        {
            return new ProofState.Broken(leaf.Position, "The row differs from what its leaf committed to.");
        }
        var index = anchors.FindIndex(candidate => candidate.Size > leaf.Position);
        var anchor = index < 0 ? null : anchors[index];
        var head = newest;
        if (anchor is not null && !known.TryGetValue(anchor.Size, out head))
        {
            head = known[anchor.Size] = await LogStore.HeadAsync(connection, anchor.Size, cancellation);
        }
        if (head is null || head.Size <= leaf.Position)
        {
            return new ProofState.Broken(leaf.Position, "No head of the log covers the leaf.");
        }
        var proof = await TreeProofs.InclusionAsync(leaf.Position, head.Size, files.ReadAsync, cancellation);
        if (InclusionProof.Verify(MerkleHash.Leaf(envelope), leaf.Position, head.Size, proof, head.Root) != ProofVerdict.Valid)
        {
            return new ProofState.Broken(leaf.Position, $"The leaf does not lead to the head of size {head.Size}.");
        }
        if (anchor is null)
        {
            return new ProofState.Logged(leaf.Position, head.Size);
        }
        return await IsOnChainAsync(anchor, head, cancellation) switch
        {
            true => new ProofState.Anchored(leaf.Position, anchor),
            false => new ProofState.Broken(leaf.Position, $"The contract recorded another head than the one of size {head.Size} here."),
            null => new ProofState.Logged(leaf.Position, head.Size),
        };
    }

    /// <summary>
    /// Whether the transaction that anchored a head says the same as the head does; null when the chain does not answer now, or has the
    /// transaction no longer. An event never changes, so a yes is kept.
    /// </summary>
    async ValueTask<bool?> IsOnChainAsync(AnchoredHead anchor, LogHead head, CancellationToken cancellation)
    {
        var key = (anchor.Size, Convert.ToHexString(anchor.TransactionHash) + Convert.ToHexString(head.Root));
        if (heads.ContainsKey(key))
        {
            return true;
        }
        Receipt? receipt;
        try
        {
            receipt = await link.Rpc.ReceiptAsync(anchor.TransactionHash, cancellation);
        }
        catch (Exception away) when (away is HttpRequestException or EvmRpcException or FormatException
            || (away is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
        if (receipt is null)
        {
            return null;
        }
        var holds = receipt.Succeeded && receipt.Logs.Any(log =>
            log.Address == link.Contracts[ChainContract.Anchor]
            && AnchorContract.TryDecode(log) is AnchorEvent.Anchored anchored
            && anchored.Log.AsSpan().SequenceEqual(keys.LogOf(head.Size).LogId)
            && (long)anchored.NewSize == head.Size
            && anchored.NewRoot.AsSpan().SequenceEqual(head.Root));
        if (heads.Count >= HeadsCachedMax)
        {
            heads.Clear();
        }
        if (holds)
        {
            heads[key] = true;
        }
        return holds;
    }

    static async Task<List<AnchoredHead>> AnchorsFromAsync(NpgsqlConnection connection, long position, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, LogStore.ReadAnchor,
            "SELECT size, transaction_hash, block_number, block_hash, gas_used, mined, durable FROM anchor WHERE size > $1 ORDER BY size", position);
}

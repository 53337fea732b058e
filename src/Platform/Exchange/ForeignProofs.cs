using System.Text.Json;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Anchoring.Witness;
using Salus.Platform.Consortium;
using Salus.Platform.Records;

namespace Salus.Platform.Exchange;

/// <summary>
/// Verifies what another member gives, against that member's log key as the chain bears it out, the other members' witness keys, and this
/// node's own view of the chain: the holder's word is needed for none of it.
/// </summary>
public sealed class ForeignProofs(ChainLink link, MemberDirectory directory)
{
    /// <summary>The records with what was verified; those whose answer is no record at all are broken.</summary>
    /// <exception cref="HttpRequestException">The chain does not answer.</exception>
    public async Task<IReadOnlyList<ForeignRecord>> ReadAsync(Member holder, IReadOnlyList<GivenRecord> given, CancellationToken cancellation)
    {
        using var policy = Policy(holder);
        var blocks = new Dictionary<ulong, byte[]?>();
        List<ForeignRecord> read = [];
        foreach (var record in given)
        {
            read.Add(await ReadAsync(record, policy.Value, blocks, cancellation));
        }
        return read;
    }

    async Task<ForeignRecord> ReadAsync(GivenRecord given, ProofPolicy? policy, Dictionary<ulong, byte[]?> blocks, CancellationToken cancellation)
    {
        if (given.Proof is null)
        {
            if (!IsJson(given.Content))
            {
                return Broken(given, null, "What came is no resource.");
            }
            return new ForeignRecord(new StoredRecord(given.Type, given.Id, given.Version, default, null, given.Content ?? []), new ProofState.Pending(), []);
        }
        ProofFile file;
        BlockHeader? header = null;
        try
        {
            file = ProofFile.Read(given.Proof);
            header = file.Anchor is { } anchor ? BlockHeader.Decode(anchor.Header) : null;
        }
        catch (FormatException malformed)
        {
            return Broken(given, null, malformed.Message);
        }
        var stored = new StoredRecord(
            given.Type, given.Id, given.Version, DateTimeOffset.UnixEpoch.AddMicroseconds(file.Leaf.UnixTimeMicroseconds), null, file.Content?.Bytes ?? []);
        if (file.Leaf.Kind is not (LeafKind.Record or LeafKind.Model) || file.Leaf.Id != $"{given.Type}/{given.Id}" || file.Leaf.EntityVersion != given.Version || !IsJson(file.Content?.Bytes))
        {
            return Broken(given, file.Proof.Index, "The proof is of another record than the one it came with.");
        }
        if (policy is null)
        {
            return new ForeignRecord(stored, new ProofState.Pending(), []);
        }
        var report = ProofCheck.Run(file, policy, await VouchedAsync(header, blocks, cancellation));
        return new ForeignRecord(stored, State(file, header, report), report.Claims);
    }

    static bool IsJson(byte[]? bytes)
    {
        try
        {
            return bytes is not null && JsonElement.Parse(bytes).ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    static ForeignRecord Broken(GivenRecord given, long? position, string reason) =>
        new(new StoredRecord(given.Type, given.Id, given.Version, default, null, []), new ProofState.Broken(position, reason), []);

    /// <summary>The proof's state: anchored, or logged where the anchor is not shown yet. What is shown and does not hold is broken; witnesses that are away break nothing.</summary>
    static ProofState State(ProofFile file, BlockHeader? header, ProofReport report)
    {
        var fault = report.Claims.FirstOrDefault(claim => claim.State == ClaimState.Fails && claim.Step is not (ProofStep.Witnesses or ProofStep.Anchor));
        if (fault is not null)
        {
            return new ProofState.Broken(file.Proof.Index, fault.Sentence);
        }
        var size = Checkpoint.Parse(file.Proof.Checkpoint.Text).Size;
        return file.Anchor is { } anchor && header is not null && report.Claims.Any(claim => claim is { Name: "anchored", State: ClaimState.Holds })
            ? new ProofState.Anchored(file.Proof.Index, new AnchoredHead(
                size, anchor.TransactionHash, (long)header.Number, header.Hash, 0, DateTimeOffset.FromUnixTimeSeconds((long)header.UnixTimeSeconds), Durable: true))
            : new ProofState.Logged(file.Proof.Index, size);
    }

    /// <summary>The block of that number as this node's own chain has it.</summary>
    async Task<IReadOnlyCollection<byte[]>> VouchedAsync(BlockHeader? header, Dictionary<ulong, byte[]?> blocks, CancellationToken cancellation)
    {
        if (header is null)
        {
            return [];
        }
        if (!blocks.TryGetValue(header.Number, out var hash))
        {
            hash = blocks[header.Number] = (await link.Rpc.BlockAsync(BlockTag.At(header.Number), cancellation))?.Hash;
        }
        return hash is null ? [] : [hash];
    }

    /// <summary>Whom to trust for a member's log: null until its key is known.</summary>
    Held Policy(Member holder)
    {
        if (holder.LogKey is not { } text)
        {
            return new Held(null);
        }
        var key = NoteVerifier.Parse(text);
        NoteVerifier[] witnesses = [.. directory.Members.Where(member => member.Id != holder.Id).Select(member => member.WitnessKey).OfType<string>().Distinct().Select(NoteVerifier.Parse)];
        var required = Math.Min(WitnessRoster.Majority(directory.Members.Count - 1), witnesses.Length);
        return new Held(new ProofPolicy(
            [new TrustedLog(key.Name, [new LogKey(key, 0, null)], NodeKeys.LogIdOf(text))], witnesses, required,
            new TrustedChain(link.ChainId, link.Contracts[ChainContract.Anchor], [])));
    }

    /// <summary>A policy whose keys go with it.</summary>
    sealed record Held(ProofPolicy? Value) : IDisposable
    {
        public void Dispose()
        {
            foreach (var key in Value is null ? [] : Value.Witnesses.Concat(Value.Logs.SelectMany(log => log.Keys.Select(one => one.Key))))
            {
                key.Dispose();
            }
        }
    }
}

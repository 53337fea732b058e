using System.Security.Cryptography;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;

namespace Salus.Ledger.Evidence;

/// <summary>How one of a proof's four claims stands.</summary>
public enum ClaimState
{
    /// <summary>Neither shown nor asked for.</summary>
    NotShown,

    /// <summary>Shown.</summary>
    Holds,

    /// <summary>Asked for or claimed, and it does not hold.</summary>
    Fails,
}

/// <summary>One claim of a proof.</summary>
/// <param name="Name"><c>committed</c>, <c>logged</c>, <c>witnessed</c> or <c>anchored</c>.</param>
/// <param name="Sentence">What was found, or why it fails.</param>
/// <param name="Step">Where it fails.</param>
public sealed record Claim(string Name, ClaimState State, string Sentence, ProofStep Step = ProofStep.None);

/// <summary>What a check found: the four claims in order. The proof holds when none fails.</summary>
public sealed record ProofReport(LeafEnvelope Leaf, IReadOnlyList<Claim> Claims)
{
    /// <summary>Whether no claim fails.</summary>
    public bool Holds => Claims.All(claim => claim.State != ClaimState.Fails);

    /// <summary>The first step that failed: the exit code of a check.</summary>
    public ProofStep Failed => Claims.FirstOrDefault(claim => claim.State == ClaimState.Fails)?.Step ?? ProofStep.None;
}

/// <summary>Checks proof files against a policy, with no server, database or network.</summary>
public static class ProofCheck
{
    /// <summary>Checks one file.</summary>
    /// <param name="file">The proof.</param>
    /// <param name="policy">Whom to trust.</param>
    /// <param name="vouchedBlocks">Hashes of blocks that a chain of the checker's choice has confirmed, besides the policy's.</param>
    public static ProofReport Run(ProofFile file, ProofPolicy policy, IReadOnlyCollection<byte[]>? vouchedBlocks = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(policy);
        var log = policy.Logs.FirstOrDefault(candidate => file.Proof.Checkpoint.Text.StartsWith(candidate.Origin + "\n", StringComparison.Ordinal));
        var logged = Logged(file, log, out var checkpoint);
        return new ProofReport(file.Leaf,
        [
            Committed(file),
            logged,
            checkpoint is null ? Unreached("witnessed", policy.WitnessesRequired > 0) : Witnessed(file, policy),
            checkpoint is null || log is null ? Unreached("anchored", policy.Chain is not null) : Anchored(file, checkpoint, log, policy.Chain, vouchedBlocks ?? []),
        ]);
    }

    static Claim Committed(ProofFile file)
    {
        if (file.Content is not { } content)
            return new Claim("committed", ClaimState.NotShown, "The file holds the commitment alone: it tells that something was recorded, not what.");
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData([.. content.Salt, .. content.Bytes]), file.Leaf.Content.Span)
            ? new Claim("committed", ClaimState.Holds, $"These {content.Bytes.Length} bytes are what the leaf commits to.")
            : new Claim("committed", ClaimState.Fails, "The bytes are not those that the leaf commits to: they were changed, or belong to another leaf.", ProofStep.Content);
    }

    static Claim Logged(ProofFile file, TrustedLog? log, out Checkpoint? checkpoint)
    {
        checkpoint = null;
        Claim Fails(ProofStep step, string reason) => new("logged", ClaimState.Fails, reason, step);
        if (log is null)
            return Fails(ProofStep.Log, "The checkpoint is of a log that the policy does not name.");
        Checkpoint signed;
        try
        {
            signed = Checkpoint.Parse(file.Proof.Checkpoint.Text);
        }
        catch (FormatException malformed)
        {
            return Fails(ProofStep.Checkpoint, malformed.Message);
        }
        NoteVerifier[] keys = [.. log.Keys.Where(key => signed.Size >= key.FromSize && !(signed.Size > key.ToSize)).Select(key => key.Key)];
        if (file.Proof.Checkpoint.Verify(keys).Count == 0)
            return Fails(ProofStep.Checkpoint, $"No key that signs for {log.Origin} at size {signed.Size} has signed the checkpoint.");
        var verdict = InclusionProof.Verify(file.Leaf.LeafHash(), file.Proof.Index, signed.Size, file.Proof.Path, signed.Root.Span);
        if (verdict != ProofVerdict.Valid)
            return Fails(ProofStep.Inclusion, $"The leaf does not lead to the checkpoint's root ({verdict}).");
        checkpoint = signed;
        return new Claim("logged", ClaimState.Holds, $"Leaf {file.Proof.Index} of {signed.Size} in {log.Origin}.");
    }

    static Claim Witnessed(ProofFile file, ProofPolicy policy)
    {
        if (policy.WitnessesRequired == 0)
            return new Claim("witnessed", ClaimState.NotShown, "The policy names no witnesses.");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var witness in policy.Witnesses)
        {
            if (!file.Proof.Checkpoint.Signatures.Any(line => line.Name == witness.Name && line.KeyId == witness.KeyId))
                continue;
            if (file.Proof.Checkpoint.Verify(witness).Count == 0)
                return new Claim("witnessed", ClaimState.Fails, $"The cosignature of {witness.Name} does not verify.", ProofStep.Cosignature);
            seen.Add(witness.Name);
        }
        return seen.Count >= policy.WitnessesRequired
            ? new Claim("witnessed", ClaimState.Holds, $"Cosigned by {string.Join(", ", seen.Order(StringComparer.Ordinal))}.")
            : new Claim("witnessed", ClaimState.Fails, $"Of {policy.WitnessesRequired} witnesses that the policy asks for, {seen.Count} have cosigned.", ProofStep.Witnesses);
    }

    static Claim Anchored(ProofFile file, Checkpoint checkpoint, TrustedLog log, TrustedChain? chain, IReadOnlyCollection<byte[]> vouched)
    {
        Claim Fails(ProofStep step, string reason) => new("anchored", ClaimState.Fails, reason, step);
        if (chain is null)
            return new Claim("anchored", ClaimState.NotShown, "The policy names no chain.");
        if (file.Anchor is not { } anchor)
            return Fails(ProofStep.Anchor, "The file holds no evidence of an anchor: it was made before the checkpoint was anchored. Ask for it again.");
        if (anchor.ChainId != chain.ChainId || anchor.Contract != chain.Anchor)
            return Fails(ProofStep.Chain, $"The evidence is of contract {anchor.Contract} on chain {anchor.ChainId}, the policy's is {chain.Anchor} on chain {chain.ChainId}.");
        if (log.AnchorId is null || !log.AnchorId.AsSpan().SequenceEqual(anchor.Log))
            return Fails(ProofStep.Chain, "The evidence is of another log's anchor than the policy names.");
        if (anchor.Check(checkpoint.Size, checkpoint.Root.Span, out var header) is { } fault)
            return Fails(fault.Step, fault.Reason);
        var isNamed = chain.Blocks.Concat(vouched).Any(block => block.AsSpan().SequenceEqual(header!.Hash));
        var seals = isNamed || chain.Validators.Count == 0 ? 0 : header!.SealedBy.Intersect(chain.Validators).Count();
        if (isNamed || (chain.Validators.Count > 0 && seals >= chain.ValidatorsRequired))
        {
            return new Claim("anchored", ClaimState.Holds,
                $"Accepted in block {header!.Number} of chain {chain.ChainId} at {DateTimeOffset.FromUnixTimeSeconds((long)header.UnixTimeSeconds):u}, by transaction {Hex.Of(anchor.TransactionHash)}"
                + (isNamed ? "." : $"; {seals} of {chain.Validators.Count} validators have sealed it."));
        }
        return Fails(ProofStep.Block, $"Nobody that you trust vouches for block {header!.Number} with hash {Hex.Of(header.Hash)}: "
            + (chain.Validators.Count > 0 ? $"{seals} of the validators in the policy have sealed it, {chain.ValidatorsRequired} are asked for. Name" : "name")
            + " it in the policy, or ask a chain with --rpc.");
    }

    static Claim Unreached(string name, bool isRequired) => isRequired
        ? new Claim(name, ClaimState.NotShown, "Not checked: the proof failed before.")
        : new Claim(name, ClaimState.NotShown, "The policy does not ask for it.");
}

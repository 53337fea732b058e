using Salus.Ledger.Evm;
using Salus.Ledger.Proofs;

namespace Salus.Ledger.Evidence;

/// <summary>A key of a log, and the sizes of the tree for which it signs: from <paramref name="FromSize"/> to <paramref name="ToSize"/>, both included.</summary>
public sealed record LogKey(NoteVerifier Key, long FromSize, long? ToSize);

/// <summary>A log that the checker trusts to be the one it means.</summary>
/// <param name="Origin">The first line of its checkpoints.</param>
/// <param name="Keys">Its keys, with their history.</param>
/// <param name="AnchorId">Its id at the anchor contract, 32 bytes; null where it is not anchored.</param>
public sealed record TrustedLog(string Origin, IReadOnlyList<LogKey> Keys, byte[]? AnchorId);

/// <summary>Where heads are anchored.</summary>
/// <param name="Blocks">Hashes of blocks that the checker has from elsewhere; may be empty when a chain is asked.</param>
public sealed record TrustedChain(ulong ChainId, Address Anchor, IReadOnlyList<byte[]> Blocks)
{
    /// <summary>The validators of a QBFT chain, whose seals on a block vouch for it; may be empty.</summary>
    public IReadOnlyList<Address> Validators { get; init; } = [];

    /// <summary>How many of them must have sealed a block; two thirds of them, as the consensus itself asks for, where a policy does not say.</summary>
    public int ValidatorsRequired { get; init; }

    /// <summary>As many of a number of validators as make a block final, fewer than a third of them being faulty.</summary>
    public static int QuorumOf(int validators) => (2 * validators + 2) / 3;
}

/// <summary>Whom a checker of proofs trusts. What it names is required: witnesses when it names some, the chain when it names one.</summary>
/// <param name="WitnessesRequired">How many of the witnesses must have cosigned.</param>
public sealed record ProofPolicy(IReadOnlyList<TrustedLog> Logs, IReadOnlyList<NoteVerifier> Witnesses, int WitnessesRequired, TrustedChain? Chain)
{
    const string FormatName = "salus-policy/1";
    const int BytesMax = 1 << 20;

    /// <summary>The policy as JSON in UTF-8.</summary>
    public byte[] ToBytes() => StrictJson.Write(new PolicyJson(
        FormatName,
        [.. Logs.Select(log => new LogJson(log.Origin, [.. log.Keys.Select(key => new KeyJson(key.Key.ToString(), key.FromSize, key.ToSize))], log.AnchorId is null ? null : Hex.Of(log.AnchorId)))],
        Witnesses.Count == 0 ? null : new WitnessesJson(WitnessesRequired, [.. Witnesses.Select(witness => witness.ToString())]),
        Chain is null ? null : new ChainJson(Chain.ChainId, Chain.Anchor.ToString(), [.. Chain.Blocks.Select(block => Hex.Of(block))],
            Chain.Validators.Count == 0 ? null : new ValidatorsJson(Chain.ValidatorsRequired, [.. Chain.Validators.Select(validator => validator.ToString())]))));

    /// <summary>Reads a policy.</summary>
    /// <exception cref="FormatException">Not a policy; the message names the part and the mend.</exception>
    public static ProofPolicy Read(ReadOnlySpan<byte> bytes)
    {
        var json = StrictJson.Read<PolicyJson>(bytes, BytesMax, "policy");
        if (json.Format != FormatName)
            throw new FormatException($"'format' is not '{FormatName}'.");
        if (json.Logs is not { Length: > 0 })
            throw new FormatException("'logs' names no log: give at least one with its origin and keys.");
        NoteVerifier[] witnesses = [.. (json.Witnesses?.Keys ?? []).Select((key, i) => Verifier(key, $"witnesses.keys[{i}]", isWitness: true))];
        var required = json.Witnesses?.Required ?? 0;
        if (json.Witnesses is not null && (required < 0 || required > witnesses.Select(witness => witness.Name).Distinct(StringComparer.Ordinal).Count()))
            throw new FormatException($"'witnesses.required' is {required}: it is at least 0 and at most the number of witnesses named.");
        return new ProofPolicy([.. json.Logs.Select(Log)], witnesses, required, json.Chain is null ? null : Place(json.Chain));
    }

    static TrustedLog Log(LogJson log, int index)
    {
        if (string.IsNullOrEmpty(log.Origin) || log.Keys is not { Length: > 0 })
            throw new FormatException($"'logs[{index}]' lacks its origin or its keys.");
        return new TrustedLog(
            log.Origin,
            [.. log.Keys.Select((key, i) => new LogKey(Verifier(key.Key, $"logs[{index}].keys[{i}].key", isWitness: false), key.FromSize, key.ToSize))],
            log.AnchorId is null ? null : Hash(log.AnchorId, $"logs[{index}].anchorId"));
    }

    static TrustedChain Place(ChainJson chain)
    {
        Address[] validators = [.. (chain.Validators?.Addresses ?? []).Select((text, i) => StrictJson.Part($"chain.validators.addresses[{i}]", () => Address.Parse(text)))];
        if (validators.Distinct().Count() != validators.Length)
            throw new FormatException("'chain.validators.addresses' names one validator twice.");
        var required = chain.Validators?.Required ?? TrustedChain.QuorumOf(validators.Length);
        if (chain.Validators is not null && (required < 1 || required > validators.Length))
            throw new FormatException($"'chain.validators.required' is {required}: it is at least 1 and at most the number of validators named.");
        return new TrustedChain(
            chain.ChainId, StrictJson.Part("chain.anchor", () => Address.Parse(chain.Anchor)), [.. (chain.Blocks ?? []).Select((block, i) => Hash(block, $"chain.blocks[{i}]"))])
        {
            Validators = validators,
            ValidatorsRequired = required,
        };
    }

    static NoteVerifier Verifier(string? text, string name, bool isWitness)
    {
        var verifier = StrictJson.Part(name, () => NoteVerifier.Parse(text ?? ""));
        return verifier.IsWitness == isWitness
            ? verifier
            : throw new FormatException($"'{name}' is a key for {(verifier.IsWitness ? "cosignatures: name it under 'witnesses'" : "a log: name it under 'logs'")}.");
    }

    static byte[] Hash(string? text, string name) => StrictJson.Part(name, () => Hex.Data(text, Keccak256.Size));

    sealed record PolicyJson(string? Format, LogJson[]? Logs, WitnessesJson? Witnesses, ChainJson? Chain);

    sealed record LogJson(string? Origin, KeyJson[]? Keys, string? AnchorId);

    sealed record KeyJson(string? Key, long FromSize = 0, long? ToSize = null);

    sealed record WitnessesJson(int Required, string[]? Keys);

    sealed record ChainJson(ulong ChainId, string? Anchor, string[]? Blocks, ValidatorsJson? Validators);

    sealed record ValidatorsJson(int? Required, string[]? Addresses);
}

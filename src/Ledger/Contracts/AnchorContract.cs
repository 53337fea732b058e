using System.Numerics;
using Salus.Ledger.Evm;

namespace Salus.Ledger.Contracts;

/// <summary>The head of a log that stands on chain; size 0 and no owner for an unknown log.</summary>
public sealed record AnchoredHead(ulong Size, byte[] Root, ulong BlockNumber, Address Owner);

/// <summary>A head was anchored.</summary>
public sealed record Anchored(byte[] Log, ulong OldSize, ulong NewSize, byte[] NewRoot);

/// <summary>Anchor.sol: a log's heads, each proven to extend the last.</summary>
public static class AnchorContract
{
    // The layout of Anchor.sol's storage: the first variable maps logs to heads, of which owner, size and block share a word from the right
    const byte HeadsSlot = 0;
    const int SizeBytes = 6;
    const int SizeOffset = Keccak256.Size - Address.Size - SizeBytes;

    /// <summary>The compiled contract.</summary>
    public static ContractArtifact Artifact { get; } = ContractArtifact.Load("Anchor");

    /// <summary>Creates the contract for a consortium.</summary>
    public static byte[] Create(Address members) => Artifact.Create(members);

    /// <summary>Anchors the next head; the first with old size 0 and no proof.</summary>
    public static byte[] Anchor(byte[] log, ulong oldSize, ulong newSize, byte[] newRoot, IReadOnlyList<byte[]> proof) =>
        Artifact.Function("anchor").Encode(log, oldSize, newSize, newRoot, proof);

    /// <summary>The head that stands.</summary>
    public static async Task<AnchoredHead> HeadAsync(
        EvmRpc rpc, Address contract, byte[] log, BlockTag tag = default, CancellationToken cancellationToken = default)
    {
        var head = await Artifact.ViewAsync(rpc, contract, "head", tag, cancellationToken, log);
        return new AnchoredHead((ulong)(BigInteger)head[0], (byte[])head[1], (ulong)(BigInteger)head[2], (Address)head[3]);
    }

    /// <summary>Whether the chain itself finds the leaf under the head that stands.</summary>
    public static async Task<bool> VerifyInclusionAsync(
        EvmRpc rpc, Address contract, byte[] log, byte[] leafHash, ulong index, IReadOnlyList<byte[]> proof,
        BlockTag tag = default, CancellationToken cancellationToken = default) =>
        (bool)(await Artifact.ViewAsync(rpc, contract, "verifyInclusion", tag, cancellationToken, log, leafHash, index, proof))[0];

    /// <summary>The event in a log entry; null where it is another.</summary>
    public static Anchored? TryDecode(EventLog log) => Artifact.Event("Anchored").TryDecode(log) is { } values
        ? new Anchored((byte[])values[0], (ulong)(BigInteger)values[1], (ulong)(BigInteger)values[2], (byte[])values[3])
        : null;

    /// <summary>The storage slot of a log's head: owner, size and block packed; its root stands in the <see cref="Next"/> slot.</summary>
    public static byte[] HeadSlot(byte[] log)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(log.Length, Keccak256.Size);
        return Keccak256.Hash([.. log, .. new byte[Keccak256.Size - 1], HeadsSlot]);
    }

    /// <summary>The slot after a slot.</summary>
    public static byte[] Next(byte[] slot)
    {
        var next = (new BigInteger(slot, isUnsigned: true, isBigEndian: true) + 1).ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[Math.Max(0, Keccak256.Size - next.Length)], .. next];
    }

    /// <summary>The size in the word of a head's first slot.</summary>
    public static ulong SizeIn(byte[] word) => (ulong)new BigInteger(word.AsSpan(SizeOffset, SizeBytes), isUnsigned: true, isBigEndian: true);
}

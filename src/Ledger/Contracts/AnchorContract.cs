using System.Numerics;
using Salus.Ledger.Evm;

namespace Salus.Ledger.Contracts;

/// <summary>Anchor.sol: a log's heads, each proven to extend the last.</summary>
public static partial class AnchorContract
{
    // The layout of Anchor.sol's storage: the first variable maps logs to heads, of which owner, size and block share a word from the right
    const byte HeadsSlot = 0;
    const int OwnerBytes = 8;
    const int SizeBytes = 6;
    const int SizeOffset = Keccak256.Size - OwnerBytes - SizeBytes;

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

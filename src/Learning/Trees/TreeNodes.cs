using System.Runtime.CompilerServices;

namespace Salus.Learning.Trees;

/// <summary>
/// A node as one number: the left child, what is left to the greatest code above the threshold, and the slot. The code
/// in that slot is added to it: where it is greater than the threshold, the sum carries into the child's number, which
/// is the right child's then. So a step is made without a comparison. A leaf has itself for left child and nothing left
/// to the greatest code, so that walks of several trees, or rows, can go on side by side until the last has ended.
/// </summary>
interface ITreeNode<TNode> where TNode : unmanaged, ITreeNode<TNode>
{
    /// <summary>The most nodes of a tree.</summary>
    static abstract int NodesMax { get; }

    static abstract int CodeBytes { get; }

    static abstract TNode Split(int left, int bin, int slot);

    static abstract TNode Leaf(int at);

    /// <summary>The child a row comes to, or the leaf itself. Slots are 2^<paramref name="shift"/> codes apart.</summary>
    static abstract int Next(TNode node, ref byte codes, int shift, nint lane);
}

/// <summary>Trees of up to 65,536 nodes and 256 slots, with codes of a byte as crowns have them.</summary>
readonly record struct ShortNode(uint Word) : ITreeNode<ShortNode>
{
    public const int SlotsMax = 256;

    // A code's sign bit is turned round for crowns; what that takes from it is given to the node.
    const int Turned = 128;

    public static int NodesMax => 1 << 16;

    public static int CodeBytes => 1;

    public static ShortNode Split(int left, int bin, int slot) =>
        new(((uint)left << 16) + ((uint)(byte.MaxValue - bin + Turned) << 8) + (uint)slot);

    public static ShortNode Leaf(int at) => new(((uint)at << 16) + (Turned << 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Next(ShortNode node, ref byte codes, int shift, nint lane)
    {
        var code = (sbyte)Unsafe.Add(ref codes, (nint)((uint)(byte)node.Word << shift) + lane);
        return (int)((node.Word + (uint)(code << 8)) >> 16);
    }
}

/// <summary>Trees of any size, with codes of 16 bits.</summary>
readonly record struct LongNode(ulong Word) : ITreeNode<LongNode>
{
    public static int NodesMax => int.MaxValue;

    public static int CodeBytes => sizeof(ushort);

    public int Slot => (ushort)Word;

    public int Left => (int)(Word >> 32);

    public static LongNode Split(int left, int bin, int slot) =>
        new(((ulong)left << 32) | ((ulong)(RowCodes.Greatest - bin - 1) << 16) | (uint)slot);

    public static LongNode Leaf(int at) => new((ulong)at << 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Next(LongNode node, ref byte codes, int shift, nint lane)
    {
        var code = Unsafe.Add(ref Unsafe.As<byte, ushort>(ref codes), (nint)((uint)(ushort)node.Word << shift) + lane);
        return (int)((node.Word + ((ulong)code << 16)) >> 32);
    }
}

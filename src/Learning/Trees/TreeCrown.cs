using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Salus.Learning.Trees;

/// <summary>
/// The upper part of a tree, judged for 32 rows at once and without a walk: every split in it is asked of every row, a
/// byte a row, and upper splits choose among what lower ones say. Splits stand in threes, one with the two below it,
/// which lead four ways. A row leaves by one of at most 256 exits: at a leaf, or at a node from which it walks on.
/// </summary>
sealed class TreeCrown
{
    /// <summary>Rows judged at once.</summary>
    public const int Rows = 1 << RowsShift;

    /// <summary>Their number's logarithm.</summary>
    public const int RowsShift = 5;

    /// <summary>The most bins of a feature whose codes fit a byte.</summary>
    public const int BinsMax = 256;

    // Each three has four ways, of which all but the root are one: 3 × 85 + 1 exits fit a byte.
    const int ThreesMax = 85;

    // Of a tree that is too large to be judged whole, more than these cost more than walking.
    const int ThreesOfPart = 21;
    const int ExitsMax = 256;
    const int FirstPlace = ExitsMax * Rows;

    readonly Three[] lowest;
    readonly Three[] upper;
    readonly int[] lowestPlaces;
    readonly int[] upperPlaces;

    TreeCrown(List<(int Place, Three Three)> threes, int[] exits, bool isWhole)
    {
        var (last, others) = (threes.Where(one => one.Three.HasExitsOnly).ToArray(), threes.Where(one => !one.Three.HasExitsOnly).Reverse().ToArray());
        (lowest, lowestPlaces) = ([.. last.Select(one => one.Three)], [.. last.Select(one => one.Place)]);
        (upper, upperPlaces) = ([.. others.Select(one => one.Three)], [.. others.Select(one => one.Place)]);
        (Exits, IsWhole) = (exits, isWhole);
    }

    /// <summary>The node at each exit.</summary>
    public int[] Exits { get; }

    /// <summary>Whether every exit is a leaf.</summary>
    public bool IsWhole { get; }

    /// <summary>A row goes right where its code is greater: where the codes begin, and the threshold in each of four bytes.</summary>
    readonly record struct Question(int Codes, uint Threshold)
    {
        /// <summary>No row goes right.</summary>
        public static readonly Question Nowhere = new(0, 0x7F7F7F7F);
    }

    /// <summary>A split with the two below it, and where in the room what each way comes to is said.</summary>
    readonly record struct Three(Question Upper, Question Left, Question Right, int A, int B, int C, int D)
    {
        public bool HasExitsOnly => Math.Max(Math.Max(A, B), Math.Max(C, D)) < FirstPlace;
    }

    /// <summary>Room for what threes say of the rows, after each exit's number for every row.</summary>
    public static byte[] NewRoom()
    {
        var room = new byte[FirstPlace + (ThreesMax * Rows)];
        for (var exit = 0; exit < ExitsMax; exit++)
            room.AsSpan(exit * Rows, Rows).Fill((byte)exit);
        return room;
    }

    /// <summary>How a bin is written: bytes are compared with their sign.</summary>
    public static byte CodeOf(int bin) => (byte)(bin ^ 0x80);

    /// <summary>The crown of a tree, which ends above nodes that ask for a set of categories.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="slotOf">In which slot's codes a node's question is answered.</param>
    public static TreeCrown Of(Tree tree, Func<int, int> slotOf)
    {
        var whole = Build(tree, slotOf, ThreesMax);
        return whole.IsWhole ? whole : Build(tree, slotOf, ThreesOfPart);
    }

    static TreeCrown Build(Tree tree, Func<int, int> slotOf, int threesMax)
    {
        bool IsAsked(int node) => !tree.IsLeaf(node) && tree.SetAt(node) is null;
        Question Ask(int node) => IsAsked(node) ? new Question(slotOf(node) * Rows, 0x01010101u * CodeOf(tree.Bin[node])) : Question.Nowhere;
        int[] Below(int node) => IsAsked(node) ? [tree.Next[node], tree.Next[node] + 1] : [node, node];

        // Breadth first, so that what is left out is what the fewest rows come to.
        List<int> roots = [0];
        List<int> exits = [];
        List<(int, Three)> threes = [];
        for (var at = 0; at < roots.Count; at++)
        {
            var (upper, left, right) = IsAsked(roots[at]) ? (Ask(roots[at]), tree.Next[roots[at]], tree.Next[roots[at]] + 1) : (Question.Nowhere, roots[at], roots[at]);
            // The exits of a lowest three come one after the other: their numbers are counted, not looked up.
            int[] ways = Array.ConvertAll([.. Below(left), .. Below(right)], node =>
            {
                if (IsAsked(node) && roots.Count < threesMax)
                {
                    roots.Add(node);
                    return FirstPlace + ((roots.Count - 1) * Rows);
                }
                exits.Add(node);
                return (exits.Count - 1) * Rows;
            });
            threes.Add((FirstPlace + (at * Rows), new Three(upper, Ask(left), Ask(right), ways[0], ways[1], ways[2], ways[3])));
        }
        return new TreeCrown(threes, [.. exits], exits.TrueForAll(tree.IsLeaf));
    }

    /// <summary>The number of the exit by which each of 32 rows leaves.</summary>
    /// <param name="codes">The codes of the rows, slot after slot.</param>
    /// <param name="room">Room from <see cref="NewRoom"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public ReadOnlySpan<byte> Leave(ReadOnlySpan<byte> codes, byte[] room)
    {
        ref var first = ref MemoryMarshal.GetReference(codes);
        ref var said = ref MemoryMarshal.GetArrayDataReference(room);
        for (var i = 0; i < lowest.Length; i++)
        {
            ref readonly var three = ref lowest[i];
            // Where a row goes right, the comparison is −1 in its byte.
            var left = Vector256.Create((sbyte)(three.A / Rows)) - Goes(three.Left, ref first);
            var right = Vector256.Create((sbyte)((three.A / Rows) + 2)) - Goes(three.Right, ref first);
            Vector256.ConditionalSelect(Goes(three.Upper, ref first), right, left).AsByte().StoreUnsafe(ref said, (nuint)lowestPlaces[i]);
        }
        for (var i = 0; i < upper.Length; i++)
        {
            ref readonly var three = ref upper[i];
            var left = Vector256.ConditionalSelect(Goes(three.Left, ref first), Said(ref said, three.B), Said(ref said, three.A));
            var right = Vector256.ConditionalSelect(Goes(three.Right, ref first), Said(ref said, three.D), Said(ref said, three.C));
            Vector256.ConditionalSelect(Goes(three.Upper, ref first), right, left).AsByte().StoreUnsafe(ref said, (nuint)upperPlaces[i]);
        }
        return room.AsSpan(FirstPlace, Rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<sbyte> Goes(Question question, ref byte codes) =>
        Vector256.GreaterThan(Vector256.LoadUnsafe(ref codes, (nuint)question.Codes).AsSByte(), Vector256.Create(question.Threshold).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<sbyte> Said(ref byte room, int at) => Vector256.LoadUnsafe(ref room, (nuint)at).AsSByte();
}

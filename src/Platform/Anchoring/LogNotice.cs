using System.Globalization;
using System.Text;
using Salus.Ledger.Proofs;

namespace Salus.Platform.Anchoring;

/// <summary>
/// What a log says of itself in a leaf that everyone may read: what was erased by whose authority, what was lost. A note signed by the log's
/// key, so that whoever can write to the database cannot make one.
/// </summary>
/// <param name="Origin">The log that says it.</param>
/// <param name="At">When.</param>
public abstract record LogNotice(string Origin, DateTimeOffset At)
{
    const string Format = "salus.health/notice/v1";
    const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>The contents of leaves were erased for good.</summary>
    /// <param name="Origin">The log that says it.</param>
    /// <param name="At">When.</param>
    /// <param name="Role">The role that decided.</param>
    /// <param name="Account">The account that decided.</param>
    /// <param name="Ground">The legal ground's code.</param>
    /// <param name="Leaves">The positions.</param>
    public sealed record Erasure(string Origin, DateTimeOffset At, string Role, Guid Account, string Ground, LeafRanges Leaves) : LogNotice(Origin, At);

    /// <summary>The rows of leaves were lost; their hashes are kept.</summary>
    /// <param name="Origin">The log that says it.</param>
    /// <param name="At">When it was noticed.</param>
    /// <param name="Leaves">The positions.</param>
    public sealed record Gap(string Origin, DateTimeOffset At, LeafRanges Leaves) : LogNotice(Origin, At);

    /// <summary>The log takes the place of another that could not be continued.</summary>
    /// <param name="Origin">The log that says it: the new one.</param>
    /// <param name="At">When.</param>
    /// <param name="Predecessor">The log that ended.</param>
    /// <param name="EndedSize">Leaves under its last anchored head.</param>
    /// <param name="EndedRoot">The root of that head.</param>
    /// <param name="Kept">How many of its leaves this log begins with; the others are lost.</param>
    public sealed record Succession(string Origin, DateTimeOffset At, string Predecessor, long EndedSize, byte[] EndedRoot, long Kept) : LogNotice(Origin, At);

    /// <summary>The text that is signed.</summary>
    public string ToText()
    {
        (string Kind, string[] Lines) what = this switch
        {
            Erasure erasure => ("erasure", [$"role {erasure.Role}", $"account {erasure.Account}", $"ground {erasure.Ground}", $"leaves {erasure.Leaves}"]),
            Gap gap => ("gap", [$"leaves {gap.Leaves}"]),
            Succession next => ("succession",
                [$"predecessor {next.Predecessor}", $"ended {Number(next.EndedSize)}", $"root {Convert.ToHexStringLower(next.EndedRoot)}", $"kept {Number(next.Kept)}"]),
            _ => throw new InvalidOperationException("Every notice has its text."),
        };
        string[] all = [Format, Origin, what.Kind, $"time {At.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}", .. what.Lines];
        return string.Join('\n', all) + "\n";
    }

    /// <summary>Reads a signed notice.</summary>
    /// <param name="note">The signed note.</param>
    /// <param name="verifierKey">A log key of the node, under whatever name: the key of all its logs is the same.</param>
    /// <returns>The notice; null where it is none, or another key has signed it.</returns>
    public static LogNotice? Read(string note, string verifierKey)
    {
        try
        {
            var signed = SignedNote.Parse(note);
            var notice = Parse(signed.Text);
            using var verifier = NoteVerifier.Parse($"{notice.Origin}{verifierKey[verifierKey.IndexOf('+', StringComparison.Ordinal)..]}");
            return signed.Verify(verifier).Count == 1 && notice.ToText() == signed.Text ? notice : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Reads a signed notice from the bytes of a leaf's row.</summary>
    public static LogNotice? Read(ReadOnlySpan<byte> note, string verifierKey) => Read(Encoding.UTF8.GetString(note), verifierKey);

    static LogNotice Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines is not [Format, var origin, var kind, ..])
        {
            throw new FormatException("Not a notice.");
        }
        var next = 3;
        string Value(string name) => next < lines.Length && lines[next].StartsWith(name + " ", StringComparison.Ordinal)
            ? lines[next++][(name.Length + 1)..]
            : throw new FormatException($"A notice of this kind has a line '{name}'.");
        long Count(string name) => long.Parse(Value(name), NumberStyles.None, CultureInfo.InvariantCulture);
        var at = DateTimeOffset.ParseExact(Value("time"), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        return kind switch
        {
            "erasure" => new Erasure(origin, at, Value("role"), Guid.ParseExact(Value("account"), "D"), Value("ground"), LeafRanges.Parse(Value("leaves"))),
            "gap" => new Gap(origin, at, LeafRanges.Parse(Value("leaves"))),
            "succession" => new Succession(origin, at, Value("predecessor"), Count("ended"), Convert.FromHexString(Value("root")), Count("kept")),
            _ => throw new FormatException($"There is no notice of kind '{kind}'."),
        };
    }

    static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Positions in the log, as ranges in order: <c>3-7,9</c>.</summary>
public sealed record LeafRanges(IReadOnlyList<(long First, long Last)> Ranges)
{
    const int RangesMax = 100_000;

    /// <summary>How many positions there are.</summary>
    public long Count => Ranges.Sum(range => range.Last - range.First + 1);

    /// <summary>The ranges of positions in ascending order.</summary>
    public static LeafRanges Of(IEnumerable<long> positions)
    {
        List<(long First, long Last)> ranges = [];
        foreach (var position in positions)
        {
            if (ranges.Count > 0 && ranges[^1].Last == position - 1)
            {
                ranges[^1] = (ranges[^1].First, position);
            }
            else
            {
                ranges.Add((position, position));
            }
        }
        return new LeafRanges(ranges);
    }

    /// <summary>Whether a position is among them.</summary>
    public bool Contains(long position)
    {
        var (low, high) = (0, Ranges.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (position < Ranges[middle].First)
            {
                high = middle - 1;
            }
            else if (position > Ranges[middle].Last)
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }
        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => Ranges.Count == 0 ? "none" : string.Join(',', Ranges.Select(range =>
        range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}"));

    /// <summary>PostgreSQL's form of them (int8multirange).</summary>
    public string ToMultirange() => $"{{{string.Join(',', Ranges.Select(range => $"[{range.First},{range.Last + 1})"))}}}";

    /// <summary>Reads ranges.</summary>
    /// <exception cref="FormatException">Not ranges in ascending order.</exception>
    public static LeafRanges Parse(string text)
    {
        List<(long First, long Last)> ranges = [];
        foreach (var part in text == "none" ? [] : text.Split(',', RangesMax + 1))
        {
            var ends = part.Split('-');
            var first = long.Parse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture);
            var last = ends.Length == 1 ? first : long.Parse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture);
            if (ends.Length > 2 || last < first || (ranges.Count > 0 && first <= ranges[^1].Last) || ranges.Count == RangesMax)
            {
                throw new FormatException($"'{part}' is no range of leaves after the one before.");
            }
            ranges.Add((first, last));
        }
        return new LeafRanges(ranges);
    }
}

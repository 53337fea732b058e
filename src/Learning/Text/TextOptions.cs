namespace Salus.Learning.Text;

/// <summary>How texts become sparse rows of term weights.</summary>
public sealed record TextOptions
{
    /// <summary>The longest run of words that is a term: 1 for words alone, 2 for pairs too.</summary>
    public int RunMax { get; init; } = 2;

    /// <summary>Terms in fewer training texts are left out.</summary>
    public int DocumentsMin { get; init; } = 2;

    /// <summary>The most frequent terms are kept, up to this many.</summary>
    public int TermsMax { get; init; } = 50_000;

    /// <summary>Whether 1 + ln(count) stands for a count.</summary>
    public bool Sublinear { get; init; } = true;

    /// <summary>Whether terms are weighted by the inverse share of training texts they are in (smoothed).</summary>
    public bool InverseFrequency { get; init; } = true;

    /// <summary>Whether each row is divided by its Euclidean length.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>Whether English words that only join others are left out.</summary>
    public bool LeaveOutJoins { get; init; }

    /// <summary>Above 0, terms are hashed into 2 to this power columns and no vocabulary is kept.</summary>
    public int HashBits { get; init; }

    /// <summary>Plain counts of words, without those that only join others.</summary>
    public static TextOptions Counts { get; } = new() { RunMax = 1, Sublinear = false, InverseFrequency = false, Normalize = false, LeaveOutJoins = true };

    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { RunMax: < 1 or > 2 } => $"RunMax is {RunMax}; give 1 or 2",
        { DocumentsMin: < 1 } => $"DocumentsMin is {DocumentsMin}; give 1 or more",
        { TermsMax: < 1 or > 1 << 24 } => $"TermsMax is {TermsMax}; give 1 to {1 << 24}",
        { HashBits: < 0 or > 24 } => $"HashBits is {HashBits}; give 1 to 24, or 0 for a vocabulary",
        _ => null,
    };
}

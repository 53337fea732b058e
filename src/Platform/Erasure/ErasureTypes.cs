namespace Salus.Platform.Erasure;

/// <summary>The grounds on which a record is erased, by code (Regulation (EU) 2016/679, article 17 paragraph 1).</summary>
public static class ErasureGrounds
{
    /// <summary>Code and words, in the order of the letters.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>
    {
        ["gdpr-17-1-a"] = "No longer needed for what it was collected for",
        ["gdpr-17-1-b"] = "The patient has withdrawn consent, and no other ground is left",
        ["gdpr-17-1-c"] = "The patient has objected, and nothing overrides it",
        ["gdpr-17-1-d"] = "It was processed unlawfully",
        ["gdpr-17-1-e"] = "The law demands it",
        ["gdpr-17-1-f"] = "It was collected from a child by an online service",
    };
}

/// <summary>What an erasure would take away.</summary>
/// <param name="Patient">The patient's logical id.</param>
/// <param name="Ground">The ground's code.</param>
/// <param name="Versions">How many versions of each resource type.</param>
/// <param name="Files">How many sealed files.</param>
/// <param name="Consents">How many consents.</param>
/// <param name="HasAccount">Whether an account goes with it.</param>
/// <param name="Confirmation">To be repeated in the second step, by the same administrator, while the record is as shown.</param>
public sealed record ErasurePreview(
    string Patient, string Ground, IReadOnlyDictionary<string, long> Versions, long Files, long Consents, bool HasAccount, string Confirmation);

/// <summary>An erasure as the log tells of it.</summary>
/// <param name="Id">The notice's entry.</param>
/// <param name="At">When.</param>
/// <param name="Role">The role that decided.</param>
/// <param name="Account">The account that decided.</param>
/// <param name="Ground">The ground's code.</param>
/// <param name="Count">How many leaves stand for what was erased.</param>
/// <param name="Leaves">Which.</param>
/// <param name="Position">The notice's own place in the log; null while it waits for it.</param>
/// <param name="Note">The signed notice.</param>
public sealed record ErasureView(string Id, DateTimeOffset At, string Role, Guid Account, string Ground, long Count, string Leaves, long? Position, string Note);

/// <summary>What became of the wish to see what an erasure takes away.</summary>
public abstract record PreviewOutcome
{
    PreviewOutcome() { }

    /// <summary>This.</summary>
    public sealed record Shown(ErasurePreview Preview) : PreviewOutcome;

    /// <summary>There is no patient of that id, or no longer.</summary>
    public sealed record Unknown : PreviewOutcome;

    /// <summary>The ground's code is none of the list.</summary>
    public sealed record NoSuchGround : PreviewOutcome;

    /// <summary>Only administrators erase.</summary>
    public sealed record NotAdministrator : PreviewOutcome;
}

/// <summary>What became of an erasure.</summary>
public abstract record ErasureOutcome
{
    ErasureOutcome() { }

    /// <summary>Done, for good.</summary>
    /// <param name="Notice">The notice's entry.</param>
    /// <param name="Leaves">Leaves that stand for what was erased.</param>
    /// <param name="Files">Sealed files that are being removed.</param>
    public sealed record Erased(string Notice, int Leaves, int Files) : ErasureOutcome;

    /// <summary>Nothing was erased.</summary>
    public sealed record Refused(PreviewOutcome Reason) : ErasureOutcome;

    /// <summary>The confirmation is not that of the record as it stands: it has changed since it was shown. Nothing was erased.</summary>
    public sealed record Unconfirmed : ErasureOutcome;

    /// <summary>The log has not taken the record's newest entries yet. Nothing was erased.</summary>
    public sealed record Busy : ErasureOutcome;
}

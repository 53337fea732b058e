using Salus.Platform.Anchoring;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>The parts that a timeline is read in.</summary>
public enum TimelinePart
{
    /// <summary>The visit itself.</summary>
    Visits,
    /// <summary>Diagnoses, allergies and what the doctor thinks.</summary>
    Conditions,
    /// <summary>What was measured.</summary>
    Results,
    /// <summary>Prescriptions, what was given, vaccinations.</summary>
    Medications,
    /// <summary>Procedures, plans and goals.</summary>
    Care,
    /// <summary>Notes, letters, images.</summary>
    Documents,
    /// <summary>What a model has said.</summary>
    Predictions,
    /// <summary>Claims and what was paid.</summary>
    Billing,
    /// <summary>Everything else.</summary>
    Other,
}

/// <summary>A file that is shown in the page.</summary>
/// <param name="Binary">The logical id of the Binary.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Length">Its bytes, where that is known.</param>
public sealed record TimelineFile(string Binary, string ContentType, string Title, long? Length);

/// <summary>One record as a reader sees it.</summary>
/// <param name="Type">The resource type.</param>
/// <param name="Id">The logical id.</param>
/// <param name="Version">The version shown.</param>
/// <param name="Part">Where it is read.</param>
/// <param name="Kind">What it is, in a word or two.</param>
/// <param name="Title">What it says, in a line.</param>
/// <param name="When">When it happened.</param>
/// <param name="Encounter">The visit it belongs to.</param>
/// <param name="Proof">How far its proof has come.</param>
public sealed record TimelineItem(
    string Type, string Id, int Version, TimelinePart Part, string Kind, string Title, DateTimeOffset? When, string? Encounter, ProofView Proof)
{
    /// <summary>The version's address under <c>/fhir</c>.</summary>
    public string Address => $"{Type}/{Id}/_history/{Version}";

    /// <summary>More to know, a line each.</summary>
    public IReadOnlyList<string> Facts { get; init; } = [];

    /// <summary>A note's words.</summary>
    public string? Note { get; init; }

    /// <summary>The value of a measurement.</summary>
    public string? Value { get; init; }

    /// <summary>The content to show or play.</summary>
    public TimelineFile? File { get; init; }

    /// <summary><c>normal</c>, <c>abnormal</c> or <c>unknown</c>, where a doctor or a model says so.</summary>
    public string? Assessment { get; init; }
}

/// <summary>A visit, or a day on which something was recorded outside a visit.</summary>
/// <param name="Key">The encounter's id, or the day.</param>
/// <param name="Title">What it was.</param>
/// <param name="When">When.</param>
/// <param name="Items">What was recorded.</param>
public sealed record TimelineVisit(string Key, string Title, DateTimeOffset? When, IReadOnlyList<TimelineItem> Items)
{
    /// <summary>The part's items.</summary>
    public IEnumerable<TimelineItem> Of(TimelinePart part) => Items.Where(item => item.Part == part);
}

/// <summary>One measure over time.</summary>
/// <param name="Name">What is measured.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Lines">One line, or two for a blood pressure.</param>
public sealed record VitalChart(string Name, string Unit, IReadOnlyList<VitalLine> Lines);

/// <summary>The values of one line, oldest first.</summary>
public sealed record VitalLine(string Name, IReadOnlyList<(DateTimeOffset When, double Value)> Points);

/// <summary>Whose record it is, as far as the consent covers it.</summary>
public sealed record PatientHeader(string Id, string Name, DateOnly? BirthDate, int? Age, string? Sex, IReadOnlyList<(string Kind, string Value)> Identifiers, bool Deceased);

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>What an entry became.</summary>
/// <param name="Patient">The patient's logical id.</param>
/// <param name="Records">Each record's type, id and version.</param>
public sealed record RecordedCondition(string Patient, IReadOnlyList<(string Type, string Id, int Version)> Records);

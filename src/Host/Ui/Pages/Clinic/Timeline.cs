using Salus.Platform.Records;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>A patient's records in the order of visits, newest first, in pages.</summary>
public sealed record Timeline(IReadOnlyList<TimelineVisit> Visits, int Page, int Pages, int VisitCount, IReadOnlyDictionary<TimelinePart, int> Counts)
{
    /// <summary>Visits on one page.</summary>
    public const int VisitsPerPage = 10;

    /// <summary>The page of a timeline, of all parts or of one.</summary>
    public static Timeline Of(IReadOnlyList<ProvenRecord> records, TimelinePart? part, int page)
    {
        var items = records.Select(RecordReader.Read).OfType<TimelineItem>().ToList();
        var files = items.Where(item => item.File is not null).Select(item => item.File!.Binary).ToHashSet(StringComparer.Ordinal);
        items.RemoveAll(item => item.Type == "Binary" && files.Contains(item.Id));
        var counts = items.GroupBy(item => item.Part).ToDictionary(group => group.Key, group => group.Count());
        var encounters = items.Where(item => item.Type == "Encounter").ToDictionary(item => item.Id);
        var visits = items
            .Where(item => part is null || item.Part == part)
            .GroupBy(item => item.Encounter is { } encounter && encounters.ContainsKey(encounter) ? encounter : item.When is { } when ? when.UtcDateTime.ToString("yyyy-MM-dd") : "undated")
            .Select(group => Visit(group.Key, encounters.GetValueOrDefault(group.Key), [.. group]))
            .OrderByDescending(visit => visit.When ?? DateTimeOffset.MinValue).ThenBy(visit => visit.Key, StringComparer.Ordinal)
            .ToList();
        var pages = Math.Max(1, (visits.Count + VisitsPerPage - 1) / VisitsPerPage);
        page = Math.Clamp(page, 1, pages);
        return new Timeline([.. visits.Skip((page - 1) * VisitsPerPage).Take(VisitsPerPage)], page, pages, visits.Count, counts);
    }

    static TimelineVisit Visit(string key, TimelineItem? encounter, List<TimelineItem> items) => new(
        key,
        encounter?.Title ?? (items.Count == 1 ? items[0].Kind : "Recorded without a visit"),
        encounter?.When ?? items.Max(item => item.When),
        [.. items.OrderBy(item => item.Part).ThenBy(item => item.Title, StringComparer.OrdinalIgnoreCase)]);
}

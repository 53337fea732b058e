using System.Text.Json;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>Names and particulars of patients, for lists.</summary>
static class PatientHeaders
{
    const int AtOnce = 200;

    /// <summary>By logical id, those that the caller may see; one audited search for each two hundred.</summary>
    public static async Task<Dictionary<string, PatientHeader>> OfAsync(RecordsDesk records, Caller caller, IReadOnlyList<string> patients, DateTimeOffset now, CancellationToken cancellation)
    {
        Dictionary<string, PatientHeader> known = [];
        foreach (var some in patients.Chunk(AtOnce))
        {
            if (await records.SearchAsync(caller, "Patient", [new("_id", string.Join(',', some)), new("_count", $"{AtOnce}")], Purpose.Treatment, cancellation) is SearchResult.Page found)
            {
                foreach (var record in found.Records)
                {
                    known[record.Id] = RecordReader.Header(record.Id, JsonElement.Parse(record.Bytes), now);
                }
            }
        }
        return known;
    }
}

using Salus.Host.Ui.Pages.Clinic;
using Salus.Platform.Audit;

namespace Salus.Host.Ui;

/// <summary>Facts of the audit trail in the words of those whom they concern.</summary>
static class AuditWords
{
    /// <summary>What was done, after the name of who did it: "read 41 entries, to treat".</summary>
    public static string Did(AuditFact fact) => fact.Action switch
    {
        AuditAction.Read => $"read {Entity(fact)}{For(fact)}",
        AuditAction.Search when fact.Entity is "list" => $"saw the name in a list of patients{For(fact)}",
        AuditAction.Search => $"searched and saw {Entity(fact)}{For(fact)}",
        AuditAction.Export when fact.Entity is "request" => "asked for an export",
        AuditAction.Export => $"exported {Entity(fact)}{For(fact)}",
        AuditAction.Create => $"added {Entity(fact)}",
        AuditAction.Update => $"changed {Entity(fact)}",
        AuditAction.Delete => $"deleted {Entity(fact)}",
        AuditAction.Import => $"imported {Entity(fact)}",
        AuditAction.Grant => "gave access",
        AuditAction.Revoke => "revoked access",
        AuditAction.Erase => "erased the record",
        AuditAction.Vote => $"voted on a member of the consortium, {fact.Detail}",
        AuditAction.Emergency => fact.Detail == "ended" ? "ended the emergency access" : "opened the record in an emergency",
        AuditAction.Release => "released a model for use, or withdrew it",
        AuditAction.Systems => "registered or withdrew another system, or was turned away as one",
        AuditAction.Feedback => "told what became of a model's advice",
        AuditAction.Predict => "let a model judge the record",
        _ => FhirText.Words(fact.Action.ToString()),
    };

    /// <summary>What a professional reads for, or another detail, in words; null where there is none.</summary>
    public static string? Detail(string? detail) => detail switch
    {
        null => null,
        "TREAT" => "to treat",
        "HPAYMT" => "to settle bills",
        "HRESCH" => "for research",
        "PATRQT" => "at the patient's request",
        "BTG" => "in an emergency, without consent",
        _ when detail.Contains(' ', StringComparison.Ordinal) => detail,
        _ => FhirText.Words(detail).ToLowerInvariant(),
    };

    /// <summary>A sentence's part in a list: the same person doing the same in a row is one line.</summary>
    public static IEnumerable<(AuditLine Line, int Times)> Grouped(IEnumerable<AuditLine> lines)
    {
        (AuditLine Line, int Times)? held = null;
        foreach (var line in lines)
        {
            if (held is { } same && same.Line.Fact == line.Fact && same.Line.Time.UtcDateTime.Date == line.Time.UtcDateTime.Date)
            {
                held = (same.Line, same.Times + 1);
                continue;
            }
            if (held is { } done)
            {
                yield return done;
            }
            held = (line, 1);
        }
        if (held is { } last)
        {
            yield return last;
        }
    }

    static string Entity(AuditFact fact) => fact.Entity switch
    {
        null or "record" => "the record",
        [>= '0' and <= '9', ..] counted when counted.EndsWith(" records", StringComparison.Ordinal) || counted.EndsWith(" resources", StringComparison.Ordinal) =>
            $"{counted.Split(' ')[0]} entries",
        var entity => FhirText.Words(entity.Split('/')[0]).ToLowerInvariant() switch { "patient" or "1 patient" => "the name and birth date", var words => words },
    };

    static string For(AuditFact fact) => fact.Detail is "TREAT" or "HPAYMT" or "HRESCH" or "BTG" ? $", {Detail(fact.Detail)}" : "";
}

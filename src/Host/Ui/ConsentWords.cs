using Salus.Platform.Consent;

namespace Salus.Host.Ui;

/// <summary>The terms of consents in words a patient uses.</summary>
static class ConsentWords
{
    /// <summary>What a category holds.</summary>
    public static string Of(RecordCategory category) => category switch
    {
        RecordCategory.Conditions => "Diagnoses, visits and procedures",
        RecordCategory.Results => "Measurements and laboratory results",
        RecordCategory.Medications => "Medications",
        RecordCategory.Prevention => "Vaccinations and allergies",
        RecordCategory.Documents => "Notes, letters and images",
        RecordCategory.Predictions => "What a model has said",
        RecordCategory.Billing => "Bills and insurance",
        _ => category.ToString(),
    };

    /// <summary>What it may be opened for.</summary>
    public static string Of(Purpose purpose) => purpose switch
    {
        Purpose.Treatment => "To treat me",
        Purpose.Payment => "To settle bills",
        Purpose.Research => "For research",
        _ => "At my request",
    };

    /// <summary>Several purposes in a row.</summary>
    public static string Of(IEnumerable<Purpose> purposes) =>
        string.Join(", ", purposes.Select((purpose, i) => i == 0 ? Of(purpose) : char.ToLowerInvariant(Of(purpose)[0]) + Of(purpose)[1..]));

    /// <summary>How far it has come.</summary>
    public static (string Text, string Class) Of(ConsentState state) => state switch
    {
        ConsentState.Active => ("In force", "badge-good"),
        ConsentState.Requested => ("On its way to the chain", "badge-wait"),
        ConsentState.Revoked => ("Revoked", "badge-bad"),
        _ => ("Expired", ""),
    };

    /// <summary>To whom; <paramref name="name"/> where the account is known.</summary>
    public static string Grantee(ConsentTerms terms, string? name) =>
        terms.Kind switch
        {
            GranteeKind.Hospital => "Every professional of this hospital",
            GranteeKind.Member => $"Every professional of {name ?? "a hospital that is no member any more"}",
            _ => name ?? "An account that is gone",
        };
}

namespace Salus.Platform.Consent;

/// <summary>The terms of consents in words a patient uses.</summary>
public static class ConsentWords
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

    /// <summary>Whose signature a consent or its revocation bears.</summary>
    public static string Of(ConsentSigner signer) => signer switch
    {
        ConsentSigner.Patient => "Signed with your passkey.",
        ConsentSigner.Hospital => "Signed by the hospital's key for you: there you have to trust the hospital.",
        _ => "Signed by somebody you let sign for you.",
    };

    /// <summary>Whose signatures a consent bears; delegates by their names, by the key in hexadecimal.</summary>
    public static string Signature(ConsentView view, IReadOnlyDictionary<string, string> delegates)
    {
        var granted = Of(view.SignedBy, view.Keys.Granted);
        var revoked = view.RevokedBy is { } by ? Of(by, view.Keys.Revoked ?? []) : granted;
        return revoked == granted ? granted : $"{granted} Revocation: {char.ToLowerInvariant(revoked[0])}{revoked[1..]}";

        string Of(ConsentSigner signer, byte[] key) => signer == ConsentSigner.Delegate && delegates.TryGetValue(Convert.ToHexStringLower(key), out var name)
            ? $"Signed by your delegate {name}."
            : ConsentWords.Of(signer);
    }

    /// <summary>What a patient who gives access is about to sign.</summary>
    public static IReadOnlyList<string> Grant(ConsentTerms terms, string? name) =>
    [
        $"You give access to your record to: {Grantee(terms, name)}.",
        $"They may read: {Categories(terms)}.",
        $"What for: {Of(terms.Purposes)}.",
        $"From {Of(terms.From)} until {Of(terms.Until)}.",
    ];

    /// <summary>What a patient who revokes access is about to sign.</summary>
    public static IReadOnlyList<string> Revocation(ConsentTerms terms, string? name) =>
    [
        $"You take back the access of: {Grantee(terms, name)}.",
        $"They could read: {Categories(terms)}.",
        "It ends at once and cannot be undone; you can give access anew.",
    ];

    /// <summary>What may be read.</summary>
    public static string Categories(ConsentTerms terms) =>
        terms.Categories.Distinct().Count() == Enum.GetValues<RecordCategory>().Length ? "Everything" : string.Join("; ", terms.Categories.Select(Of));

    /// <summary>To whom; <paramref name="name"/> where the account is known.</summary>
    public static string Grantee(ConsentTerms terms, string? name) =>
        terms.Kind switch
        {
            GranteeKind.Hospital => "Every professional of this hospital",
            GranteeKind.Member => $"Every professional of {name ?? "a hospital that is no member any more"}",
            _ => name ?? "An account that is gone",
        };

    internal static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture);
}

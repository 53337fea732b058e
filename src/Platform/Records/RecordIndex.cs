using Salus.Fhir.Definitions;
using Salus.Fhir.Search;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

/// <summary>Search values as keyed hashes: tokens whole, references by type and id, names of people and organisations by their beginnings.</summary>
sealed class RecordIndex(KeyVault vault)
{
    const int PrefixMax = 20;

    static readonly string[] Named = ["Patient", "Practitioner", "Organization"];

    /// <summary>What resources are found by; one without a value has no place in the list.</summary>
    /// <param name="drafts">The resources, each with its id here.</param>
    /// <param name="resolve">What a reference in them is written as here; null leaves it.</param>
    public List<BlindValues> ValuesOf(IReadOnlyList<Draft> drafts, Func<string, string?> resolve)
    {
        using var hash = vault.OpenBlindHash();
        List<BlindValues> records = new(drafts.Count);
        HashSet<Guid> hashes = [];
        foreach (var draft in drafts)
        {
            hashes.Clear();
            foreach (var value in SearchIndexer.R4.Extract(draft.Resource, resolve, parameter => IsTaken(draft.Type, parameter)))
            {
                Add(hashes, hash, $"{draft.Type}.{value.Parameter}", value);
            }
            if (hashes.Count > 0)
            {
                records.Add(new BlindValues(draft.Type, draft.Id, [.. hashes]));
            }
        }
        return records;
    }

    /// <summary>Whether a parameter of a type has values here.</summary>
    public static bool IsTaken(string type, SearchParameterDefinition parameter) => parameter.Type switch
    {
        // The id is the row's own.
        SearchType.Token => parameter.Code != "_id",
        SearchType.Reference => true,
        // Spelling alike is not sounding alike.
        SearchType.Text => parameter.Code != "phonetic" && Named.Contains(type),
        _ => false,
    };

    /// <summary>The hash under which a value of a parameter of a type stands.</summary>
    public Guid Blind(string type, string parameter, string value)
    {
        using var hash = vault.OpenBlindHash();
        return hash.UuidOf($"{type}.{parameter}", value);
    }

    /// <summary>The hash of a token as it is searched for: <c>code</c>, <c>system|code</c> or <c>|code</c>.</summary>
    public Guid BlindToken(string type, string parameter, string? system, string code) => Blind(type, parameter, TokenText(system, code));

    /// <summary>The hash of the beginning of a text.</summary>
    public Guid BlindPrefix(string type, string parameter, string text)
    {
        var normalised = NormalisedText.Of(text);
        return Blind(type, parameter, normalised.Length > PrefixMax ? normalised[..PrefixMax] : normalised);
    }

    static void Add(HashSet<Guid> hashes, BlindHash hash, string name, IndexValue value)
    {
        switch (value)
        {
            case IndexValue.Token token:
                hashes.Add(hash.UuidOf(name, TokenText(null, token.Code)));
                hashes.Add(hash.UuidOf(name, TokenText(token.System ?? "", token.Code)));
                break;
            case IndexValue.Reference reference:
                hashes.Add(hash.UuidOf(name, reference.Target.Text));
                break;
            case IndexValue.Text text:
                for (var length = 1; length <= Math.Min(PrefixMax, text.Normalised.Length); length++)
                {
                    hashes.Add(hash.UuidOf(name, text.Normalised.AsSpan(0, length)));
                }
                break;
        }
    }

    static string TokenText(string? system, string code) => system is null ? code : $"{system}|{code}";
}

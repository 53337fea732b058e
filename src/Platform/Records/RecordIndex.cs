using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

/// <summary>Search values as keyed hashes: tokens whole, references by type and id, names of people and organisations by their beginnings.</summary>
sealed class RecordIndex(KeyVault vault)
{
    const int PrefixMax = 20;

    static readonly string[] Named = ["Patient", "Practitioner", "Organization"];

    /// <summary>What a resource is found by.</summary>
    public List<BlindValue> ValuesOf(Resource resource, string id, Func<string, string?> map)
    {
        var type = resource.ResourceType;
        HashSet<(string Parameter, string Value)> plain = [];
        foreach (var value in SearchIndexer.R4.Extract(resource))
        {
            switch (value)
            {
                case { Parameter: "_id" or "phonetic" }:
                    // The id is the row's own; spelling alike is not sounding alike.
                    break;
                case IndexValue.Token token:
                    plain.Add((token.Parameter, TokenText(null, token.Code)));
                    plain.Add((token.Parameter, TokenText(token.System ?? "", token.Code)));
                    break;
                case IndexValue.Reference reference:
                    plain.Add((reference.Parameter, map(reference.Target.Text) ?? reference.Target.Text));
                    break;
                case IndexValue.Text text when Named.Contains(type):
                    for (var length = 1; length <= Math.Min(PrefixMax, text.Normalised.Length); length++)
                    {
                        plain.Add((text.Parameter, text.Normalised[..length]));
                    }
                    break;
            }
        }
        return [.. plain.Select(pair => new BlindValue(Blind(type, pair.Parameter, pair.Value), type, id))];
    }

    /// <summary>The hash under which a value of a parameter of a type stands.</summary>
    public byte[] Blind(string type, string parameter, string value) => vault.Blind($"{type}.{parameter}", value);

    /// <summary>The hash of a token as it is searched for: <c>code</c>, <c>system|code</c> or <c>|code</c>.</summary>
    public byte[] BlindToken(string type, string parameter, string? system, string code) => Blind(type, parameter, TokenText(system, code));

    /// <summary>The hash of the beginning of a text.</summary>
    public byte[] BlindPrefix(string type, string parameter, string text)
    {
        var normalised = NormalisedText.Of(text);
        return Blind(type, parameter, normalised.Length > PrefixMax ? normalised[..PrefixMax] : normalised);
    }

    static string TokenText(string? system, string code) => system is null ? code : $"{system}|{code}";
}

using Salus.Fhir.Definitions;
using Salus.Fhir.Search;
using Salus.Platform.Records.Indexing;

namespace Salus.Platform.Records;

/// <summary>What a record is found by: keyed hashes of what identifies or diagnoses, ranges of the rest.</summary>
sealed record IndexRow(string Type, string Id, string? Patient, DateTimeOffset Written, int Key, int[] Marks, Guid[] Hashes, IReadOnlyList<IndexRange> Ranges);

/// <summary>A range of time in microseconds since 1970, or of a number; with the keyed hashes of its unit.</summary>
sealed record IndexRange(int Name, double Low, double High, int[]? Units);

/// <summary>
/// Search values as keyed hashes: tokens whole; references by type and id; texts by their beginnings, whole, and by each three letters in a row;
/// dates of birth and death by year, month and day. Other dates, numbers and quantities are clear.
/// </summary>
sealed partial class RecordIndex(RecordDefinitions definitions, IndexState state)
{
    /// <summary>Longer beginnings are told apart after opening.</summary>
    const int PrefixMax = 20;
    const int Gram = 3;
    const int GrammedMax = 200;

    /// <summary>Parameters that are two others together: searched as these, and not indexed again.</summary>
    static readonly Dictionary<string, string[]> Combined = new()
    {
        ["combo-code"] = ["code", "component-code"],
        ["combo-value-concept"] = ["value-concept", "component-value-concept"],
        ["combo-value-quantity"] = ["value-quantity", "component-value-quantity"],
    };

    /// <summary>What is indexed.</summary>
    public RecordDefinitions Definitions => definitions;

    /// <summary>The rows under which resources are found.</summary>
    /// <param name="drafts">The resources, each with its id here.</param>
    /// <param name="patients">For each, the patient it is about.</param>
    /// <param name="written">When they are stored.</param>
    /// <param name="resolve">What a reference in them is written as here; null leaves it.</param>
    public List<IndexRow> RowsOf(IReadOnlyList<Draft> drafts, IReadOnlyList<string?> patients, DateTimeOffset written, Func<string, string?> resolve)
    {
        var key = state.Current.Writing;
        using var hash = key.Open(recurs: drafts.Count > 1);
        List<IndexRow> rows = new(drafts.Count);
        HashSet<Guid> hashes = [];
        HashSet<int> marks = [];
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            hashes.Clear();
            marks.Clear();
            List<IndexRange> ranges = [];
            foreach (var value in definitions.Indexer.Extract(draft.Resource, resolve, IsIndexed))
            {
                var name = hash.NameOf(draft.Type, value.Parameter);
                marks.Add(name);
                if (RangeOf(hash, draft.Type, name, value) is { } range)
                {
                    if (!ranges.Contains(range))
                    {
                        ranges.Add(range);
                    }
                }
                else
                {
                    Add(hashes, hash, $"{draft.Type}.{value.Parameter}", value);
                }
            }
            rows.Add(new IndexRow(draft.Type, draft.Id, patients[i], written, key.Number, [.. marks], [.. hashes], ranges));
        }
        return rows;
    }

    /// <summary>Whether searches by a parameter are taken; the others are told so by name.</summary>
    public static bool IsTaken(SearchParameterDefinition parameter) =>
        // Spelling alike is not sounding alike.
        (parameter.Type != SearchType.Special || parameter.Code == "near") && parameter.Code != "phonetic" && (parameter.Expression.Length > 0 || IsOfRecord(parameter.Code));

    /// <summary>Whether a parameter is answered without the index's values: by the row itself, or by opening.</summary>
    static bool IsOfRecord(string parameter) => parameter is "_id" or "_lastUpdated" or "_text" or "_content";

    /// <summary>Whether a date says when someone was born or died, which identifies.</summary>
    public static bool IsBlindDate(string parameter) => parameter is "birthdate" or "death-date";

    static bool IsIndexed(SearchParameterDefinition parameter) =>
        IsTaken(parameter) && parameter.Type != SearchType.Composite && !IsOfRecord(parameter.Code) && !Combined.ContainsKey(parameter.Code);

    static double Microseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / (double)TimeSpan.TicksPerMicrosecond;

    static IndexRange? RangeOf(IndexHash hash, string type, int name, IndexValue value) => value switch
    {
        IndexValue.Date date when !IsBlindDate(date.Parameter) => new IndexRange(name, Microseconds(date.Low), Microseconds(date.High), null),
        IndexValue.Number number => new IndexRange(name, (double)number.Low, (double)number.High, null),
        IndexValue.Quantity quantity => new IndexRange(name, (double)quantity.Low, (double)quantity.High, UnitsOf(hash, type, quantity)),
        _ => null,
    };

    static int[]? UnitsOf(IndexHash hash, string type, IndexValue.Quantity quantity) => quantity.Code is { } code
        ? [hash.ShortOf($"{type}.{quantity.Parameter}:unit", code), hash.ShortOf($"{type}.{quantity.Parameter}:unit", $"{quantity.System}|{code}")]
        : null;

    static void Add(HashSet<Guid> hashes, IndexHash hash, string name, IndexValue value)
    {
        switch (value)
        {
            case IndexValue.Token token:
                AddToken(hashes, hash, name, token.System, token.Code);
                break;
            case IndexValue.ReferenceIdentifier identifier:
                AddToken(hashes, hash, $"{name}:identifier", identifier.System, identifier.Code);
                break;
            case IndexValue.TypedIdentifier typed:
                hashes.Add(hash.UuidOf($"{name}:of-type", $"{typed.System}|{typed.Code}|{typed.Value}"));
                break;
            case IndexValue.Reference { Target: var target }:
                hashes.Add(hash.UuidOf(name, target is { IsAbsolute: false, Type: not null } ? $"{target.Type}/{target.Id}" : target.Text));
                break;
            case IndexValue.Text text:
                AddText(hashes, hash, name, text);
                break;
            case IndexValue.Uri uri:
                AddUri(hashes, hash, name, uri);
                break;
            case IndexValue.Date date:
                hashes.UnionWith(BlindDates.Of(date).Select(day => hash.UuidOf(name, day)));
                break;
        }
    }

    /// <remarks>A token without a system stands under <c>|code</c> alone: who searches for a code of any system asks for both.</remarks>
    static void AddToken(HashSet<Guid> hashes, IndexHash hash, string name, string? system, string code)
    {
        hashes.Add(hash.UuidOf(name, $"{system}|{code}"));
        if (system is not null)
        {
            hashes.Add(hash.UuidOf(name, code));
            hashes.Add(hash.UuidOf(name, $"{system}|"));
        }
    }

    static void AddText(HashSet<Guid> hashes, IndexHash hash, string name, IndexValue.Text text)
    {
        var normalised = text.Normalised;
        for (var length = 1; length <= Math.Min(PrefixMax, normalised.Length); length++)
        {
            hashes.Add(hash.UuidOf(name, normalised.AsSpan(0, length)));
        }
        hashes.Add(hash.UuidOf($"{name}:exact", text.Value));
        if (normalised.Length > GrammedMax)
        {
            hashes.Add(hash.UuidOf($"{name}:contains", ""));
            return;
        }
        for (var at = 0; at + Gram <= normalised.Length; at++)
        {
            hashes.Add(hash.UuidOf($"{name}:contains", normalised.AsSpan(at, Gram)));
        }
    }

    static void AddUri(HashSet<Guid> hashes, IndexHash hash, string name, IndexValue.Uri uri)
    {
        hashes.Add(hash.UuidOf(name, uri.Value));
        var version = uri.Value.IndexOf('|');
        if (version > 0)
        {
            hashes.Add(hash.UuidOf(name, uri.Value.AsSpan(0, version)));
        }
        // What every resource may carry is found below a URI by opening.
        if (!uri.Parameter.StartsWith('_'))
        {
            foreach (var above in AboveUri(uri.Value))
            {
                hashes.Add(hash.UuidOf($"{name}:below", above));
            }
        }
    }

    /// <summary>A URI without its last slash, and each of its beginnings that end before a slash.</summary>
    static IEnumerable<string> AboveUri(string uri)
    {
        const int segmentsMax = 24;
        var rest = uri.TrimEnd('/');
        for (var i = 0; i < segmentsMax && rest.Length > 0; i++)
        {
            yield return rest;
            var slash = rest.LastIndexOf('/');
            rest = slash < 0 ? "" : rest[..slash].TrimEnd('/');
        }
    }
}

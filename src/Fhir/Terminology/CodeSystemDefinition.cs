using Salus.Fhir.Elements;

namespace Salus.Fhir.Terminology;

/// <summary>A concept of a code system.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Display">What it is called, if that is stated.</param>
/// <param name="Parent">The code of the concept it stands under, if any.</param>
public sealed record Concept(string Code, string? Display, string? Parent);

/// <summary>A code system, as far as its concepts are known here.</summary>
public sealed class CodeSystemDefinition
{
    readonly Dictionary<string, Concept> _concepts;

    CodeSystemDefinition(Resource source)
    {
        Url = source["url"].Text ?? "";
        Version = source["version"].Text;
        Name = source["name"].Text;
        IsComplete = source["content"].Text == "complete";
        IsCaseSensitive = source["caseSensitive"].Kind != ElementKind.False;
        _concepts = new(IsCaseSensitive ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        var order = new List<Concept>();
        Take(source["concept"], null, order);
        Concepts = order;
    }

    /// <summary>Its URL.</summary>
    public string Url { get; }

    /// <summary>Its business version, if stated.</summary>
    public string? Version { get; }

    /// <summary>Its name, if stated.</summary>
    public string? Name { get; }

    /// <summary>Whether all its concepts are known, so that a code not among them is wrong.</summary>
    public bool IsComplete { get; }

    /// <summary>Whether capitals make another code.</summary>
    public bool IsCaseSensitive { get; }

    /// <summary>The concepts known, parents before their children.</summary>
    public IReadOnlyList<Concept> Concepts { get; }

    internal static CodeSystemDefinition From(Resource source) => new(source);

    /// <summary>The concept of a code, or null.</summary>
    public Concept? Find(string code) => _concepts.GetValueOrDefault(code);

    /// <summary>Whether a concept is another or stands under it.</summary>
    public bool IsA(string code, string ancestor)
    {
        var at = Find(code);
        for (var steps = 0; at is not null && steps <= Concepts.Count; steps++)
        {
            if (string.Equals(at.Code, ancestor, StringComparison.Ordinal))
            {
                return true;
            }
            at = at.Parent is null ? null : Find(at.Parent);
        }
        return false;
    }

    /// <summary>A concept and those under it.</summary>
    public IEnumerable<Concept> Below(string code) => Concepts.Where(concept => IsA(concept.Code, code));

    /// <summary>A concept and those above it.</summary>
    public IEnumerable<Concept> Above(string code) => Concepts.Where(concept => IsA(code, concept.Code));

    void Take(Element list, string? parent, List<Concept> order)
    {
        foreach (var item in list.Items)
        {
            if (item["code"u8].Text is { } code)
            {
                var concept = new Concept(code, item["display"u8].Text, parent);
                if (_concepts.TryAdd(code, concept))
                {
                    order.Add(concept);
                }
                Take(item["concept"u8], code, order);
            }
        }
    }
}

using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>A document holds everything its Composition refers to, and nothing that no reference reaches (R4 section 3.3.1).</summary>
sealed class DocumentRules(ValidationRun run, Element bundle)
{
    static readonly string[][] Paths =
    [
        ["subject"], ["encounter"], ["author"], ["attester", "party"], ["custodian"], ["event", "detail"], ["relatesTo", "targetReference"],
    ];

    /// <summary>Checks the document.</summary>
    public void Check()
    {
        var entries = new List<Element>();
        foreach (var entry in bundle["entry"u8].Items)
        {
            if (entry["resource"u8].Kind == ElementKind.Complex)
            {
                entries.Add(entry);
            }
        }
        if (entries.Count == 0 || !entries[0]["resource"u8]["resourceType"u8].Is("Composition"u8))
        {
            return;
        }
        var composition = entries[0]["resource"u8];
        foreach (var path in Paths)
        {
            CheckPath(composition, composition, path, 0);
        }
        CheckSections(composition, composition["section"u8]);
        CheckReached(entries);
    }

    void CheckPath(Element at, Element composition, string[] path, int step)
    {
        if (step == path.Length)
        {
            CheckReference(at, composition);
            return;
        }
        foreach (var item in at[path[step]].Items)
        {
            CheckPath(item, composition, path, step + 1);
        }
    }

    void CheckSections(Element composition, Element sections)
    {
        foreach (var section in sections.Items)
        {
            foreach (var name in (string[])["author", "focus", "entry"])
            {
                CheckPath(section, composition, [name], 0);
            }
            CheckSections(composition, section["section"u8]);
        }
    }

    void CheckReference(Element reference, Element composition)
    {
        if (reference["reference"u8] is { Kind: ElementKind.Text } literal && run.Scope.Resolve(literal.Text!, literal, composition).IsMissing)
        {
            run.Add(literal, "not-found", $"The document has no entry for '{ValidationRun.Short(literal)}'.");
        }
    }

    /// <summary>Every entry is linked with the Composition by references, in whichever direction.</summary>
    void CheckReached(List<Element> entries)
    {
        var group = Enumerable.Range(0, entries.Count).ToArray();
        var byPlace = new Dictionary<int, int>();
        for (var entry = 0; entry < entries.Count; entry++)
        {
            byPlace[entries[entry]["resource"u8].Index] = entry;
        }
        for (var entry = 0; entry < entries.Count; entry++)
        {
            var resource = entries[entry]["resource"u8];
            Join(resource, resource, entry, byPlace, group);
        }
        for (var entry = 1; entry < entries.Count; entry++)
        {
            if (Group(group, entry) != Group(group, 0))
            {
                run.Add(entries[entry], "informational", "No reference links this entry with the document's Composition.");
            }
        }
    }

    void Join(Element at, Element owner, int entry, Dictionary<int, int> byPlace, int[] group)
    {
        foreach (var child in at.Children)
        {
            if (child.Kind is ElementKind.Complex or ElementKind.Array)
            {
                Join(child, owner, entry, byPlace, group);
            }
            else if (child.Kind == ElementKind.Text && child.NameUtf8.SequenceEqual("reference"u8)
                && run.Scope.Resolve(child.Text!, child, owner) is { IsMissing: false } target && byPlace.TryGetValue(target.Index, out var other))
            {
                group[Group(group, entry)] = Group(group, other);
            }
        }
    }

    static int Group(int[] group, int entry)
    {
        while (group[entry] != entry)
        {
            entry = group[entry];
        }
        return entry;
    }
}

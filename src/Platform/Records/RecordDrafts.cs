using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;

namespace Salus.Platform.Records;

/// <summary>A resource on its way in, with the id it will have.</summary>
/// <param name="Resource">As it was sent.</param>
/// <param name="FullUrl">What others in the same bundle call it.</param>
/// <param name="Id">The logical id given to it here.</param>
/// <param name="Path">Where it stands in what was sent, for messages.</param>
/// <param name="Blob">The sealed hash of the content it stands for.</param>
sealed record Draft(Resource Resource, string? FullUrl, string Id, string Path = "", byte[]? Blob = null)
{
    public string Type => Resource.ResourceType;

    public string Name => $"{Resource.ResourceType}/{Id}";
}

/// <summary>The resources of one write: validated together, their references to one another resolved.</summary>
sealed class DraftSet
{
    readonly Dictionary<string, string> names;

    /// <summary>Drafts that were validated.</summary>
    /// <param name="drafts">In the order they were sent.</param>
    /// <param name="known">What full URLs and conditional references stand for that lead to records already here.</param>
    public DraftSet(IReadOnlyList<Draft> drafts, IReadOnlyDictionary<string, string>? known = null)
    {
        names = known is null ? [] : new(known);
        Drafts = drafts;
        foreach (var draft in drafts)
        {
            if (draft.FullUrl is { } url)
            {
                names.TryAdd(url, draft.Name);
            }
            if (draft.Resource.Id is { } id)
            {
                names.TryAdd($"{draft.Type}/{id}", draft.Name);
            }
        }
    }

    public IReadOnlyList<Draft> Drafts { get; }

    /// <summary>What is wrong with resources, each with the place in what was sent; empty when all is well.</summary>
    public static IReadOnlyList<FhirIssue> Validate(Validator validator, IEnumerable<(Resource Resource, string Path)> resources)
    {
        const int issuesMax = 100;
        List<FhirIssue> issues = [];
        foreach (var (resource, path) in resources)
        {
            foreach (var issue in validator.Validate(resource))
            {
                if (issue.Severity is IssueSeverity.Error or IssueSeverity.Fatal && issues.Count < issuesMax)
                {
                    issues.Add(path.Length == 0 ? issue : issue with { Expression = $"{path}.{issue.Expression}" });
                }
            }
        }
        return issues;
    }

    /// <summary>
    /// What a reference inside a draft is written as here; null leaves it as it is. A urn tells no type, so whose record a draft belongs to and what it
    /// is found by is seen through this.
    /// </summary>
    public string? Map(string reference) => names.TryGetValue(reference, out var name) ? name : null;

    /// <summary>The logical id of the patient a draft is about, or null.</summary>
    public string? PatientOf(Draft draft)
    {
        if (draft.Type == "Patient")
        {
            return draft.Id;
        }
        foreach (var reference in PatientCompartment.References(draft.Resource, Map))
        {
            if (reference.Text.StartsWith("Patient/", StringComparison.Ordinal))
            {
                return reference.Text["Patient/".Length..];
            }
        }
        return null;
    }

    /// <summary>References by urn that lead nowhere.</summary>
    public IEnumerable<FhirIssue> Unresolved() =>
        from draft in Drafts
        from reference in ResourceRewriter.References(draft.Resource)
        where reference.StartsWith("urn:uuid:", StringComparison.Ordinal) && Map(reference) is null
        select new FhirIssue(IssueSeverity.Error, "not-found", draft.Path.Length == 0 ? draft.Type : draft.Path,
            $"The reference {reference} leads to nothing in this bundle. Send what it refers to in the same bundle, or refer to it by type and id.");
}

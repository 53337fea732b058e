using System.Text.RegularExpressions;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;

namespace Salus.Platform.Records.Indexing;

/// <summary>A search parameter that was added here.</summary>
/// <param name="Id">Its record's logical id; empty for a new one.</param>
/// <param name="Resource">The SearchParameter.</param>
/// <param name="Definition">What it says.</param>
/// <param name="IsReady">Whether every record can be found by it.</param>
sealed partial record StoredParameter(string Id, Resource Resource, SearchParameterDefinition Definition, bool IsReady)
{
    /// <summary>Types whose dates tell who someone is; the index would hold them in the clear.</summary>
    static readonly string[] People = ["Patient", "Person", "RelatedPerson", "Practitioner"];

    /// <summary>Types that have no rows in the index, or none that anybody searches.</summary>
    static readonly string[] Unindexed = ["Consent", "AuditEvent"];

    /// <summary>The parameter that a SearchParameter describes; null where it lacks code, url or type.</summary>
    public static StoredParameter? Of(string id, Resource resource, bool isReady) =>
        DefinitionPackage.Of([resource]).SearchParameters is [var definition] ? new StoredParameter(id, resource, definition, isReady) : null;

    /// <summary>Why it cannot count beside the parameters there are; empty where it can.</summary>
    public IReadOnlyList<FhirIssue> Objections(FhirDefinitions own, IReadOnlyList<StoredParameter> others)
    {
        List<FhirIssue> issues = [];
        void Object(string code, string element, string message) => issues.Add(new FhirIssue(IssueSeverity.Error, code, $"SearchParameter.{element}", message));
        if (Resource["status"].Text != "active")
        {
            Object("value", "status", "What is stored counts at once. Its status must be active.");
        }
        if (!Code().IsMatch(Definition.Code))
        {
            Object("value", "code", $"'{Definition.Code}' is no name for a parameter: letters, digits and hyphens, a letter first.");
        }
        if (Definition.Type is SearchType.Composite or SearchType.Special)
        {
            Object("not-supported", "type", "Composite and special parameters cannot be added.");
        }
        if (own.SearchParameters.Any(known => known.Url == Definition.Url) || others.Any(other => other.Id != Id && other.Definition.Url == Definition.Url))
        {
            Object("duplicate", "url", $"{Definition.Url} is taken. Give it an address of its own.");
        }
        if (Definition.Bases.Where(type => Unindexed.Contains(type) || own.Type(type) is not { Kind: TypeKind.Resource, IsAbstract: false }).ToList() is { Count: > 0 } strange || Definition.Bases.Count == 0)
        {
            Object("value", "base", "Name resource types of R4, other than Resource, DomainResource, Consent and AuditEvent.");
            return issues;
        }
        foreach (var type in Definition.Bases)
        {
            if (own.SearchParametersOf(type).Any(known => known.Code == Definition.Code)
                || others.Any(other => other.Id != Id && other.Definition.Code == Definition.Code && other.Definition.Bases.Contains(type)))
            {
                Object("duplicate", "code", $"{type} has a parameter '{Definition.Code}'. Choose another name.");
            }
            if (Definition.Type == SearchType.Date && People.Contains(type))
            {
                Object("not-supported", "type", $"Dates of {type} identify, and those of added parameters stand in the clear. Search by birthdate or death-date.");
            }
            if (SearchIndexer.ObjectionTo(own, type, Definition.Expression) is { } reason)
            {
                Object("invalid", "expression", $"The expression cannot be used for {type}: {reason}.");
            }
        }
        return issues;
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9-]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex Code();
}

using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>Whose record a resource belongs to, by R4's CompartmentDefinition of Patient.</summary>
public static class PatientCompartment
{
    /// <summary>The id of the patient; null when the resource belongs to none. Where several are named, the first by the definition's order.</summary>
    public static string? PatientOf(Resource resource) => PatientsOf(resource) is [var first, ..] ? first : null;

    /// <summary>The ids of all patients in whose compartment the resource is, without duplicates.</summary>
    public static IReadOnlyList<string> PatientsOf(Resource resource)
    {
        if (resource.ResourceType == "Patient")
        {
            return resource.Id is null ? [] : [resource.Id];
        }
        return [.. References(resource).Where(reference => reference.Type == "Patient").Select(reference => reference.Id!).Distinct()];
    }

    /// <summary>The references that can put the resource into a patient's compartment.</summary>
    /// <param name="resource">A resource that was read.</param>
    /// <param name="resolve">Given a literal reference, what stands for it (a urn of a transaction names no type); null leaves it.</param>
    public static IEnumerable<LiteralReference> References(Resource resource, Func<string, string?>? resolve = null)
    {
        foreach (var code in FhirDefinitions.R4.CompartmentParameters("Patient", resource.ResourceType))
        {
            if (SearchIndexer.R4.Evaluate(resource, code, resolve) is not { } results)
            {
                continue;
            }
            foreach (var item in results)
            {
                if (results.ReferenceOf(item.Element) is { } reference)
                {
                    yield return reference;
                }
            }
        }
    }
}

using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Platform.Records;

/// <summary>What is right and wrong with a resource that is not to be stored.</summary>
static class RecordValidation
{
    /// <summary>The findings; none when all is well.</summary>
    public static IReadOnlyList<FhirIssue> Of(string type, Resource resource) => resource.ResourceType == type
        ? Validator.R4.Validate(resource)
        : [new FhirIssue(IssueSeverity.Error, "invalid", resource.ResourceType, $"The body is a {resource.ResourceType}, the address names {type}.")];
}

using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Platform.Records;

/// <summary>What is right and wrong with a resource that is not to be stored (R4 section 2.28.1).</summary>
static class RecordValidation
{
    static readonly Validator Everything = new(FhirDefinitions.R4, ValidationOptions.Everything);

    /// <summary>The findings; none when all is well.</summary>
    /// <param name="type">The type that is expected.</param>
    /// <param name="body">The resource, or Parameters that hold it and perhaps a profile.</param>
    /// <param name="profiles">Profiles to which it is held besides those that it names.</param>
    public static IReadOnlyList<FhirIssue> Of(string type, Resource body, IReadOnlyList<string> profiles)
    {
        var resource = body;
        if (body.ResourceType == "Parameters" && type != "Parameters")
        {
            var input = OperationInput.Of(body);
            if (input.Resource("resource") is not { } inner)
            {
                return [new FhirIssue(IssueSeverity.Error, "required", "Parameters", "The Parameters hold no part 'resource'.")];
            }
            (resource, profiles) = (inner, input["profile"] is { } profile ? [.. profiles, profile] : profiles);
        }
        if (resource.ResourceType != type)
        {
            return [new FhirIssue(IssueSeverity.Error, "invalid", resource.ResourceType, $"The body is a {resource.ResourceType}, the address names {type}.")];
        }
        return profiles.FirstOrDefault(profile => FhirDefinitions.R4.Profile(profile) is null) is { } unknown
            ? [new FhirIssue(IssueSeverity.Error, "not-found", "", $"The profile {unknown} is not known here.")]
            : Everything.Validate(resource, profiles);
    }
}

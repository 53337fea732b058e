using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Checks resources against R4: structure, formats, codes, references, extensions, invariants, profiles, Bundles.</summary>
public sealed class Validator(FhirDefinitions definitions, ValidationOptions? options = null)
{
    readonly ValidationOptions _options = options ?? ValidationOptions.Refusals;

    /// <summary>A validator over R4's own definitions that finds errors.</summary>
    public static Validator R4 { get; } = new(FhirDefinitions.R4);

    /// <summary>Every rule the resource breaks, at most <paramref name="issuesMax"/>; empty when it is valid.</summary>
    public IReadOnlyList<FhirIssue> Validate(Resource resource, int issuesMax = 200) => Validate(resource, [], issuesMax);

    /// <summary>The same, the resource being held to more profiles than its meta names, given by their canonical URLs.</summary>
    public IReadOnlyList<FhirIssue> Validate(Resource resource, IReadOnlyList<string> profiles, int issuesMax = 200)
    {
        var run = new ValidationRun(definitions, _options, resource.Root, issuesMax);
        var walk = new StructureWalk(run);
        walk.CheckRoot(resource.Root);
        foreach (var profile in profiles)
        {
            walk.Profiles.CheckNamed(resource.Root, profile, resource.Root);
        }
        return run.Issues;
    }
}

using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>What a validation looks at, and how gravely it takes what the specification leaves open.</summary>
public sealed record ValidationOptions
{
    /// <summary>What a create or update is held to: errors alone.</summary>
    public static ValidationOptions Refusals { get; } = new();

    /// <summary>Everything there is to say: warnings and information too.</summary>
    public static ValidationOptions Everything { get; } = new() { Least = IssueSeverity.Information };

    /// <summary>The least severity that is reported; rules that cannot reach it are not even evaluated.</summary>
    public IssueSeverity Least { get; init; } = IssueSeverity.Error;

    /// <summary>Whether a resource is held to the profiles that its meta names.</summary>
    public bool ChecksProfiles { get; init; } = true;

    /// <summary>How grave it is that a value breaks a profile or an extension's definition: an error, or a warning.</summary>
    public IssueSeverity ProfileFailure { get; init; } = IssueSeverity.Error;

    /// <summary>Whether an extension that no definition is known for is an error rather than information.</summary>
    public bool RefusesUnknownExtensions { get; init; }

    /// <summary>
    /// Whether a code that its code system does not define is an error rather than a warning. Systems that grow after R4 have codes that are not known here.
    /// </summary>
    public bool RefusesUnknownCodes { get; init; }

    /// <summary>Whether URLs of hosts that exist for examples only (RFC 2606) are errors.</summary>
    public bool RefusesExampleUrls { get; init; }

    /// <summary>Whether a string that holds what looks like HTML is an error.</summary>
    public bool RefusesMarkupInStrings { get; init; }

    /// <summary>Whether a reference must lead to something in the same text.</summary>
    public bool RequiresTargets { get; init; }
}

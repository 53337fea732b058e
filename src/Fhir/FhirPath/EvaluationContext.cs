namespace Salus.Fhir.FhirPath;

/// <summary>Answers questions about codes for <c>memberOf</c> and <c>subsumes</c>.</summary>
public interface ITerminology
{
    /// <summary>Whether a code, Coding or CodeableConcept is in a value set; null when that is not known.</summary>
    /// <param name="coded">The element that was asked about.</param>
    /// <param name="valueSetUrl">The value set's canonical URL.</param>
    bool? IsMember(FhirPathItem coded, string valueSetUrl);

    /// <summary>Whether a code of a system is another or stands over it; null when that is not known.</summary>
    bool? Subsumes(string system, string above, string below);
}

/// <summary>Answers <c>conformsTo</c> for profiles that are more than a base type.</summary>
public interface IProfileChecker
{
    /// <summary>Whether an element conforms to a profile; null when there is no such profile.</summary>
    bool? Conforms(FhirPathItem element, string profileUrl);
}

/// <summary>What an evaluation may look at beside its focus, and how far it may go.</summary>
public sealed record EvaluationContext
{
    /// <summary>The context used when none is given: nothing resolves, and time is the system's.</summary>
    public static EvaluationContext Default { get; } = new();

    /// <summary><c>%resource</c>; the focus when null.</summary>
    public FhirPathItem? Resource { get; init; }

    /// <summary><c>%rootResource</c>: the resource that contains <see cref="Resource"/>; that itself when null.</summary>
    public FhirPathItem? RootResource { get; init; }

    /// <summary>What <c>now()</c> and its like tell.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Finds what a literal reference points to, outside its own resource; null for what cannot be found.</summary>
    public Func<string, FhirPathItem?>? Resolve { get; init; }

    /// <summary>Answers <c>memberOf</c>; without it that is an error.</summary>
    public ITerminology? Terminology { get; init; }

    /// <summary>Answers <c>conformsTo</c> for profiles; without it base types alone are known.</summary>
    public IProfileChecker? Profiles { get; init; }

    /// <summary>Receives what <c>trace</c> tells: a name and at most some of the items, as text.</summary>
    public Action<string, string>? Trace { get; init; }

    /// <summary>Further variables, by their names without <c>%</c>.</summary>
    public IReadOnlyDictionary<string, FhirPathCollection> Variables { get; init; } = new Dictionary<string, FhirPathCollection>();

    /// <summary>
    /// Whether <c>as</c> refuses several items, as the specification says. Off unless asked for, because R4's own invariants and search parameters
    /// filter collections with it (<c>descendants().as(canonical)</c> in dom-3).
    /// </summary>
    public bool IsAsForOne { get; init; }

    /// <summary>How many steps an evaluation may take.</summary>
    public int StepsMax { get; init; } = 2_000_000;

    /// <summary>How many items a collection may have.</summary>
    public int ItemsMax { get; init; } = 200_000;

    /// <summary>How many characters a string may have that functions make.</summary>
    public int CharactersMax { get; init; } = 1 << 20;
}

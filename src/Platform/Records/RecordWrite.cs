using Microsoft.AspNetCore.WebUtilities;
using Salus.Fhir.Elements;
using Salus.Ledger.Proofs;

namespace Salus.Platform.Records;

/// <summary>What is done to a resource.</summary>
enum WriteVerb
{
    /// <summary>Stored under an id given here; on a condition, only where nothing matches.</summary>
    Create,

    /// <summary>A new version; on a condition, of the one that matches, or the first where none does.</summary>
    Update,

    /// <summary>A version that says it is gone; on a condition, of the one that matches.</summary>
    Delete,

    /// <summary>A new version that a patch makes of the one that stands; on a condition, of the one that matches.</summary>
    Patch,
}

/// <summary>One wish to write.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Type">The resource type.</param>
sealed record RecordWrite(WriteVerb Verb, string Type)
{
    /// <summary>The content; null for a deletion, and for a patch until it was put to what stands.</summary>
    public Resource? Resource { get; init; }

    /// <summary>The changes, where they are sent rather than the content.</summary>
    public RecordPatch? Patch { get; init; }

    /// <summary>The logical id of what is changed; for a new one null, or the one that was given to it here; null where a condition finds it.</summary>
    public string? Id { get; init; }

    /// <summary>The query that finds what is meant.</summary>
    public string? Condition { get; init; }

    /// <summary>The version that the caller has seen (If-Match).</summary>
    public int? Expected { get; init; }

    /// <summary>What others in the same bundle call it.</summary>
    public string? FullUrl { get; init; }

    /// <summary>Where it stands in what was sent, for messages.</summary>
    public string Path { get; init; } = "";

    /// <summary>The sealed hash of the content it stands for.</summary>
    public byte[]? Blob { get; init; }

    /// <summary>The patient whose record it belongs to, where that is not for the content to say.</summary>
    public string? Patient { get; init; }

    /// <summary>What its leaf is.</summary>
    public LeafKind Kind { get; init; } = LeafKind.Record;

    /// <summary>The version that stands now; null where there is none.</summary>
    public Store.SealedEntry? Newest { get; init; }

    /// <summary>Whether nothing is written, because what is to be created is there, or what is to be deleted is not.</summary>
    public bool IsIdle { get; init; }

    /// <summary>The parameters of the condition, decoded.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> ConditionParameters => ParametersOf(Condition ?? "");

    /// <summary>The parameters of a query, decoded.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> ParametersOf(string query) =>
        [.. QueryHelpers.ParseQuery(query).SelectMany(pair => pair.Value.Select(value => KeyValuePair.Create(pair.Key, value ?? "")))];
}

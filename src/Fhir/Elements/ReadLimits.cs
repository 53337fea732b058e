namespace Salus.Fhir.Elements;

/// <summary>What a text may demand of its reader before it is refused.</summary>
/// <param name="BytesMax">The size of the whole text.</param>
/// <param name="DepthMax">How deep objects and arrays nest.</param>
/// <param name="NodesMax">How many values the text holds; bounds memory at some 20 bytes per value.</param>
/// <param name="StringBytesMax">The length of one string, as written.</param>
/// <param name="NumberCharactersMax">The length of one number, as written.</param>
/// <param name="MembersMax">How many members one object has.</param>
public sealed record ReadLimits(
    int BytesMax = 64 << 20,
    int DepthMax = 64,
    int NodesMax = 4_000_000,
    int StringBytesMax = 16 << 20,
    int NumberCharactersMax = 64,
    int MembersMax = 256)
{
    /// <summary>The limits used when none are given.</summary>
    public static ReadLimits Default { get; } = new();
}

/// <summary>What reading a text led to.</summary>
public abstract record FhirReadOutcome
{
    FhirReadOutcome() { }

    /// <summary>The text is a resource; whether it is a valid one is for the validator to say.</summary>
    public sealed record Ok(Resource Resource) : FhirReadOutcome;

    /// <summary>The text is not a resource, and here is why and where.</summary>
    public sealed record Refused(IReadOnlyList<FhirIssue> Issues) : FhirReadOutcome;
}

namespace Salus.Platform.Records;

/// <summary>What becomes of a resource that does not keep to a profile which it claims.</summary>
public enum ProfileFailure
{
    /// <summary>It is refused.</summary>
    Refuse,

    /// <summary>It is stored; who asks for an OperationOutcome is told.</summary>
    Warn,
}

/// <summary>Settings under <c>Salus:Records</c>.</summary>
public sealed record RecordsOptions
{
    /// <summary>What becomes of a resource that does not keep to a profile which its meta names.</summary>
    public ProfileFailure ProfileFailure { get; init; }

    /// <summary>A folder of FHIR packages (<c>.tgz</c>) that count beside R4; empty for none.</summary>
    public string Packages { get; init; } = "";
}

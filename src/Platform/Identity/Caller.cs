namespace Salus.Platform.Identity;

/// <summary>What an account may be. A role begins with nothing and is given only what its work needs.</summary>
public enum Role : short
{
    /// <summary>Reads and shares their own record.</summary>
    Patient = 1,
    /// <summary>Writes to a record, and reads with consent.</summary>
    Practitioner = 2,
    /// <summary>Writes results, and reads with consent.</summary>
    Laboratory = 3,
    /// <summary>Writes dispensings, and reads with consent.</summary>
    Pharmacy = 4,
    /// <summary>Reads with consent.</summary>
    Insurer = 5,
    /// <summary>Runs the node and its accounts; sees no record.</summary>
    Administrator = 6,
    /// <summary>Reads the audit trail; sees no record.</summary>
    Auditor = 7,
    /// <summary>Works on data sets; sees no record.</summary>
    Researcher = 8,
}

/// <summary>Who asks.</summary>
/// <param name="Account">The account.</param>
/// <param name="Role">Its role.</param>
/// <param name="Patient">For a patient, the logical id of their Patient resource.</param>
public sealed record Caller(Guid Account, Role Role, string? Patient);

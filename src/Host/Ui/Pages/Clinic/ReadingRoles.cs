using Salus.Platform.Identity;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>Lists of roles for pages that several may open.</summary>
static class ReadingRoles
{
    /// <summary>Those who read patients' records with consent.</summary>
    public const string Professionals = $"{nameof(Role.Practitioner)},{nameof(Role.Laboratory)},{nameof(Role.Pharmacy)},{nameof(Role.Insurer)}";

    /// <summary>Those who may have a record to read: professionals, and patients their own.</summary>
    public const string Readers = $"{Professionals},{nameof(Role.Patient)}";

    /// <summary>Those who add to records.</summary>
    public const string Writers = $"{nameof(Role.Practitioner)},{nameof(Role.Laboratory)},{nameof(Role.Pharmacy)},{nameof(Role.Patient)}";
}

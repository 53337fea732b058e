using Salus.Platform.Identity;

namespace Salus.Host.Ui;

/// <summary>Roles in the words of the pages.</summary>
static class RoleNames
{
    /// <summary>The role with an article's worth of explanation, for those who choose one.</summary>
    public static IReadOnlyList<(Role Role, string Text)> All { get; } =
    [
        (Role.Patient, "Patient: read and share your own record"),
        (Role.Practitioner, "Practitioner: treat patients, read with their consent"),
        (Role.Laboratory, "Laboratory: write results, read with consent"),
        (Role.Pharmacy, "Pharmacy: write what was dispensed, read with consent"),
        (Role.Insurer, "Insurer: read with consent"),
        (Role.Researcher, "Researcher: work on data sets, no records"),
        (Role.Auditor, "Auditor: read the audit trail, no records (by invitation)"),
        (Role.Administrator, "Administrator: run the node and its accounts, no records (by invitation)"),
    ];
}

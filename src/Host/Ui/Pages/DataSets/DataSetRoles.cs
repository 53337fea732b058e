using Salus.Platform.Cohorts;
using Salus.Platform.Identity;

namespace Salus.Host.Ui.Pages.DataSets;

/// <summary>Who keeps data sets, and what refusals say.</summary>
static class DataSetRoles
{
    /// <summary>Roles that keep data sets of their own.</summary>
    public const string Keepers = $"{nameof(Role.Researcher)},{nameof(Role.Practitioner)},{nameof(Role.Patient)}";

    /// <summary>A refusal in a sentence.</summary>
    public static string Words(DataSetOutcome outcome) => outcome switch
    {
        DataSetOutcome.Invalid invalid => invalid.Message,
        DataSetOutcome.Refused refused => refused.Message,
        DataSetOutcome.Forbidden forbidden => forbidden.Reason,
        DataSetOutcome.NotFound => "You have no such data set, or it has no such version.",
        DataSetOutcome.Altered altered => $"{altered.What} was altered where it lies and is not given out. Tell the administrator.",
        DataSetOutcome.NotCsv broken => $"Line {broken.Line}, column {broken.Column}: {broken.Message}",
        _ => "It was not done. Try again.",
    };
}

using System.Text;
using Salus.Cli.Node;

namespace Salus.Cli.Commands;

/// <summary>A check's report as it is read at a terminal or kept in a file: findings under each other, nothing cut.</summary>
static class VerifyText
{
    static readonly Dictionary<string, string> Meaning = new()
    {
        ["Changed"] = "a row is not what its leaf in the log committed to",
        ["Removed"] = "the log tells of a row that is gone",
        ["Inserted"] = "a row stands where the log tells of none",
        ["Swapped"] = "a row holds what the log tells of another",
        ["LogRewritten"] = "the log no longer leads to what was signed, anchored or kept elsewhere",
        ["Gap"] = "leaves were lost, and the log says so itself",
        ["Unchecked"] = "this could not be checked",
    };

    /// <summary>The whole report.</summary>
    public static string Of(VerifyReport report, string? checkpoint)
    {
        var text = new StringBuilder();
        var against = checkpoint is null ? "" : $", and the checkpoint in {checkpoint}";
        text.AppendLine($"Checked: {report.Leaves:N0} leaves, {report.Heads:N0} signed heads, {report.Anchors:N0} heads on the chain, {report.Blobs:N0} sealed files{against}{(report.Erased == 0 ? "" : $"; {report.Erased:N0} leaves stand for what was erased by authority")}");
        foreach (var kind in report.Findings.GroupBy(finding => finding.Kind))
        {
            text.AppendLine().AppendLine($"{kind.Key}: {Meaning.GetValueOrDefault(kind.Key, "this differs")}");
            foreach (var finding in kind)
            {
                var named = string.Join(", ", new[] { finding.Record, finding.Leaf is { } leaf ? $"leaf {leaf}" : null }.Where(part => part is not null));
                text.AppendLine(named.Length == 0 ? $"  {finding.Difference}" : $"  {named}").Append(named.Length == 0 ? "" : $"    {finding.Difference}{Environment.NewLine}");
            }
        }
        if (report.Truncated)
        {
            text.AppendLine("  … and more: only the first findings are shown.");
        }
        if (report.Findings.Count > 0)
        {
            text.AppendLine();
        }
        text.AppendLine(Verdict(report));
        return text.ToString();
    }

    static string Verdict(VerifyReport report)
    {
        var findings = report.Findings.Count(finding => finding.Kind is not ("Unchecked" or "Gap"));
        return !report.Holds
            ? $"✗ It does not hold: {(report.Truncated ? "more than " : "")}{findings:N0} {(findings == 1 ? "finding" : "findings")}. Keep the folder as it is, and compare with a backup."
            : report.IsWhole
                ? "✓ All of it holds. This tells that nothing was changed since it was logged; not that it was true, nor that all was logged."
                : "! What was checked holds, but not all of it could be checked.";
    }
}

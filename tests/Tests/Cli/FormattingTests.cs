using System.Net;
using System.Text;
using Salus.Cli;
using Salus.Cli.Api;
using Salus.Cli.Commands;
using Salus.Cli.Node;
using Salus.Cli.Terminal;

namespace Salus.Tests.Cli;

/// <summary>What the program says of reports, refusals and ends.</summary>
public sealed class FormattingTests
{
    static readonly VerifyReport Clean = new(true, 2103, 169, 17, 1, false, []);

    [Fact]
    public void A_clean_report_counts_what_was_checked_and_says_what_that_tells()
    {
        var lines = VerifyText.Of(Clean, "/elsewhere/head").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("Checked: 2,103 leaves, 169 signed heads, 17 heads on the chain, 1 sealed files, and the checkpoint in /elsewhere/head", lines[0]);
        Assert.StartsWith("✓ All of it holds.", Assert.Single(lines.Skip(1)));
    }

    [Fact]
    public void Findings_stand_by_kind_each_with_its_record_its_leaf_and_what_differs()
    {
        var text = VerifyText.Of(Clean with
        {
            Holds = false,
            Findings =
            [
                new("Removed", "Observation/1 version 1", 6, "The row is gone."), new("LogRewritten", null, null, "The head of size 9 differs."),
                new("Removed", "Condition/2 version 1", 7, "The row is gone."),
            ],
        }, null);
        Assert.Contains("Removed: the log tells of a row that is gone\n  Observation/1 version 1, leaf 6\n    The row is gone.\n  Condition/2 version 1, leaf 7\n    The row is gone.\n", text);
        Assert.Contains("LogRewritten: the log no longer leads to what was signed, anchored or kept elsewhere\n  The head of size 9 differs.\n", text);
        Assert.Contains("✗ It does not hold: 3 findings.", text);
    }

    [Fact]
    public void A_report_that_could_not_ask_the_chain_does_not_claim_that_all_holds()
    {
        var report = Clean with { Findings = [new("Unchecked", null, null, "No chain was asked.")] };
        Assert.False(report.IsWhole);
        var text = VerifyText.Of(report, null);
        Assert.Contains("No chain was asked.", text);
        Assert.Contains("! What was checked holds, but not all of it could be checked.", text);
        Assert.DoesNotContain("✓", text);
    }

    [Theory]
    [InlineData("""{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid","diagnostics":"is no date","expression":["Patient.birthDate"]}]}""", "Patient.birthDate: is no date (422)")]
    [InlineData("""{"title":"Not allowed.","detail":"Ask an administrator."}""", "Not allowed: Ask an administrator. (422)")]
    [InlineData("""{"title":"Wrong","errors":{"email":["is empty"]}}""", "Wrong: email: is empty (422)")]
    [InlineData("<html>", "The node answered 422 UnprocessableEntity.")]
    [InlineData("[]", "The node answered 422 UnprocessableEntity.")]
    public void A_refusal_is_told_in_one_line_whatever_its_form(string body, string told) =>
        Assert.Equal(told, Problem.Read(HttpStatusCode.UnprocessableEntity, Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData(137, "", "ended by signal 9")]
    [InlineData(134, "Unhandled exception. System.IO.IOException: it broke", "ended by a fault of its own: System.IO.IOException: it broke")]
    [InlineData(3, "no runtime", "with code 3: no runtime")]
    public void A_node_that_ends_without_a_word_is_told_by_how_it_ended(int exitCode, string error, string told) =>
        Assert.Contains(told, NodeRun.Death(exitCode, [error, "   at Somewhere"]), StringComparison.Ordinal);

    [Fact]
    public void A_connection_string_is_given_in_the_environment_and_never_as_an_argument()
    {
        var settings = new NodeSettings("/data", "/keys") { Database = "Host=db;Password=secret", Ledger = "http://besu:8545" };
        Assert.DoesNotContain(settings.Arguments(), argument => argument.Contains("secret", StringComparison.Ordinal));
        Assert.Equal("Host=db;Password=secret", settings.Environment()["Salus__Database__ConnectionString"]);
        Assert.Contains("--Salus:Ledger:Endpoint=http://besu:8545", settings.Arguments());
    }

    [Fact]
    public void A_setting_that_was_not_given_is_left_to_the_environment()
    {
        var settings = new NodeSettings("/data", "/keys");
        Assert.DoesNotContain(settings.Arguments(), argument => argument.Contains("Port", StringComparison.Ordinal) || argument.Contains("Ledger", StringComparison.Ordinal));
        Assert.Empty(settings.Environment());
    }

    [Fact]
    public void Folders_stand_for_the_bundles_in_them_in_order_and_what_is_missing_is_named()
    {
        var folder = Directory.CreateTempSubdirectory("salus-test-");
        try
        {
            foreach (var name in new[] { "b.json", "a.json", "note.txt" })
            {
                File.WriteAllText(Path.Combine(folder.FullName, name), "{}");
            }
            Assert.Equal(["a.json", "b.json"], BundleImport.Find([folder.FullName]).Select(Path.GetFileName));
            var missing = Path.Combine(folder.FullName, "c.json");
            Assert.Equal($"There is no file {missing}.", Assert.Throws<CliException>(() => BundleImport.Find([missing])).Message);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("✓ done [all]", "[green]✓[/] done [[all]]")]
    [InlineData("✗ not done", "[red]✗[/] not done")]
    [InlineData("plain [text]", "plain [[text]]")]
    public void A_line_for_the_terminal_has_its_mark_in_colour_and_no_markup_of_its_own(string line, string styled) => Assert.Equal(styled, StepTeller.Styled(line));
}

using System.CommandLine;
using Salus.Cli.Commands;
using Salus.Cli.Terminal;

namespace Salus.Tests.Cli;

/// <summary>What is typed after salus, and what is said to it.</summary>
public sealed class CommandLineTests
{
    public static TheoryData<string> Commands => ["", "up", "demo", "import", "verify", "checkpoint", "backup", "restore", "learn", "learn train", "learn evaluate", "learn predict", "learn explain", "learn compare", "learn card", "learn anomaly"];

    [Theory]
    [InlineData("verfy", "'verfy' is no command of salus; did you mean verify? See salus --help.")]
    [InlineData("xyzzy", "'xyzzy' is no command of salus. See salus --help.")]
    [InlineData("learn trian", "'trian' is no command of salus learn; did you mean train? See salus learn --help.")]
    [InlineData("learn", "salus learn needs a command: train, evaluate, predict, explain, compare, card, anomaly, recipes. See salus learn --help.")]
    [InlineData("up --prot 8", "--prot is no option of salus up; did you mean --port? See salus up --help.")]
    [InlineData("up --demo", "--demo is no option of salus up. See salus up --help.")]
    [InlineData("up --no-demo", "--no-demo is no option of salus up; did you mean --no-demonstration? See salus up --help.")]
    [InlineData("demo --jsn bundle.json", "--jsn is no option of salus demo; did you mean --json? See salus demo --help.")]
    [InlineData("verify --cehckpoint=head", "--cehckpoint=head is no option of salus verify; did you mean --checkpoint? See salus verify --help.")]
    [InlineData("up here", "'here' is one word too many for salus up. See salus up --help.")]
    [InlineData("up --port many", "Cannot parse argument 'many' for option '--port' as a whole number. See salus up --help.")]
    [InlineData("checkpoint --url http://localhost", "Option '--out' is required. See salus checkpoint --help.")]
    public void A_line_that_is_not_understood_is_answered_with_the_nearest_and_the_help(string line, string answer) =>
        Assert.Equal(answer, Usage.Objection(Parse(line)));

    [Theory]
    [InlineData("up --port 0 --no-demonstration --patients 5")]
    [InlineData("demo a.json b.json --json --keep folder")]
    [InlineData("verify --data folder --checkpoint head --json")]
    [InlineData("import bundles --url http://localhost:7411 --email a@b --password-stdin")]
    [InlineData("learn predict m.model --csv t.csv")]
    [InlineData("backup --data folder --out elsewhere")]
    [InlineData("restore --from elsewhere --data folder --log old --manifest-hash 00")]
    public void A_line_that_is_understood_is_not_objected_to(string line) => Assert.Null(Usage.Objection(Parse(line)));

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_names_the_program_as_it_is_typed_with_examples_and_exit_codes(string command)
    {
        var help = Help(command);
        Assert.Contains($"salus {command}".TrimEnd(), help, StringComparison.Ordinal);
        Assert.DoesNotContain("Salus.Cli", help, StringComparison.Ordinal);
        Assert.Matches(@"Examples:\n  \S", help);
        Assert.Matches(@"Exit codes:\n  0 ", help);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_option_and_argument_says_what_it_is(string command)
    {
        var described = Parse($"{command} --help").CommandResult.Command;
        Assert.All(described.Options, option => Assert.False(string.IsNullOrWhiteSpace(option.Description), option.Name));
        Assert.All(described.Arguments, argument => Assert.False(string.IsNullOrWhiteSpace(argument.Description), argument.Name));
        Assert.All(described.Options.Where(option => option.ValueType != typeof(bool) && option.Name is not ("--help" or "--version")), option => Assert.NotNull(option.HelpName));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_example_of_the_help_is_a_line_that_is_understood(string command)
    {
        var examples = Help(command).Split('\n').SkipWhile(line => line != "Examples:").Skip(1).TakeWhile(line => line.Length > 0).ToList();
        Assert.NotEmpty(examples);
        Assert.All(examples, example =>
        {
            var typed = example[example.IndexOf("salus ", StringComparison.Ordinal)..].Split("   ")[0].Split('<', '>')[0];
            var line = SalusCommand.Create().Parse(System.CommandLine.Parsing.CommandLineParser.SplitCommandLine(typed["salus ".Length..].Replace('\'', '"')).ToArray());
            Assert.Null(Usage.Objection(line));
        });
    }

    [Fact]
    public void Help_of_a_node_names_its_settings_in_the_environment() =>
        Assert.All(["Salus__Database__ConnectionString", "Salus__Ledger__Endpoint", "SALUS_MASTER_KEY"], setting => Assert.Contains(setting, Help("up"), StringComparison.Ordinal));

    static ParseResult Parse(string line) => SalusCommand.Create().Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    static string Help(string command)
    {
        using var output = new StringWriter();
        Assert.Equal(0, Parse($"{command} --help").Invoke(new InvocationConfiguration { Output = output }));
        return output.ToString().ReplaceLineEndings("\n");
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;

namespace Salus.Cli.Terminal;

/// <summary>What is wrong with a command line, in one line that names the nearest right one.</summary>
static class Usage
{
    static readonly (string Type, string Words)[] Types =
        [("System.Int32", "a whole number"), ("System.UInt64", "a whole number"), ("System.Boolean", "true or false")];

    /// <summary>The first thing wrong with the line, or null.</summary>
    public static string? Objection(ParseResult line)
    {
        // An argument that takes any number of words takes a misspelt option as well.
        var swallowed = line.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).FirstOrDefault(token => token.Value.StartsWith("--", StringComparison.Ordinal))?.Value;
        if (line.Errors.Count == 0 && swallowed is null)
        {
            return null;
        }
        var command = line.CommandResult.Command;
        var help = $"See {FullName(line.CommandResult)} --help.";
        if ((swallowed ?? (line.UnmatchedTokens is [var first, ..] ? first : null)) is { } unknown)
        {
            return unknown.StartsWith('-')
                ? $"{unknown} is no option of {FullName(line.CommandResult)}{Suggest(unknown, OptionNames(line.CommandResult))} {help}"
                : command.Subcommands.Count > 0
                    ? $"'{unknown}' is no command of {FullName(line.CommandResult)}{Suggest(unknown, command.Subcommands.Select(sub => sub.Name))} {help}"
                    : $"'{unknown}' is one word too many for {FullName(line.CommandResult)}. {help}";
        }
        if (command.Subcommands.Count > 0)
        {
            return $"{FullName(line.CommandResult)} needs a command: {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}. {help}";
        }
        var message = Types.Aggregate(line.Errors[0].Message.ReplaceLineEndings(" ").Trim(), (text, type) =>
            text.Replace($"as expected type '{type.Type}'", $"as {type.Words}", StringComparison.Ordinal).Replace($"as expected type 'System.Nullable`1[{type.Type}]'", $"as {type.Words}", StringComparison.Ordinal));
        return $"{message.TrimEnd('.')}. {help}";
    }

    /// <summary>The candidate that a typing slip away from the word is nearest to, or null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        var known = candidates.ToList();
        if (known.Where(candidate => IsBegun(word, candidate)).ToList() is [var only])
        {
            return only;
        }
        var near = known.Select(candidate => (Candidate: candidate, Distance: Distance(word, candidate))).OrderBy(pair => pair.Distance).FirstOrDefault();
        return near.Candidate is { } found && near.Distance <= Math.Max(1, Math.Max(word.Length, found.Length) / 3) ? found : null;
    }

    // An option cut short is meant however much of it is missing.
    static bool IsBegun(string word, string candidate) => word.TrimStart('-').Length > 1 && candidate.StartsWith(word, StringComparison.Ordinal);

    static string Suggest(string word, IEnumerable<string> candidates) => Nearest(word.Split('=')[0], candidates) is { } near ? $"; did you mean {near}?" : ".";

    static IEnumerable<string> OptionNames(CommandResult result) => result.Command.Options.Select(option => option.Name).Append("--help");

    static string FullName(CommandResult result) => result.Parent is CommandResult parent ? $"{FullName(parent)} {result.Command.Name}" : result.Command.Name;

    /// <summary>Insertions, removals, replacements and swaps of neighbours between two words (optimal string alignment).</summary>
    static int Distance(string left, string right)
    {
        var cost = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }
                var replaced = cost[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replaced, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
                }
            }
        }
        return cost[left.Length, right.Length];
    }
}

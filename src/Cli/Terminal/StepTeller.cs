using System.Diagnostics;
using Spectre.Console;

namespace Salus.Cli.Terminal;

/// <summary>Tells of steps that take a while: a spinner on a terminal, plain lines elsewhere.</summary>
public static class StepTeller
{
    /// <summary>Whether standard output is a terminal that can show movement.</summary>
    public static bool IsLive => !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi;

    /// <summary>Does the work, which says what it is at through the given action; a line ended is printed above.</summary>
    public static async Task<T> RunAsync<T>(string first, Func<Action<string>, Action<string>, Task<T>> work)
    {
        if (!IsLive)
        {
            return await work(_ => { }, Console.WriteLine);
        }
        return await AnsiConsole.Status().Spinner(Spinner.Known.Dots).StartAsync(Markup.Escape(first), context =>
            work(now => context.Status(Markup.Escape(now)), line => AnsiConsole.MarkupLine(Styled(line))));
    }

    /// <summary>Seconds as they are shown.</summary>
    public static string Seconds(double seconds) => seconds < 10 ? $"{seconds:0.0} s" : $"{seconds:0} s";

    /// <summary>Seconds since a timestamp.</summary>
    public static double Since(long timestamp) => Stopwatch.GetElapsedTime(timestamp).TotalSeconds;

    /// <summary>The line with its first mark in colour.</summary>
    public static string Styled(string line)
    {
        var safe = Markup.Escape(line);
        return line.TrimStart() switch
        {
            ['✓', ..] => ReplaceFirst(safe, "✓", "[green]✓[/]"),
            ['✗', ..] => ReplaceFirst(safe, "✗", "[red]✗[/]"),
            _ => safe,
        };
    }

    static string ReplaceFirst(string text, string mark, string styled)
    {
        var at = text.IndexOf(mark, StringComparison.Ordinal);
        return string.Concat(text.AsSpan(0, at), styled, text.AsSpan(at + mark.Length));
    }
}

using System.Diagnostics;

namespace Salus.SystemTests.Support;

/// <summary>What a program that has ended said.</summary>
sealed record ProgramRun(int ExitCode, string Output, string Errors)
{
    /// <summary>Lines of standard output.</summary>
    public IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Lines of standard error.</summary>
    public IReadOnlyList<string> ErrorLines => Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs a .NET program to its end.</summary>
    public static Task<ProgramRun> OfAsync(string assembly, params IEnumerable<string> arguments) => OfAsync(assembly, "", arguments);

    /// <summary>Runs a .NET program to its end, with this on its standard input.</summary>
    public static async Task<ProgramRun> OfAsync(string assembly, string input, IEnumerable<string> arguments)
    {
        using var process = Start(assembly, arguments);
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return new ProgramRun(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Starts a .NET program with its input and output in our hands.</summary>
    public static Process Start(string assembly, IEnumerable<string> arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [assembly, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;

    /// <summary>Requires the exit code and one line on standard error that holds each of these.</summary>
    public void RequireRefusal(int exitCode, params string[] named)
    {
        Assert.True(ExitCode == exitCode, $"{this}");
        var line = Assert.Single(ErrorLines);
        Assert.All(named, part => Assert.Contains(part, line, StringComparison.Ordinal));
    }
}

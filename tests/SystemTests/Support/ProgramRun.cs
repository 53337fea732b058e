using System.Diagnostics;

namespace Salus.SystemTests.Support;

/// <summary>What a program that has ended said.</summary>
sealed record ProgramRun(int ExitCode, string Output, string Errors)
{
    /// <summary>Lines of standard output.</summary>
    public IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs a .NET program to its end.</summary>
    public static async Task<ProgramRun> OfAsync(string assembly, params IEnumerable<string> arguments)
    {
        using var process = Start(assembly, arguments);
        try
        {
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

    /// <summary>Starts a .NET program with its output in our hands.</summary>
    public static Process Start(string assembly, IEnumerable<string> arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [assembly, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
}

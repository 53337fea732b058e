using System.Diagnostics;

namespace Salus.Host.Engines;

/// <summary>Short programs that run to their end.</summary>
internal static class Shell
{
    /// <summary>Runs a program; answers its exit code and all it wrote.</summary>
    public static async Task<(int Code, string Output)> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment["LC_ALL"] = "C";
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var error = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return (process.ExitCode, (await output + await error).Trim());
        }
        catch (System.ComponentModel.Win32Exception cause)
        {
            throw new EngineException($"{program} cannot be run ({cause.Message}): install it", cause);
        }
    }

    /// <summary>Runs a program that must succeed.</summary>
    public static async Task<string> MustAsync(string what, string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        var (code, output) = await RunAsync(program, arguments, cancellation);
        return code == 0 ? output : throw new EngineException($"{what} failed: {LastLine(output)}");
    }

    public static string LastLine(string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [.., var last] ? last : "no message";
}

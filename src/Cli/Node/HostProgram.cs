using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Salus.Cli.Node;

/// <summary>The node's program: where it is, and how it is started and told to stop.</summary>
static class HostProgram
{
    const string PathVariable = "SALUS_HOST";
    const string Assembly = "Salus.Host.dll";
    const int Terminate = 15;

    /// <summary>The assembly named by SALUS_HOST, beside this program, or in the source tree around it.</summary>
    /// <exception cref="CliException">It is not there.</exception>
    public static string Find()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } named)
        {
            return File.Exists(named) ? Path.GetFullPath(named) : throw new CliException($"{PathVariable} names {named}, which is not there. Point it at {Assembly}.");
        }
        var beside = Path.Combine(AppContext.BaseDirectory, Assembly);
        if (File.Exists(beside))
        {
            return beside;
        }
        var output = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        for (var above = output; above is not null; above = above.Parent)
        {
            if (File.Exists(Path.Combine(above.FullName, "Salus.slnx")))
            {
                var built = Path.Combine(above.FullName, "src", "Host", "bin", output.Parent?.Name ?? "Release", output.Name, Assembly);
                return File.Exists(built) ? built : throw new CliException($"The node's program is not built: {built} is missing. Run ./salus up, which builds it.");
            }
        }
        throw new CliException($"The node's program is missing. Set {PathVariable} to the path of {Assembly}.");
    }

    /// <summary>Starts the node's program with its standard streams in our hands: its input ends when this process does, however that ends.</summary>
    public static Process Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(Find());
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        return Process.Start(start) ?? throw new CliException("The node's program did not start.");
    }

    /// <summary>Asks a process to stop in its order. Not by SIGINT, which is ignored where the program was started in the background.</summary>
    public static void StopProcess(int processId)
    {
        if (kill(processId, Terminate) != 0 && Marshal.GetLastPInvokeError() is var error && error != 3 /* no such process */)
        {
            throw new CliException($"The node (process {processId}) cannot be told to stop: error {error}.");
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int kill(int processId, int signal);
}

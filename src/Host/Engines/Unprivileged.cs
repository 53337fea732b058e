using System.Diagnostics;
using System.Globalization;

namespace Salus.Host.Engines;

/// <summary>The account that runs PostgreSQL: the caller's own, or for root an unprivileged one.</summary>
/// <remarks>PostgreSQL refuses to run as root, so a node started by root lends it another account.</remarks>
public sealed record Unprivileged(string Name, int Uid, int Gid)
{
    /// <summary>The account to change to, or null when this process is not root.</summary>
    /// <exception cref="EngineException">Root, and neither <c>postgres</c> nor <c>nobody</c> exists.</exception>
    public static Unprivileged? ForThisProcess()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }

        var accounts = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(field => field.Length > 3).ToList();
        var account = accounts.Find(field => field[0] == "postgres") ?? accounts.Find(field => field[0] == "nobody")
            ?? throw new EngineException(
                "PostgreSQL does not run as root and there is no account `postgres` or `nobody`: add one (useradd --system postgres), or start Salus as an ordinary user");
        return new(account[0], int.Parse(account[2], CultureInfo.InvariantCulture), int.Parse(account[3], CultureInfo.InvariantCulture));
    }

    /// <summary>The command line that runs <paramref name="command"/> as this account.</summary>
    public IEnumerable<string> Wrap(IEnumerable<string> command) =>
    [
        "setpriv",
        string.Create(CultureInfo.InvariantCulture, $"--reuid={Uid}"),
        string.Create(CultureInfo.InvariantCulture, $"--regid={Gid}"),
        "--clear-groups",
        "--",
        .. command,
    ];

    /// <summary>Whether this account can enter or execute <paramref name="path"/>, every parent folder included.</summary>
    public async Task<bool> CanEnterAsync(string path, CancellationToken cancellation) =>
        (await Command.RunAsync(Wrap(["test", "-x", path]), cancellation)).ExitCode == 0;

    /// <summary>Gives <paramref name="folder"/> to this account.</summary>
    public async Task OwnAsync(string folder, CancellationToken cancellation)
    {
        var (exitCode, output) = await Command.RunAsync(
            ["chown", "-h", string.Create(CultureInfo.InvariantCulture, $"{Uid}:{Gid}"), folder], cancellation);
        if (exitCode != 0)
        {
            throw new EngineException($"{folder} cannot be given to the account {Name}: {output.Trim()}; start Salus as an ordinary user");
        }
    }
}

/// <summary>Runs a short command to its end.</summary>
static class Command
{
    public static async Task<(int ExitCode, string Output)> RunAsync(IEnumerable<string> command, CancellationToken cancellation)
    {
        var words = command.ToList();
        var start = new ProcessStartInfo(words[0], words.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        EngineProcess.CleanEnvironment(start);
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var error = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return (process.ExitCode, await output + await error);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new EngineException($"the program `{words[0]}` is missing: install it (Debian: apt-get install util-linux coreutils)", missing);
        }
    }
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Salus.Host.Engines;

/// <summary>PostgreSQL's programs, made runnable, and the user that runs them.</summary>
/// <remarks>
/// PostgreSQL refuses to run as root, so root runs it as <c>postgres</c>, else <c>nobody</c>. That user cannot pass folders
/// such as /root, so it reaches its data through a descriptor that root opened, and programs it cannot reach are copied once.
/// </remarks>
internal sealed record NativePostgres(string Folder, string? User)
{
    const string Cache = "/var/cache/salus";

    /// <summary>The data folder as PostgreSQL is told of it.</summary>
    public string DataPath(string folder) => User is null ? folder : "/proc/self/fd/9";

    /// <summary>A program of PostgreSQL with its arguments, as the right user.</summary>
    public IReadOnlyList<string> Command(string program, params string[] arguments) =>
        [.. Prefix(User), Path.Combine(Folder, "bin", program), .. arguments];

    public async Task GiveAsync(string path, CancellationToken cancellation)
    {
        if (User is not null)
        {
            await Shell.MustAsync($"giving {path} to {User}", "chown", ["-R", $"{User}:", path], cancellation);
        }
    }

    public static async Task<NativePostgres> PrepareAsync(CancellationToken cancellation)
    {
        var folder = EnginesLocator.Postgres();
        if (!Environment.IsPrivilegedProcess)
        {
            Link(folder);
            return new(folder, null);
        }

        var user = await UserAsync(cancellation);
        Link(folder);
        if (!await RunsAsync(folder, user, cancellation))
        {
            folder = await CopyAsync(folder, cancellation);
            if (!await RunsAsync(folder, user, cancellation))
            {
                throw new EngineException($"user {user} cannot run {folder}/bin/postgres: make it readable and executable to all");
            }
        }

        return new(folder, user);
    }

    static string[] Prefix(string? user) =>
        user is null ? [] : ["setpriv", "--reuid", user, "--regid", user == "nobody" ? "65534" : user, "--clear-groups", "--"];

    static async Task<string> UserAsync(CancellationToken cancellation)
    {
        foreach (var user in (string[])["postgres", "nobody"])
        {
            if ((await Shell.RunAsync("id", ["-u", user], cancellation)).Code == 0)
            {
                return user;
            }
        }

        throw new EngineException("PostgreSQL does not run as root and there is no user postgres or nobody: run Salus as another user");
    }

    static async Task<bool> RunsAsync(string folder, string user, CancellationToken cancellation)
    {
        string[] command = [.. Prefix(user), Path.Combine(folder, "bin", "postgres"), "--version"];
        return (await Shell.RunAsync(command[0], command[1..], cancellation)).Code == 0;
    }

    static async Task<string> CopyAsync(string folder, CancellationToken cancellation)
    {
        var manifest = await File.ReadAllTextAsync(Path.Combine(folder, "..", "package.json"), cancellation);
        var version = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(manifest)))[..16];
        var copy = Path.Combine(Cache, $"postgresql-{version}");
        if (Directory.Exists(copy))
        {
            return copy;
        }

        var part = $"{copy}.{Environment.ProcessId}";
        await Shell.MustAsync("making room for PostgreSQL", "mkdir", ["-p", "-m", "755", Cache], cancellation);
        await Shell.MustAsync("copying PostgreSQL", "cp", ["-r", folder, part], cancellation);
        await Shell.MustAsync("opening PostgreSQL to its user", "chmod", ["-R", "a+rX", part], cancellation);
        try
        {
            Directory.Move(part, copy);
        }
        catch (IOException) when (Directory.Exists(copy))
        {
            Directory.Delete(part, recursive: true);
        }

        return copy;
    }

    // The package lists the library links that its install script would have made.
    static void Link(string folder)
    {
        using var list = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "pg-symlinks.json")));
        foreach (var entry in list.RootElement.EnumerateArray())
        {
            var link = Path.Combine(folder, "..", entry.GetProperty("target").GetString()!);
            var target = Path.Combine(folder, "..", entry.GetProperty("source").GetString()!);
            try
            {
                if (!File.Exists(link))
                {
                    File.CreateSymbolicLink(link, Path.GetRelativePath(Path.GetDirectoryName(link)!, target));
                }
            }
            catch (IOException) when (File.Exists(link))
            {
                // Another process made it in the meantime.
            }
        }
    }
}

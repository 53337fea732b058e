namespace Salus.Host.Engines;

/// <summary>Folders and files made with their permissions, never open for a moment.</summary>
static class EngineFolders
{
    /// <summary>For the owner alone (0700).</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes <paramref name="folder"/>; one that exists keeps its permissions.</summary>
    public static void Create(string folder, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new EngineException("the embedded engines run on Linux only: run Salus in a Linux container, or configure an outside database and chain");
        }

        Directory.CreateDirectory(folder, mode);
    }

    /// <summary>Makes or empties a file that only the owner reads and writes (0600).</summary>
    public static FileStream CreateFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new(path, options);
    }
}

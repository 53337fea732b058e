using System.Globalization;

namespace Salus.Host.Engines;

/// <summary>Holds a folder for one live process. The kernel frees it when the process dies.</summary>
internal sealed class FolderLock : IDisposable
{
    readonly FileStream held;

    FolderLock(FileStream held) => this.held = held;

    public static FolderLock Take(string folder)
    {
        var holder = Path.Combine(folder, "node.pid");
        try
        {
            CreatePrivate(folder);
            var held = new FileStream(Path.Combine(folder, "node.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(holder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new FolderLock(held);
        }
        catch (IOException) when (File.Exists(holder))
        {
            throw new EngineException(
                $"another Salus node (pid {File.ReadAllText(holder).Trim()}) uses this data folder: {folder}");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new EngineException($"the data folder {folder} cannot be used: {cause.Message}", cause);
        }
    }

    /// <summary>Creates a folder that its owner alone may enter.</summary>
    public static void CreatePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new EngineException("embedded engines run on Linux and macOS: give a connection string and a chain endpoint instead");
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => held.Dispose();
}

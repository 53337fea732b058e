using System.Globalization;

namespace Salus.Host.Engines;

/// <summary>Holds a data folder for this process. The kernel lets go of it when the process dies, however it dies.</summary>
public sealed class FolderLock : IDisposable
{
    readonly FileStream file;

    FolderLock(FileStream file) => this.file = file;

    /// <summary>Takes the lock <paramref name="name"/> in <paramref name="folder"/>.</summary>
    /// <exception cref="EngineException">Another live process holds it.</exception>
    public static FolderLock Take(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (File.Exists(path))
        {
            throw new EngineException(
                $"another Salus node (pid {Holder(path)}) uses this data folder: {folder}; stop it, or give this node another folder", error);
        }

        // Beside the lock, because a locked file cannot be read by the one it refuses.
        File.WriteAllText(path + ".pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new FolderLock(file);
    }

    /// <summary>Whether a live process holds the lock <paramref name="name"/> in <paramref name="folder"/>.</summary>
    public static bool IsHeld(string folder, string name)
    {
        try
        {
            using var free = new FileStream(Path.Combine(folder, name), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    static string Holder(string path)
    {
        try
        {
            var pid = File.ReadAllText(path + ".pid").Trim();
            return pid.Length == 0 ? "unknown" : pid;
        }
        catch (IOException)
        {
            return "unknown";
        }
    }
}

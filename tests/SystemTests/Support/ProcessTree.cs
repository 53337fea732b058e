using System.Runtime.InteropServices;

namespace Salus.SystemTests.Support;

/// <summary>A process of this machine, told apart from a later one with the same number by its start.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Parent">Its parent's number.</param>
/// <param name="Name">The program's short name.</param>
/// <param name="Start">When it started, in clock ticks since boot.</param>
sealed record ProcessEntry(int Id, int Parent, string Name, ulong Start)
{
    /// <summary>Whether it still runs; a dead one that nobody waited for does not.</summary>
    public bool IsAlive => ProcessTree.Read(Id) is { } now && now.Start == Start;
}

/// <summary>Processes as the kernel lists them (proc(5)), and signals to them.</summary>
static class ProcessTree
{
    public const int Interrupt = 2;
    public const int Kill = 9;

    /// <summary>Everything that a process has started, directly or not.</summary>
    public static IReadOnlyList<ProcessEntry> Descendants(int root)
    {
        var byParent = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? Read(id) : null)
            .OfType<ProcessEntry>()
            .ToLookup(process => process.Parent);
        List<ProcessEntry> found = [.. byParent[root]];
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(byParent[found[i].Id]);
        }
        return found;
    }

    /// <summary>Sends a signal.</summary>
    public static void Signal(int id, int signal) => Assert.True(kill(id, signal) == 0, $"Signal {signal} to process {id}: error {Marshal.GetLastPInvokeError()}");

    public static ProcessEntry? Read(int id)
    {
        string line;
        try
        {
            line = File.ReadAllText($"/proc/{id}/stat");
        }
        catch (IOException)
        {
            return null;
        }
        // The name stands in brackets and may hold anything; state, parent and start follow it.
        var (open, close) = (line.IndexOf('('), line.LastIndexOf(')'));
        var fields = line[(close + 2)..].Split(' ');
        return fields[0] is "Z" or "X" ? null : new ProcessEntry(id, int.Parse(fields[1]), line[(open + 1)..close], ulong.Parse(fields[19]));
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int kill(int processId, int signal);
}

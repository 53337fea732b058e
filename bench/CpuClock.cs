namespace Salus.Bench;

/// <summary>CPU seconds of a server side, by what spent them.</summary>
sealed record ServerCpu(double Program, double Postgres, double Chain)
{
    public double All => Program + Postgres + Chain;

    public ServerCpu Since(ServerCpu before) => new(Program - before.Program, Postgres - before.Postgres, Chain - before.Chain);

    public ServerCpu Per(double units) => new(Program / units, Postgres / units, Chain / units);
}

/// <summary>What every process of the machine had used at one moment (/proc), those that ended counted with their parents.</summary>
sealed class CpuClock
{
    const double TicksPerSecond = 100;

    readonly List<Stat> stats;

    CpuClock(List<Stat> stats, double machine) => (this.stats, Machine) = (stats, machine);

    readonly record struct Stat(int Pid, int Parent, string Name, long Ticks);

    /// <summary>CPU seconds that the whole machine has been busy.</summary>
    public double Machine { get; }

    public static CpuClock Read() => new(
        [.. Directory.GetDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(name => name.All(char.IsAsciiDigit)).Select(Of).OfType<Stat>()],
        MachineTicks() / TicksPerSecond);

    /// <summary>A process and all that it started, but for another process and all that it started.</summary>
    public ServerCpu Under(int root, int? without = null)
    {
        var tree = new HashSet<int> { root };
        while (stats.Any(stat => stat.Pid != without && tree.Contains(stat.Parent) && tree.Add(stat.Pid)))
        {
            // Until no process is left whose parent is in the tree and which is not.
        }
        double Seconds(Func<string, bool> named) => stats.Where(stat => tree.Contains(stat.Pid) && named(stat.Name)).Sum(stat => stat.Ticks) / TicksPerSecond;
        return new ServerCpu(Seconds(name => name is not ("postgres" or "anvil")), Seconds(name => name == "postgres"), Seconds(name => name == "anvil"));
    }

    /// <summary>The most memory a process has held.</summary>
    public static double PeakMegabytes(int pid) =>
        double.Parse(File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) / 1024;

    static long MachineTicks()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        const int idle = 4, waiting = 5, guest = 9;
        return fields.Skip(1).Take(guest - 1).Select(long.Parse).Where((_, at) => at + 1 is not (idle or waiting)).Sum();
    }

    static Stat? Of(string pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var name = text[(text.IndexOf('(') + 1)..text.LastIndexOf(')')];
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return new Stat(int.Parse(pid), int.Parse(fields[1]), name, fields[11..15].Sum(long.Parse));
        }
        catch (IOException)
        {
            return null;
        }
    }
}

using System.Globalization;

namespace Salus.Host.Engines;

/// <summary>Who listens on a loopback port, as the kernel tells it.</summary>
static class LoopbackPort
{
    /// <summary>Whether process <paramref name="pid"/>, which must run under this account, listens on <paramref name="port"/> of 127.0.0.1.</summary>
    public static bool IsHeldBy(int pid, int port)
    {
        // proc(5), net/tcp: the local address in hexadecimal, state 0A for listening, the socket's inode in the tenth column.
        var local = "0100007F:" + port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (var line in File.ReadLines("/proc/net/tcp"))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 9 && columns[1] == local && columns[3] == "0A")
            {
                return Holds(pid, $"socket:[{columns[9]}]");
            }
        }

        return false;
    }

    static bool Holds(int pid, string socket)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Any(descriptor => new FileInfo(descriptor).LinkTarget == socket);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

using System.IO.Compression;
using System.Text;
using Npgsql;
using Salus.Tests.Platform;

namespace Salus.Tests.Host;

/// <summary>Looks for texts in a database's every column and in every file of a folder, in each form a <see cref="Needle"/> has, and in what inflates from it.</summary>
sealed class PlaintextSearch(params Needle[] needles)
{
    const int InflatedMax = 32 << 20;

    /// <summary>Where a text lies in the tables, as table, column and form; empty when it lies nowhere.</summary>
    public async Task<List<string>> InTablesAsync(NpgsqlDataSource database)
    {
        List<string> found = [];
        var columns = await database.RowsAsync(row => (Table: row.GetString(0), Column: row.GetString(1), IsBytes: row.GetString(2) == "bytea"),
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position");
        foreach (var (table, column, isBytes) in columns)
        {
            var values = await database.RowsAsync(row => isBytes ? row.GetFieldValue<byte[]>(0) : Encoding.UTF8.GetBytes(row.GetString(0)),
                $"SELECT \"{column}\"{(isBytes ? "" : "::text")} FROM \"{table}\" WHERE \"{column}\" IS NOT NULL");
            foreach (var value in values)
            {
                Look(value, $"{table}.{column}", found);
            }
        }
        return found;
    }

    /// <summary>Where a text lies in a folder's files, as path and form.</summary>
    public List<string> InFolder(string folder)
    {
        List<string> found = [];
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            if (file.EndsWith(".lock", StringComparison.Ordinal))
            {
                continue; // held by this process for itself alone: it holds a process id
            }
            byte[] bytes;
            try
            {
                using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                bytes = new byte[open.Length];
                open.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            }
            catch (FileNotFoundException)
            {
                continue; // the server has removed it meanwhile
            }
            Look(bytes, Path.GetRelativePath(folder, file), found);
            Look(Encoding.UTF8.GetBytes(Path.GetFileName(file)), $"the name of {file}", found);
        }
        return found;
    }

    void Look(byte[] bytes, string place, List<string> found)
    {
        foreach (var needle in needles)
        {
            if (needle.FindIn(bytes) is { } form)
            {
                found.Add($"{place}: {needle.Text} as {form}");
            }
        }
        foreach (var inflated in Inflated(bytes))
        {
            foreach (var needle in needles)
            {
                if (needle.FindIn(inflated) is { } form)
                {
                    found.Add($"{place}: {needle.Text} as {form}, compressed");
                }
            }
        }
    }

    /// <summary>What inflates from every place where a gzip or zlib stream may begin.</summary>
    static IEnumerable<byte[]> Inflated(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length - 10; at++)
        {
            var next = bytes.AsSpan(at).IndexOfAny((byte)0x1F, (byte)0x78);
            if (next < 0 || (at += next) >= bytes.Length - 10)
            {
                yield break;
            }
            var isGzip = bytes[at] == 0x1F && bytes[at + 1] == 0x8B && bytes[at + 2] == 8;
            var isZlib = bytes[at] == 0x78 && bytes[at + 1] is 0x01 or 0x5E or 0x9C or 0xDA;
            if ((isGzip || isZlib) && Inflate(bytes, at, isGzip) is { Length: > 0 } inflated)
            {
                yield return inflated;
            }
        }
    }

    static byte[] Inflate(byte[] bytes, int at, bool isGzip)
    {
        using var source = new MemoryStream(bytes, at, bytes.Length - at);
        using Stream inflating = isGzip ? new GZipStream(source, CompressionMode.Decompress) : new ZLibStream(source, CompressionMode.Decompress);
        using var target = new MemoryStream();
        var buffer = new byte[64 << 10];
        try
        {
            while (target.Length < InflatedMax && inflating.Read(buffer) is > 0 and var count)
            {
                target.Write(buffer, 0, count);
            }
        }
        catch (InvalidDataException)
        {
            // Not a stream, or one cut off: what came out before counts too.
        }
        return target.ToArray();
    }
}

namespace Salus.Tests;

/// <summary>Public data outside the repository, in the folder that SALUS_DATA names; a run that lacks it fails.</summary>
static class FieldData
{
    /// <summary>A folder of the field data.</summary>
    public static string Folder(string name)
    {
        var root = Environment.GetEnvironmentVariable("SALUS_DATA");
        Assert.False(string.IsNullOrEmpty(root), "SALUS_DATA is not set: name the folder that holds the public field data.");
        var folder = Path.Combine(root, name);
        Assert.True(Directory.Exists(folder), $"{folder} is missing: SALUS_DATA must name a complete folder of field data.");
        return folder;
    }

    /// <summary>One file of the field data.</summary>
    public static string File(string folder, string name)
    {
        var path = Path.Combine(Folder(folder), name);
        Assert.True(System.IO.File.Exists(path), $"{path} is missing: SALUS_DATA must name a complete folder of field data.");
        return path;
    }

    /// <summary>The files of a folder and those below it, in the order of their names; fewer than <paramref name="leastCount"/> is a failure.</summary>
    public static IReadOnlyList<string> Files(string folder, string pattern, int leastCount)
    {
        string[] files = [.. Directory.GetFiles(Folder(folder), pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Assert.True(files.Length >= leastCount, $"{folder} holds {files.Length} files '{pattern}', fewer than {leastCount}.");
        return files;
    }
}

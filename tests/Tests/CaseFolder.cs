namespace Salus.Tests;

/// <summary>Public cases in the folder that a variable of their own names, or else in the field data; and the line that tells how many passed.</summary>
static class CaseFolder
{
    public static string Find(string variable, string fieldFolder)
    {
        var named = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(named))
        {
            return FieldData.Folder(fieldFolder);
        }
        Assert.True(Directory.Exists(named), $"{variable} names {named}, which is no folder.");
        return named;
    }

    /// <summary>Prints the line, and the names of the failures with their reasons.</summary>
    public static string Report(ITestOutputHelper output, string name, int total, IReadOnlyList<(string Name, string Reason)> failures)
    {
        var line = $"{name}: {total - failures.Count} of {total}";
        foreach (var text in (string[])[line, .. failures.Select(failure => $"  {name} failed: {failure.Name}: {failure.Reason}")])
        {
            output.WriteLine(text);
            Console.WriteLine(text);
        }
        return line;
    }
}

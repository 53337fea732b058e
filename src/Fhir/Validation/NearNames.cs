namespace Salus.Fhir.Validation;

/// <summary>Finds what a misspelt name may have meant.</summary>
static class NearNames
{
    /// <summary>How many insertions, deletions or replacements lie between two names, case aside (Levenshtein 1966).</summary>
    public static int Distance(string a, string b)
    {
        const int lengthMax = 64;
        if (a.Length > lengthMax || b.Length > lengthMax)
        {
            return int.MaxValue;
        }
        Span<int> row = stackalloc int[b.Length + 1];
        for (var column = 0; column <= b.Length; column++)
        {
            row[column] = column;
        }
        for (var line = 1; line <= a.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var column = 1; column <= b.Length; column++)
            {
                var same = char.ToLowerInvariant(a[line - 1]) == char.ToLowerInvariant(b[column - 1]);
                var best = Math.Min(Math.Min(row[column], row[column - 1]) + 1, diagonal + (same ? 0 : 1));
                diagonal = row[column];
                row[column] = best;
            }
        }
        return row[b.Length];
    }
}

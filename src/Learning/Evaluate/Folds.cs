namespace Salus.Learning.Evaluate;

/// <summary>Splits rows into folds that have the classes in about equal shares.</summary>
public static class Folds
{
    /// <summary>Why rows cannot be split so, and the mend; null where they can.</summary>
    public static string? Objection(ReadOnlySpan<int> labels, ReadOnlySpan<int> groups, int folds)
    {
        if (folds < 2)
            return $"{folds} folds cannot hold anything out; give at least 2";
        if (!groups.IsEmpty && groups.Length != labels.Length)
            return $"there are {labels.Length} labels and {groups.Length} groups; give one group a row";
        var positives = 0;
        foreach (var label in labels)
        {
            if (label is not (0 or 1))
                return $"the label {label} is neither 0 nor 1";
            positives += label;
        }
        var fewest = Math.Min(positives, labels.Length - positives);
        if (fewest < folds)
            return $"the rarer class has {fewest} rows, too few for {folds} folds; give more rows or fewer folds";
        if (groups.IsEmpty)
            return null;
        var distinct = groups.ToArray().Distinct().Count();
        return distinct < folds ? $"there are {distinct} groups, too few for {folds} folds; give fewer folds" : null;
    }

    /// <summary>The fold of each row; every fold has each class within one row of its share.</summary>
    public static int[] Stratified(ReadOnlySpan<int> labels, int folds, ulong seed)
    {
        if (Objection(labels, [], folds) is { } objection)
            throw new ArgumentException(objection);
        var generator = new SeededGenerator(seed);
        var assigned = new int[labels.Length];
        var next = 0;
        for (var c = 0; c < 2; c++)
        {
            var rows = new List<int>();
            for (var row = 0; row < labels.Length; row++)
            {
                if (labels[row] == c)
                    rows.Add(row);
            }
            var shuffled = rows.ToArray();
            generator.Shuffle<int>(shuffled);
            foreach (var row in shuffled)
                assigned[row] = next++ % folds;
        }
        return assigned;
    }

    /// <summary>The fold of each row, all rows of a group in one fold; large groups are placed first, each where it keeps the classes most even.</summary>
    public static int[] StratifiedGrouped(ReadOnlySpan<int> labels, ReadOnlySpan<int> groups, int folds, ulong seed)
    {
        if (Objection(labels, groups, folds) is { } objection)
            throw new ArgumentException(objection);
        var sizes = new Dictionary<int, (int Negatives, int Positives)>();
        var (known, groupOf) = (labels.ToArray(), groups.ToArray());
        for (var row = 0; row < known.Length; row++)
        {
            var (negatives, positives) = sizes.GetValueOrDefault(groupOf[row]);
            sizes[groupOf[row]] = known[row] == 1 ? (negatives, positives + 1) : (negatives + 1, positives);
        }
        var keys = sizes.Keys.Order().ToArray();
        new SeededGenerator(seed).Shuffle<int>(keys);
        var totals = (Negatives: known.Count(label => label == 0), Positives: known.Count(label => label == 1));
        var filled = new (int Negatives, int Positives)[folds];
        var foldOf = new Dictionary<int, int>();
        foreach (var key in keys.OrderByDescending(key => sizes[key].Negatives + sizes[key].Positives))
        {
            var size = sizes[key];
            var best = Enumerable.Range(0, folds).MinBy(fold => Cost(filled[fold], size, totals));
            filled[best] = (filled[best].Negatives + size.Negatives, filled[best].Positives + size.Positives);
            foldOf[key] = best;
        }
        return Array.ConvertAll(groupOf, group => foldOf[group]);
    }

    // The growth of the sum of squared class shares: least in the fold that has least of what the group brings.
    static double Cost((int Negatives, int Positives) fold, (int Negatives, int Positives) size, (int Negatives, int Positives) totals)
    {
        var negatives = (double)((2 * fold.Negatives) + size.Negatives) * size.Negatives / ((double)totals.Negatives * totals.Negatives);
        var positives = (double)((2 * fold.Positives) + size.Positives) * size.Positives / ((double)totals.Positives * totals.Positives);
        return negatives + positives;
    }
}

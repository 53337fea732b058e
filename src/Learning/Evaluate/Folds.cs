namespace Salus.Learning.Evaluate;

/// <summary>Splits rows into folds that have the classes in about equal shares.</summary>
public static class Folds
{
    /// <summary>Why rows cannot be split so, and the mend; null where they can.</summary>
    public static string? Objection(ReadOnlySpan<int> labels, ReadOnlySpan<int> groups, int classes, int folds)
    {
        if (folds < 2)
            return $"{folds} folds cannot hold anything out; give at least 2";
        if (!groups.IsEmpty && groups.Length != labels.Length)
            return $"there are {labels.Length} labels and {groups.Length} groups; give one group a row";
        var counts = new int[classes];
        foreach (var label in labels)
        {
            if (label < 0 || label >= classes)
                return $"the label {label} is outside 0 to {classes - 1}";
            counts[label]++;
        }
        if (counts.Min() < folds)
            return $"the rarest class has {counts.Min()} rows, too few for {folds} folds; give {(classes == 2 ? "more rows" : "more rows of it, leave rare classes out,")} or fewer folds";
        if (groups.IsEmpty)
            return null;
        var distinct = groups.ToArray().Distinct().Count();
        return distinct < folds ? $"there are {distinct} groups, too few for {folds} folds; give fewer folds" : null;
    }

    /// <summary>The fold of each row; every fold has each class within one row of its share.</summary>
    public static int[] Stratified(ReadOnlySpan<int> labels, int classes, int folds, ulong seed)
    {
        if (Objection(labels, [], classes, Math.Min(folds, 2)) is { } objection)
            throw new ArgumentException(objection);
        var generator = new SeededGenerator(seed);
        var assigned = new int[labels.Length];
        var next = 0;
        for (var c = 0; c < classes; c++)
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
    public static int[] StratifiedGrouped(ReadOnlySpan<int> labels, ReadOnlySpan<int> groups, int classes, int folds, ulong seed)
    {
        if (Objection(labels, groups, classes, folds) is { } objection)
            throw new ArgumentException(objection);
        var sizes = new Dictionary<int, int[]>();
        var totals = new int[classes];
        for (var row = 0; row < labels.Length; row++)
        {
            if (!sizes.TryGetValue(groups[row], out var size))
                sizes.Add(groups[row], size = new int[classes]);
            size[labels[row]]++;
            totals[labels[row]]++;
        }
        var keys = sizes.Keys.Order().ToArray();
        new SeededGenerator(seed).Shuffle<int>(keys);
        var filled = new int[folds][];
        for (var fold = 0; fold < folds; fold++)
            filled[fold] = new int[classes];
        var foldOf = new Dictionary<int, int>();
        foreach (var key in keys.OrderByDescending(key => sizes[key].Sum()))
        {
            var size = sizes[key];
            var best = Enumerable.Range(0, folds).MinBy(fold => Cost(filled[fold], size, totals));
            for (var c = 0; c < classes; c++)
                filled[best][c] += size[c];
            foldOf[key] = best;
        }
        return Array.ConvertAll(groups.ToArray(), group => foldOf[group]);
    }

    /// <summary>
    /// Parts by time: of <paramref name="folds"/> + 1 parts of about equal size, the first is only ever trained on (fold -1), and each
    /// later one is judged by what came before it. Rows of one time stay in one part.
    /// </summary>
    public static int[] TimeOrdered(ReadOnlySpan<long> times, int folds)
    {
        if (folds < 1 || times.ToArray().Distinct().Count() <= folds)
            throw new ArgumentException($"there are too few different times for {folds} folds; give fewer folds");
        var known = times.ToArray();
        var order = Enumerable.Range(0, known.Length).OrderBy(row => known[row]).ThenBy(row => row).ToArray();
        var assigned = new int[known.Length];
        for (int at = 0, part = 0; at < order.Length; at++)
        {
            if (at > 0 && known[order[at]] != known[order[at - 1]] && at >= (long)(part + 1) * order.Length / (folds + 1) && part < folds)
                part++;
            assigned[order[at]] = part - 1;
        }
        return assigned;
    }

    // The growth of the sum of squared class shares: least in the fold that has least of what the group brings.
    static double Cost(int[] fold, int[] size, int[] totals)
    {
        var cost = 0.0;
        for (var c = 0; c < size.Length; c++)
            cost += (double)((2 * fold[c]) + size[c]) * size[c] / ((double)totals[c] * totals[c]);
        return cost;
    }
}

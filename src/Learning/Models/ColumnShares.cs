using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>
/// What features add, told by column: a category's levels, or a number and the mark where it was missing, are one thing to a reader. Words of a note
/// stand for themselves.
/// </summary>
sealed class ColumnShares
{
    readonly IReadOnlyList<Feature> features;
    readonly List<int[]> parts;

    public ColumnShares(IReadOnlyList<Feature> features)
    {
        this.features = features;
        parts = [.. Enumerable.Range(0, features.Count).GroupBy(i => features[i].Kind == FeatureKind.Word ? features[i].Name : $"\0{features[i].Column}", StringComparer.Ordinal).Select(group => group.ToArray())];
        Places = new int[features.Count];
        foreach (var (place, own) in parts.Index())
        {
            foreach (var feature in own)
                Places[feature] = place;
        }
    }

    /// <summary>The place of each feature among the columns and words.</summary>
    public int[] Places { get; }

    /// <summary>How many columns and words there are.</summary>
    public int Count => parts.Count;

    /// <summary>What a place is called for a reader.</summary>
    public string Label(int place) => parts[place] is [var only] ? features[only].Label : WholeOf(place).Label;

    /// <summary>What moved a row most, either way; what did not move it is left out.</summary>
    public IReadOnlyList<Contribution> Top(Table table, int row, ReadOnlySpan<double> shares, ReadOnlySpan<double> values, int count)
    {
        var sums = new double[Count];
        for (var i = 0; i < shares.Length; i++)
            sums[Places[i]] += shares[i];
        var top = new List<Contribution>();
        foreach (var place in Enumerable.Range(0, Count).Where(place => sums[place] != 0).OrderByDescending(place => Math.Abs(sums[place])).ThenBy(place => parts[place][0]).Take(count))
            top.Add(parts[place] is [var only] ? new Contribution(features[only].Name, values[only], sums[place], features[only].Describe(values[only])) : Whole(place, table, row, sums[place]));
        return top;
    }

    Contribution Whole(int place, Table table, int row, double share)
    {
        var column = table[features[parts[place][0]].Column];
        if (column is NumberColumn numbers)
            return new Contribution(column.Name, numbers.Values[row], share, WholeOf(place).Describe(numbers.Values[row]));
        return column.Show(row) is { } shown
            ? new Contribution(column.Name, 1, share, new Feature(FeatureKind.Level, column.Name, shown).Describe(1))
            : new Contribution(column.Name, double.NaN, share, WholeOf(place).Describe(double.NaN));
    }

    Feature WholeOf(int place) => new(FeatureKind.Number, features[parts[place][0]].Column);
}

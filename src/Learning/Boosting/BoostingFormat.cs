using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>The boosted models' own formats, version 1: magic, the margins before any tree, trees (<see cref="EnsembleFormat"/>).</summary>
static class BoostingFormat
{
    public const string Magic = "SALUSBOOST";
    public const string RegressionMagic = "SALUSREGBOOST";
    const byte Version = 1;

    public static void Write(BoostedClassifier model, Stream stream) => Write(Magic, model.Start, model.Ensemble, stream);

    public static void Write(BoostedRegressor model, Stream stream) => Write(RegressionMagic, [model.Start], model.Ensemble, stream);

    static void Write(string magic, double[] start, TreeEnsemble trees, Stream stream)
    {
        var writer = new BoundedWriter(stream);
        writer.Magic(magic, Version);
        writer.Int32(start.Length);
        foreach (var margin in start)
            writer.Double(margin);
        EnsembleFormat.Write(trees, writer);
    }

    public static BoostedClassifier Read(ref BoundedReader reader)
    {
        var (trees, start) = Read(ref reader, Magic, TrainingRows.ClassesLimit);
        return start.Length == 2 ? throw new FormatRefusedException("2 margins are claimed; two classes have one") : new BoostedClassifier(trees, start);
    }

    public static BoostedRegressor ReadRegression(ref BoundedReader reader)
    {
        var (trees, start) = Read(ref reader, RegressionMagic, 1);
        return new BoostedRegressor(trees, start[0]);
    }

    static (TreeEnsemble Trees, double[] Start) Read(ref BoundedReader reader, string magic, int outputsMax)
    {
        reader.Magic(magic, Version);
        var start = new double[reader.Count("margins", 1, outputsMax, 8)];
        for (var i = 0; i < start.Length; i++)
        {
            start[i] = reader.Double();
            if (!double.IsFinite(start[i]))
                throw new FormatRefusedException($"the margin {i} is {start[i]}");
        }
        // Within 1e150 no sum of trees overflows.
        var trees = EnsembleFormat.Read(ref reader, start.Length, leaf => Math.Abs(leaf[0]) <= 1e150 ? null : $"the value {leaf[0]}");
        if (trees.Width != 1 || trees.Trees.Length == 0 || trees.Trees.Length % start.Length != 0)
            throw new FormatRefusedException($"{trees.Trees.Length} trees of {trees.Width} values are claimed for {start.Length} outputs, which take turns");
        return (trees, start);
    }
}

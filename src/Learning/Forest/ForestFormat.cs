using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>The forests' own formats, version 2: magic, classes where there are any, trees (<see cref="EnsembleFormat"/>).</summary>
static class ForestFormat
{
    public const string Magic = "SALUSFOREST";
    public const string RegressionMagic = "SALUSREGFOREST";
    const byte Version = 2;
    const int TreesMax = 10_000;

    public static void Write(RandomForest forest, Stream stream)
    {
        var writer = new BoundedWriter(stream);
        writer.Magic(Magic, Version);
        writer.Int32(forest.ClassCount);
        EnsembleFormat.Write(forest.Ensemble, writer);
    }

    public static void Write(RegressionForest forest, Stream stream)
    {
        var writer = new BoundedWriter(stream);
        writer.Magic(RegressionMagic, Version);
        EnsembleFormat.Write(forest.Ensemble, writer);
    }

    public static RandomForest Read(ref BoundedReader reader)
    {
        reader.Magic(Magic, Version);
        var classes = reader.Count("classes", 2, RandomForest.ClassesLimit, 0);
        return new RandomForest(Checked(EnsembleFormat.Read(ref reader, classes == 2 ? 1 : classes, ProbabilityObjection)), classes);
    }

    public static RegressionForest ReadRegression(ref BoundedReader reader)
    {
        reader.Magic(RegressionMagic, Version);
        return new RegressionForest(Checked(EnsembleFormat.Read(ref reader, 1, leaf => double.IsFinite(leaf[0]) ? null : "no finite value")));
    }

    static TreeEnsemble Checked(TreeEnsemble trees)
    {
        if (trees.Trees.Length is 0 or > TreesMax)
            throw new FormatRefusedException($"{trees.Trees.Length} trees are claimed; 1 to {TreesMax} are allowed");
        return trees.Width == trees.Outputs ? trees : throw new FormatRefusedException($"a leaf has {trees.Width} values for {trees.Outputs} classes");
    }

    static string? ProbabilityObjection(double[] leaf)
    {
        var sum = 0.0;
        foreach (var probability in leaf)
        {
            if (!(probability is >= 0 and <= 1))
                return $"the probability {probability}";
            sum += probability;
        }
        return leaf.Length > 1 && Math.Abs(sum - 1) > 1e-9 ? $"probabilities that sum to {sum}" : null;
    }
}

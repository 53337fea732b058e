using Salus.Learning.Boosting;
using Salus.Learning.Forest;
using Salus.Learning.Linear;
using Salus.Learning.Tables;
using Salus.Learning.Text;

namespace Salus.Learning.Models;

/// <summary>The learners that can be named, each with the settings that serve clinical tables and notes.</summary>
public static class Learners
{
    const int RowsPerLeafRow = 4_000;
    const int LeafRowsMax = 25;

    /// <summary>Every name, in the order they are told.</summary>
    public static IReadOnlyList<string> Names { get; } = ["forest", "boosting", "logistic", "text-linear", "text-bayes", "text-forest"];

    /// <summary>Whether the learner reads one column of text and nothing else.</summary>
    public static bool ReadsTextAlone(string name) => name.StartsWith("text-", StringComparison.Ordinal);

    /// <summary>The learner of a name for about so many rows, or null.</summary>
    public static TableLearner? Find(string name, int rows, int? trees = null, int threads = 0) => name switch
    {
        "forest" => Forest(trees ?? 500, rows, threads),
        "boosting" => Boosting(trees ?? 200, threads),
        "logistic" => Logistic(threads),
        "text-linear" => TextLinear(threads),
        "text-bayes" => TextBayes(),
        "text-forest" => TextForest(trees ?? 200, threads),
        _ => null,
    };

    /// <summary>A random forest that routes missing values itself; a category is one feature, split along its levels, and of many rows the leaves are larger.</summary>
    public static ColumnLearner Forest(int trees, int rows, int threads = 0) =>
        new(new ForestOptions { Trees = trees, LeafMin = Math.Clamp(rows / RowsPerLeafRow, 1, LeafRowsMax), Threads = threads }) { Name = "forest", Preparation = new PreparationOptions { Categories = CategoryEncoding.Ordinal } };

    /// <summary>Boosted trees that route missing values and split categories themselves.</summary>
    public static ColumnLearner Boosting(int trees, int threads = 0) =>
        new(new BoostingOptions { Trees = trees, Threads = threads }) { Name = "boosting", Preparation = new PreparationOptions { Categories = CategoryEncoding.Ordinal } };

    /// <summary>Logistic regression: medians for missing numbers and a mark where they were missing, codes and categories as levels.</summary>
    public static LogisticLearner Logistic(int threads = 0) => new(new LogisticOptions { Threads = threads })
    {
        Name = "logistic",
        Preparation = new PreparationOptions
        {
            Numbers = NumberImputation.Median, MarkMissing = true, WholeLevelsMax = 5, WholeLevelRows = 1_000, OneHotLevelsMax = int.MaxValue, LevelRowsMin = 2, LevelShareMin = 1.0 / 500,
            Terms = new TextOptions(),
        },
    };

    /// <summary>TF-IDF of words and pairs, squared hinge, each specialty against all others.</summary>
    public static OneVersusRestLearner TextLinear(int threads = 0) =>
        new(new OneVersusRestOptions { Threads = threads }) { Name = "text-linear", Preparation = new PreparationOptions { Terms = new TextOptions() } };

    /// <summary>Complement naive Bayes over counts of words.</summary>
    public static BayesLearner TextBayes() => new() { Name = "text-bayes", Preparation = new PreparationOptions { Terms = TextOptions.Counts } };

    /// <summary>A forest over the counts of the 2,000 most frequent words.</summary>
    public static ColumnLearner TextForest(int trees, int threads = 0) =>
        new(new ForestOptions { Trees = trees, Threads = threads }) { Name = "text-forest", Preparation = new PreparationOptions { Terms = TextOptions.Counts with { TermsMax = 2_000 } } };
}

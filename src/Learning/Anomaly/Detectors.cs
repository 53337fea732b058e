using Salus.Learning.Tables;

namespace Salus.Learning.Anomaly;

/// <summary>The detectors that can be named.</summary>
public static class Detectors
{
    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> Names { get; } = ["isolation-forest", "ecod", "knn", "histogram"];

    /// <summary>Fits the detector of a name, or null where there is none.</summary>
    public static AnomalyDetector? Fit(string name, FeatureMatrix rows, ulong seed) => name switch
    {
        "isolation-forest" => IsolationForest.Fit(rows, new IsolationForestOptions(Seed: seed)),
        "ecod" => Ecod.Fit(rows),
        "knn" => NearestNeighbours.Fit(rows),
        "histogram" => HistogramScore.Fit(rows),
        _ => null,
    };
}

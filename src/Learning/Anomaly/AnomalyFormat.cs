namespace Salus.Learning.Anomaly;

/// <summary>The bytes of a detector, version 1: magic, kind, medians, then what the kind needs.</summary>
static class AnomalyFormat
{
    const string Magic = "SALUSANOMALY";
    const byte Version = 1;
    const int FeaturesMax = 1 << 16;
    const int ValuesMax = 1 << 26;

    static readonly (string Name, Body Read)[] Kinds =
    [
        ("isolation-forest", IsolationForest.ReadBody), ("ecod", Ecod.ReadBody), ("knn", NearestNeighbours.ReadBody), ("histogram", HistogramScore.ReadBody),
    ];

    delegate AnomalyDetector Body(ref BoundedReader reader, double[] medians);

    public static void Write(AnomalyDetector detector, BoundedWriter writer)
    {
        writer.Magic(Magic, Version);
        writer.Byte((byte)Array.FindIndex(Kinds, kind => kind.Name == detector.Name));
        Values(detector.Medians, writer);
        detector.WriteBody(writer);
    }

    public static AnomalyDetector Read(ref BoundedReader reader)
    {
        reader.Magic(Magic, Version);
        var kind = reader.Byte();
        if (kind >= Kinds.Length)
            throw new FormatRefusedException($"the detector is of kind {kind}");
        var medians = Values(ref reader, "medians", FeaturesMax);
        return medians.Length == 0 ? throw new FormatRefusedException("the detector has no features") : Kinds[kind].Read(ref reader, medians);
    }

    public static void Values(double[] values, BoundedWriter writer)
    {
        writer.Int32(values.Length);
        foreach (var value in values)
            writer.Double(value);
    }

    public static double[] Values(ref BoundedReader reader, string what, int max = ValuesMax)
    {
        var values = new double[reader.Count(what, 0, max, 8)];
        for (var i = 0; i < values.Length; i++)
            values[i] = reader.Finite(what);
        return values;
    }
}

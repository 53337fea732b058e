namespace Salus.Learning.Linear;

/// <summary>The bytes of a linear model, version 1: magic, link, classes, columns, then for each vector its intercept and weights.</summary>
static class LinearFormat
{
    const string Magic = "SALUSLINEAR";
    const byte Version = 1;
    const int ClassesMax = 1_000;
    const int ColumnsMax = 1 << 24;

    public static void Write(LinearClassifier model, BoundedWriter writer)
    {
        writer.Magic(Magic, Version);
        writer.Byte((byte)model.Link);
        writer.Int32(model.Weights.Length);
        writer.Int32(model.ColumnCount);
        for (var c = 0; c < model.Weights.Length; c++)
        {
            writer.Double(model.Intercepts[c]);
            foreach (var weight in model.Weights[c])
                writer.Double(weight);
        }
    }

    public static LinearClassifier Read(ref BoundedReader reader)
    {
        reader.Magic(Magic, Version);
        var link = reader.Byte();
        if (link > (byte)LinearLink.OneVersusRest)
            throw new FormatRefusedException($"the link is of kind {link}");
        var vectors = reader.Count("vectors", 1, ClassesMax, 8);
        if (vectors == 2)
            throw new FormatRefusedException("two classes have one vector, not two");
        var columns = reader.Count("columns", 1, ColumnsMax, 8);
        if ((long)vectors * (columns + 1) * 8 > reader.Left)
            throw new FormatRefusedException($"{vectors} vectors of {columns} weights are claimed, but only {reader.Left} bytes are left");
        var (weights, intercepts) = (new double[vectors][], new double[vectors]);
        for (var c = 0; c < vectors; c++)
        {
            intercepts[c] = reader.Finite("an intercept");
            weights[c] = new double[columns];
            for (var i = 0; i < columns; i++)
                weights[c][i] = reader.Finite("a weight");
        }
        return new LinearClassifier(weights, intercepts, (LinearLink)link);
    }
}

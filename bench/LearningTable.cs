using System.Runtime.InteropServices;
using Salus.Learning;
using Salus.Learning.Tables;

namespace Salus.Bench;

/// <summary>Rows of 30 normal numbers and a label drawn from a logistic model with an interaction and a step.</summary>
sealed record LearningTable(FeatureMatrix Matrix, int[] Labels)
{
    public const int Features = 30;

    const int BlockRows = 8_192;

    /// <summary>Writes rows of single-precision numbers, then a label a byte, so that a peer in another language learns from the same.</summary>
    public static void Write(string file, int rows, ulong seed)
    {
        var generator = new SeededGenerator(seed);
        var weights = Enumerable.Range(0, Features).Select(_ => Normal(generator) / 5).ToArray();
        var labels = new byte[rows];
        Span<float> values = stackalloc float[Features];
        using var stream = new BufferedStream(File.Create(file), 1 << 20);
        for (var row = 0; row < rows; row++)
        {
            var sum = 0.0;
            for (var feature = 0; feature < Features; feature++)
            {
                values[feature] = (float)Normal(generator);
                sum += weights[feature] * values[feature];
            }
            sum += (0.5 * values[0] * values[1]) - (values[2] > 0.5 ? 0.3 : 0);
            var uniform = generator.NextDouble();
            labels[row] = sum + Math.Log((uniform + 1e-16) / (1 - uniform)) > 0 ? (byte)1 : (byte)0;
            stream.Write(MemoryMarshal.AsBytes(values));
        }
        stream.Write(labels);
    }

    /// <summary>Some rows of the file.</summary>
    public static LearningTable Read(string file, int from, int count)
    {
        using var stream = File.OpenRead(file);
        const int rowBytes = 4 * Features;
        var rows = stream.Length / (rowBytes + 1);
        var columns = new float[Features][];
        for (var feature = 0; feature < Features; feature++)
            columns[feature] = new float[count];
        var block = new float[BlockRows * Features];
        stream.Position = (long)from * rowBytes;
        for (var row = 0; row < count; row += BlockRows)
        {
            var some = Math.Min(BlockRows, count - row);
            stream.ReadExactly(MemoryMarshal.AsBytes(block.AsSpan(0, some * Features)));
            for (var i = 0; i < some * Features; i++)
                columns[i % Features][row + (i / Features)] = block[i];
        }
        var labels = new byte[count];
        stream.Position = (rows * rowBytes) + from;
        stream.ReadExactly(labels);
        return new LearningTable(FeatureMatrix.OfSingles(columns), Array.ConvertAll(labels, label => (int)label));
    }

    static double Normal(SeededGenerator generator) =>
        Math.Sqrt(-2 * Math.Log(1 - generator.NextDouble())) * Math.Cos(2 * Math.PI * generator.NextDouble());
}

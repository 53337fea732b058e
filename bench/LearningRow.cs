using System.Diagnostics;
using System.Text.Json;
using Salus.Learning.Forest;
using Salus.Learning.Interchange;

namespace Salus.Bench;

/// <summary>One row through 500 trees, beside the same forest in ONNX Runtime under Node, which the engines' development packages bring.</summary>
static class LearningRow
{
    const int TrainingRows = 5_000;
    const int Rounds = 3;

    public static void Run(string node)
    {
        var (table, model) = (Path.GetTempFileName(), Path.GetTempFileName());
        try
        {
            LearningTable.Write(table, TrainingRows, 1);
            var rows = LearningTable.Read(table, 0, TrainingRows);
            var forest = RandomForest.Train(rows.Matrix, rows.Labels, 2, new ForestOptions { Trees = 500, LeafMin = 1, OutOfBag = false }).Forest;
            using (var stream = File.Create(model))
                OnnxExport.Write(forest, stream);
            Console.WriteLine($"one row through 500 trees grown to the end on {TrainingRows:N0} × {LearningTable.Features}, µs\n| Salus | onnxruntime-node | ratio |\n| ---: | ---: | ---: |");
            for (var round = 0; round < Rounds; round++)
            {
                var (ours, theirs) = (LearningChild.RowMicroseconds(forest, rows), Peer(node, model, rows));
                Console.WriteLine($"| {ours:0.0} | {theirs:0.0} | {ours / theirs:0.00} |");
            }
        }
        finally
        {
            File.Delete(table);
            File.Delete(model);
        }
    }

    static double Peer(string node, string model, LearningTable table)
    {
        var start = new ProcessStartInfo(node, [Path.Combine("tests", "Tests", "Learning", "onnx-predict.mjs"), "engines", model]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        JsonSerializer.Serialize(process.StandardInput.BaseStream, new { width = LearningTable.Features, values = Enumerable.Range(0, 20).SelectMany(table.Matrix.Row), rounds = 200 });
        process.StandardInput.Close();
        return JsonDocument.Parse(process.StandardOutput.ReadToEnd()).RootElement.GetProperty("rowMicroseconds").GetDouble();
    }
}

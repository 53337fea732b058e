using Salus.Learning.Evaluate;
using Salus.Learning.Models;

namespace Salus.Cli.Learn;

/// <summary>Writes the plots of an evaluation into a folder.</summary>
static class PlotFolder
{
    /// <summary>Writes what there is to plot, and gives the files.</summary>
    public static async Task<IReadOnlyList<string>> WriteAsync(string folder, string title, EvaluationReport report, IReadOnlyList<FeatureImportance>? importance, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var files = new List<string>();
        async Task Add(string name, string svg)
        {
            files.Add(Path.Combine(folder, name));
            await File.WriteAllTextAsync(files[^1], svg, cancellation);
        }
        if (report.Roc.Count > 0)
        {
            await Add("roc.svg", SvgPlot.Roc(title, report));
        }
        if (report.Calibration.Count > 0)
        {
            await Add("calibration.svg", SvgPlot.Calibration(title, report));
        }
        if (importance is { Count: > 0 })
        {
            await Add("importance.svg", SvgPlot.Importance(title, importance));
        }
        return files;
    }
}

using System.Globalization;
using System.Net;
using System.Text;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;

namespace Salus.Cli.Learn;

/// <summary>Plots as SVG that stands by itself, legible on light and dark grounds.</summary>
static class SvgPlot
{
    const int Size = 360;
    const int Margin = 56;
    const int BarHeight = 22;

    /// <summary>The receiver operating characteristic beside that of chance.</summary>
    public static string Roc(string title, EvaluationReport report)
    {
        var line = string.Join(" ", report.Roc.Select(point => $"{Text(X(point.FalsePositiveRate))},{Text(Y(point.TruePositiveRate))}"));
        return Square($"{title}: ROC, AUC {Text(Math.Round(report.AucMean, 3))}", "1 − specificity", "sensitivity", $"<polyline class=\"line\" points=\"{line}\"/>");
    }

    /// <summary>What was so beside what was predicted; the larger a dot, the more rows.</summary>
    public static string Calibration(string title, EvaluationReport report)
    {
        var most = Math.Max(1, report.Calibration.Max(bin => bin.Count));
        var line = string.Join(" ", report.Calibration.Select(bin => $"{Text(X(bin.MeanPredicted))},{Text(Y(bin.ShareObserved))}"));
        var dots = string.Concat(report.Calibration.Select(bin =>
            $"<circle class=\"dot\" cx=\"{Text(X(bin.MeanPredicted))}\" cy=\"{Text(Y(bin.ShareObserved))}\" r=\"{Text(2 + (6 * Math.Sqrt((double)bin.Count / most)))}\"><title>{bin.Count} rows</title></circle>"));
        return Square($"{title}: calibration, Brier {Text(Math.Round(report.Brier.Estimate, 3))}", "predicted", "observed", $"<polyline class=\"line\" points=\"{line}\"/>{dots}");
    }

    /// <summary>What matters most, as bars.</summary>
    public static string Importance(string title, IReadOnlyList<FeatureImportance> importance)
    {
        var shown = importance.Where(entry => entry.Importance > 0).Take(15).ToList();
        var most = shown.Count == 0 ? 1 : shown.Max(entry => entry.Importance);
        var bars = new StringBuilder();
        for (var i = 0; i < shown.Count; i++)
        {
            var top = Margin + (i * BarHeight);
            bars.Append(CultureInfo.InvariantCulture, $"<text x=\"190\" y=\"{top + 14}\" text-anchor=\"end\">{Escape(shown[i].Feature.Length > 28 ? shown[i].Feature[..27] + "…" : shown[i].Feature)}</text>")
                .Append(CultureInfo.InvariantCulture, $"<rect class=\"bar\" x=\"198\" y=\"{top + 2}\" width=\"{Text(300 * shown[i].Importance / most)}\" height=\"{BarHeight - 6}\"><title>{Text(shown[i].Importance)}</title></rect>");
        }
        return Frame(540, Margin + (Math.Max(1, shown.Count) * BarHeight) + 16, $"{title}: what matters most", bars.ToString());
    }

    static string Square(string title, string across, string up, string body)
    {
        var grid = new StringBuilder();
        for (var i = 0; i <= 4; i++)
        {
            var share = i / 4.0;
            grid.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Text(X(share))}\" y1=\"{Text(Y(0))}\" x2=\"{Text(X(share))}\" y2=\"{Text(Y(1))}\"/><line class=\"grid\" x1=\"{Text(X(0))}\" y1=\"{Text(Y(share))}\" x2=\"{Text(X(1))}\" y2=\"{Text(Y(share))}\"/>")
                .Append(CultureInfo.InvariantCulture, $"<text x=\"{Text(X(share))}\" y=\"{Text(Y(0) + 16)}\" text-anchor=\"middle\">{Text(share)}</text><text x=\"{Text(X(0) - 8)}\" y=\"{Text(Y(share) + 4)}\" text-anchor=\"end\">{Text(share)}</text>");
        }
        grid.Append(CultureInfo.InvariantCulture, $"<line class=\"chance\" x1=\"{Text(X(0))}\" y1=\"{Text(Y(0))}\" x2=\"{Text(X(1))}\" y2=\"{Text(Y(1))}\"/><text x=\"{Text(X(0.5))}\" y=\"{Text(Y(0) + 36)}\" text-anchor=\"middle\">{Escape(across)}</text>")
            .Append(CultureInfo.InvariantCulture, $"<text x=\"14\" y=\"{Text(Y(0.5))}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {Text(Y(0.5))})\">{Escape(up)}</text>");
        return Frame(Size + (2 * Margin), Size + (2 * Margin), title, grid + body);
    }

    static string Frame(int width, int height, string title, string body) => FormattableString.Invariant($"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{Escape(title)}" font-family="system-ui, sans-serif" font-size="12">
        <style>text{"{"}fill:#222{"}"}.paper{"{"}fill:#fff{"}"}.grid{"{"}stroke:#ddd{"}"}.chance{"{"}stroke:#777;stroke-dasharray:4 4{"}"}.line{"{"}fill:none;stroke:#0b6e99;stroke-width:2{"}"}.dot,.bar{"{"}fill:#0b6e99{"}"}@media(prefers-color-scheme:dark){"{"}text{"{"}fill:#eee{"}"}.paper{"{"}fill:#16181b{"}"}.grid{"{"}stroke:#333{"}"}.chance{"{"}stroke:#999{"}"}.line{"{"}stroke:#5cc1ea{"}"}.dot,.bar{"{"}fill:#5cc1ea{"}"}{"}"}</style>
        <rect class="paper" width="100%" height="100%"/><text x="{width / 2}" y="28" text-anchor="middle" font-size="14">{Escape(title)}</text>{body}
        </svg>

        """);

    static double X(double share) => Margin + (Size * share);

    static double Y(double share) => Margin + (Size * (1 - share));

    static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    static string Escape(string text) => WebUtility.HtmlEncode(text);
}

using System.Globalization;
using System.Text;

namespace Salus.Bench;

/// <summary>How the CPU time of a fit grows with rows and with trees: each fit in a process of its own, the median of three. A table, and a plot with both axes logarithmic.</summary>
static class GrowthRun
{
    const int Rounds = 3;
    const int Threads = 2;

    /// <summary>One line of the plot: a kind of model, what of it grows, and from where it doubles.</summary>
    sealed record Series(string Kind, bool GrowsByRows, int Rows, int Trees, int Doublings)
    {
        public string Name => GrowsByRows ? $"{Kind}, {Trees} trees" : string.Create(CultureInfo.InvariantCulture, $"{Kind}, {Rows:N0} rows");

        public IEnumerable<(int Rows, int Trees)> Sizes => Enumerable.Range(0, Doublings + 1).Select(i => GrowsByRows ? (Rows << i, Trees) : (Rows, Trees << i));
    }

    sealed record Point(double Size, double Seconds);

    static readonly Series[] All =
    [
        new("forest", true, 12_500, 20, 5), new("boosting", true, 25_000, 100, 5),
        new("forest", false, 50_000, 10, 4), new("boosting", false, 100_000, 25, 4),
    ];

    public static int Run(string[] args)
    {
        var file = Path.GetTempFileName();
        try
        {
            List<(Series Series, List<Point> Points)> measured = [];
            foreach (var series in All)
            {
                measured.Add((series, [.. series.Sizes.Select(size => Measure(file, series, size.Rows, size.Trees))]));
            }
            Console.WriteLine("\n| | CPU s of a fit, each time twice as much | exponent |\n| --- | --- | ---: |");
            foreach (var (series, points) in measured)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {series.Name}, {(series.GrowsByRows ? "rows" : "trees")} from {points[0].Size:N0} to {points[^1].Size:N0} | {string.Join(", ", points.Select(point => point.Seconds.ToString("0.00", CultureInfo.InvariantCulture)))} | {Exponent(points):0.00} |"));
            }
            File.WriteAllText(Array.IndexOf(args, "--out") is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : Path.Combine("bench", "fit-time.svg"), Plot(measured));
            return 0;
        }
        finally
        {
            File.Delete(file);
        }
    }

    static Point Measure(string file, Series series, int rows, int trees)
    {
        LearningTable.Write(file, rows, 1);
        string[] words = [typeof(GrowthRun).Assembly.Location, "learning-child", file, series.Kind, rows.ToString(CultureInfo.InvariantCulture), trees.ToString(CultureInfo.InvariantCulture), Threads.ToString(CultureInfo.InvariantCulture)];
        var seconds = Enumerable.Range(0, Rounds).Select(_ => LearningRun.Child(Environment.ProcessPath!, words, $"{series.Kind}, {rows} rows, {trees} trees").CpuSeconds).Order().ToList();
        return new Point(series.GrowsByRows ? rows : trees, seconds[Rounds / 2]);
    }

    /// <summary>The slope of the line through the logarithms: 1 is linear.</summary>
    static double Exponent(IReadOnlyList<Point> points)
    {
        var (x, y) = (points.Select(point => Math.Log(point.Size)).ToArray(), points.Select(point => Math.Log(point.Seconds)).ToArray());
        var (meanX, meanY) = (x.Average(), y.Average());
        return x.Zip(y).Sum(pair => (pair.First - meanX) * (pair.Second - meanY)) / x.Sum(value => (value - meanX) * (value - meanX));
    }

    static string Plot(IReadOnlyList<(Series Series, List<Point> Points)> measured)
    {
        const int width = 380, height = 300, left = 60, top = 30;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {2 * (width + left) + 20} {height + 90}\" font-family=\"sans-serif\" font-size=\"12\">\n<title>CPU seconds of a fit over rows and over trees</title>\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        foreach (var (panel, lines) in measured.GroupBy(line => line.Series.GrowsByRows).Select((group, i) => (i, group.ToList())))
        {
            var (sizes, times) = (lines.SelectMany(line => line.Points.Select(point => point.Size)).ToList(), lines.SelectMany(line => line.Points.Select(point => point.Seconds)).ToList());
            var (low, high) = (Math.Floor(Math.Log2(times.Min())), Math.Ceiling(Math.Log2(times.Max())));
            var x0 = left + (panel * (width + left));
            double X(double size) => x0 + (width * Math.Log(size / sizes.Min()) / Math.Log(sizes.Max() / sizes.Min()));
            double Y(double seconds) => top + (height * (high - Math.Log2(seconds)) / (high - low));
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x0}\" y=\"18\" font-weight=\"bold\">CPU seconds of a fit over {(panel == 0 ? "rows" : "trees")}; dashed: linear</text>\n");
            for (var power = low; power <= high; power++)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x0}\" x2=\"{x0 + width}\" y1=\"{Y(Math.Pow(2, power)):0.0}\" y2=\"{Y(Math.Pow(2, power)):0.0}\" stroke=\"#ddd\"/><text x=\"{x0 - 6}\" y=\"{Y(Math.Pow(2, power)) + 4:0.0}\" text-anchor=\"end\">{Math.Pow(2, power):0.###}</text>\n");
            }
            foreach (var size in sizes.Distinct().Order())
            {
                svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(size):0.0}\" y=\"{top + height + 18}\" text-anchor=\"middle\">{(size >= 1000 ? $"{size / 1000:0.#}k" : $"{size:0}")}</text>\n");
            }
            foreach (var ((series, points), i) in lines.Select((line, i) => (line, i)))
            {
                var colour = i == 0 ? "#0072b2" : "#d55e00";
                var path = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Size):0.0},{Y(point.Seconds):0.0}")));
                var linear = points[^1].Seconds * points[0].Size / points[^1].Size;
                svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{X(points[0].Size):0.0}\" y1=\"{Y(linear):0.0}\" x2=\"{X(points[^1].Size):0.0}\" y2=\"{Y(points[^1].Seconds):0.0}\" stroke=\"{colour}\" stroke-dasharray=\"4 4\"/>\n");
                svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n");
                foreach (var point in points)
                {
                    svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(point.Size):0.0}\" cy=\"{Y(point.Seconds):0.0}\" r=\"3\" fill=\"{colour}\"/>\n");
                }
                svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x0 + 4}\" y=\"{top + height + 40 + (i * 16)}\" fill=\"{colour}\">{series.Name}: exponent {Exponent(points):0.00}</text>\n");
            }
        }
        return svg.Append("</svg>\n").ToString();
    }
}

using System.Diagnostics;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Bench;

/// <summary>Text models beside scikit-learn's, on the same notes and folds of the same sizes: seconds to fit and to predict, in turns.</summary>
static class TextRun
{
    static readonly string[] Kinds = ["text-linear", "text-bayes", "text-forest"];

    public static int Run(string[] args)
    {
        var data = Option(args, "--data");
        var file = data is null ? "" : Path.Combine(data, "text", "mtsamples.csv");
        var script = Path.Combine("bench", "text_peers.py");
        if (!File.Exists(file) || !File.Exists(script))
        {
            Console.Error.WriteLine("give the folder of public data with --data DIR (it holds text/mtsamples.csv), and run from the repository's root");
            return 1;
        }
        var rounds = int.Parse(Option(args, "--rounds") ?? "3");
        var folds = Path.GetTempFileName();
        try
        {
            var rows = Read(file);
            var assigned = Folds.Stratified(rows.Labels, rows.Classes.Count, 5, 1);
            File.WriteAllLines(folds, assigned.Select((fold, row) => $"{rows.Whole["note_id"].Show(row)} {fold}"));
            Console.WriteLine($"{rows.Labels.Length} notes, {rows.Classes.Count} specialties, 5 folds, median of {rounds} rounds\n");
            Console.WriteLine("| | fit s a fold | predict s a fold | CPU s in all | macro-F1 |\n| --- | ---: | ---: | ---: | ---: |");
            foreach (var kind in Kinds)
                Compare(kind, rows, assigned, file, folds, Option(args, "--python") ?? "python3", script, rounds);
            return 0;
        }
        finally
        {
            File.Delete(folds);
        }
    }

    sealed record Figures(double Fit, double Predict, double Cpu, double MacroF1);

    static void Compare(string kind, TaskRows rows, int[] folds, string file, string foldFile, string python, string script, int rounds)
    {
        var (ours, theirs) = (new List<Figures>(), new List<Figures>());
        Ours(kind, rows, folds);
        for (var round = 0; round < rounds; round++)
        {
            theirs.Add(Theirs(python, script, file, foldFile, kind));
            ours.Add(Ours(kind, rows, folds));
        }
        Tell($"{kind}, scikit-learn", theirs);
        Tell($"{kind}, Salus", ours);
        var ratio = ours.Zip(theirs, (our, their) => (their.Fit + their.Predict) / (our.Fit + our.Predict)).Order().ElementAt(rounds / 2);
        var cpu = ours.Zip(theirs, (our, their) => their.Cpu / our.Cpu).Order().ElementAt(rounds / 2);
        Console.WriteLine($"| faster by, fit and predict | {ratio:0.0} | | {cpu:0.0} | |");
    }

    static void Tell(string name, List<Figures> figures)
    {
        double Median(Func<Figures, double> figure) => figures.Select(figure).Order().ElementAt(figures.Count / 2);
        Console.WriteLine($"| {name} | {Median(f => f.Fit):0.000} | {Median(f => f.Predict):0.000} | {Median(f => f.Cpu):0.00} | {Median(f => f.MacroF1):0.000} |");
    }

    static Figures Ours(string kind, TaskRows rows, int[] folds)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        double fit = 0, predict = 0, macro = 0;
        for (var fold = 0; fold < 5; fold++)
        {
            var parts = Enumerable.Range(0, folds.Length).ToLookup(row => folds[row] == fold);
            int[] training = [.. parts[false]], held = [.. parts[true]];
            var (table, judged) = (rows.Features.Take(training), rows.Features.Take(held));
            var learner = Learners.Find(kind, training.Length, trees: 100)!;
            var started = Stopwatch.GetTimestamp();
            var model = learner.Fit(table, Array.ConvertAll(training, row => rows.Labels[row]), rows.Classes.Count, 1);
            fit += Stopwatch.GetElapsedTime(started).TotalSeconds;
            started = Stopwatch.GetTimestamp();
            int[] said = [.. model.Predict(judged).Select(row => ClassMetrics.Likeliest(row))];
            predict += Stopwatch.GetElapsedTime(started).TotalSeconds;
            macro += ClassMetrics.MacroF1(ClassMetrics.Confusion(said, Array.ConvertAll(held, row => rows.Labels[row]), rows.Classes.Count));
        }
        return new Figures(fit / 5, predict / 5, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds, macro / 5);
    }

    static Figures Theirs(string python, string script, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(python, [script, .. words]) { RedirectStandardOutput = true })!;
        var parts = process.StandardOutput.ReadToEnd().Trim().Split(' ').Select(double.Parse).ToArray();
        process.WaitForExit();
        return new Figures(parts[0], parts[1], parts[2], parts[3]);
    }

    // Specialties of fifty notes or more, without the headings under which every kind of note is filed, each note once.
    static TaskRows Read(string file)
    {
        string[] general =
        [
            "Surgery", "Consult - History and Phy.", "SOAP / Chart / Progress Notes", "Discharge Summary", "Emergency Room Reports", "Office Notes", "Letters", "General Medicine",
            "Radiology", "Lab Medicine - Pathology", "IME-QME-Work Comp etc.", "Hospice - Palliative Care", "Autopsy", "Chiropractic", "Speech - Language",
        ];
        using var stream = File.OpenRead(file);
        var table = ((CsvOutcome.Loaded)CsvTable.Read(stream)).Table;
        var specialty = table["medical_specialty"];
        table = table.Take([.. Enumerable.Range(0, table.RowCount).Where(row => !general.Contains(specialty.Show(row)))]);
        var task = new TabularTask("medical_specialty") { Text = "transcription", ManyClasses = true };
        return TaskRows.Of(RowSelection.Of(table, task, 50, deduplicate: true).Table, task, out var problem, out _) ?? throw new InvalidOperationException(problem);
    }

    static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}

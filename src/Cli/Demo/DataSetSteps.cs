using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Salus.Cli.Api;
using Salus.Learning.Cohort;

namespace Salus.Cli.Demo;

/// <summary>A data set of personal health records: loaded, looked at, processed, noised, sealed.</summary>
static class DataSetSteps
{
    const decimal Epsilon = 10;
    const int AnchorSecondsMax = 120;

    /// <summary>Bounds and steps known from the field, not from the data.</summary>
    static readonly Dictionary<string, (decimal Low, decimal High, decimal Step)> Bounds = new()
    {
        ["age"] = (0, 120, 1), ["heart rate"] = (20, 240, 1), ["systolic pressure"] = (50, 260, 1), ["diastolic pressure"] = (30, 160, 1), ["temperature"] = (34, 42, 0.1m),
        ["respiratory rate"] = (5, 60, 1), ["oxygen saturation"] = (60, 100, 1), ["body mass index"] = (10, 60, 0.1m), ["glucose"] = (2, 35, 0.1m), ["sex"] = (0, 1, 1), ["assessment"] = (0, 1, 1),
    };

    sealed record ColumnAnswer(string Name, string Kind, int Missing, double MissingShare);

    sealed record PageAnswer(int RowCount, IReadOnlyList<ColumnAnswer> Columns);

    sealed record NamedColumn(string Name);

    sealed record NoiseAnswer(decimal? Epsilon, string Statement);

    sealed record ProcessingAnswer(int TrainingRows, int OtherRows);

    sealed record VersionAnswer(int Version, string Step, int Rows, IReadOnlyList<NamedColumn> Columns, ProcessingAnswer? Processing, NoiseAnswer? Noise);

    sealed record SealedAnswer(string Entry, long CiphertextBytes, string CiphertextHash, ProofAnswer Proof);

    sealed record DataSetAnswer(Guid Id, IReadOnlyList<VersionAnswer> Versions, SealedAnswer? Sealed);

    sealed record SeriesAnswer(string Name, IReadOnlyList<int> Counts);

    sealed record ChartAnswer(string Column, string? By, IReadOnlyList<string> Labels, IReadOnlyList<SeriesAnswer> Series);

    /// <summary>The whole way of a data set.</summary>
    public static async Task RunAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var researcher = world.Accounts.First(account => account.Role == "Researcher");
        using var client = await NodeClient.SignInAsync(world.Address, researcher.Email, researcher.Password, cancellation);
        var csv = Csv(world.Cohort!);
        var bent = await LoadAsync(client, csv + "41,female,\"80", cancellation);
        StepNotes.Require(bent.Status == HttpStatusCode.UnprocessableEntity, $"A file cut off inside a quote was answered with {(int)bent.Status}.");
        notes.Say($"a file cut off inside a quote was refused and not kept: {bent.Reason}");
        var loaded = (await LoadAsync(client, csv, cancellation)).Read<DataSetAnswer>();
        var path = $"/api/data-sets/{loaded.Id}";
        var page = await client.GetAsync<PageAnswer>($"{path}/rows?count=5", cancellation);
        var gap = page.Columns.MaxBy(column => column.MissingShare)!;
        notes.Say($"a researcher loads the SYNTHETIC cohort as CSV: {page.RowCount} rows, {page.Columns.Count} columns ({page.Columns.Count(column => column.Kind == "Number")} numbers, "
            + $"{page.Columns.Count(column => column.Kind == "Category")} categories); {gap.Name} is missing in {gap.MissingShare:P0}");
        var charts = await client.GetAsync<List<ChartAnswer>>($"{path}/charts", cancellation);
        StepNotes.Require(charts.Count > 0, "There is no chart of the data set.");
        notes.Say($"charted: {string.Join("; ", charts.Select(chart => $"{chart.Column} over {chart.Labels.Count} bars"))}");

        var processed = await client.SendAsync<DataSetAnswer>(HttpMethod.Post, $"{path}/process",
            new { target = "assessment", trainShare = 0.7, numbers = "Mean", categories = "Ordinal", seed = 1 }, cancellation);
        var processing = processed.Versions[^1];
        var full = await client.GetAsync<PageAnswer>($"{path}/rows?count=1", cancellation);
        StepNotes.Require(full.Columns.All(column => column.Missing == 0), "Values are missing after they were filled.");
        notes.Say($"processed: categories are numbers, missing values filled by the mean of the {processing.Processing!.TrainingRows} training rows ({processing.Processing.OtherRows} held out)");

        var noised = await client.SendAsync<DataSetAnswer>(HttpMethod.Post, $"{path}/noise", new
        {
            epsilon = Epsilon,
            columns = processing.Columns.Select(column => Bounds.TryGetValue(column.Name, out var bounds)
                ? (object)new { column = column.Name, mechanism = "laplace", low = bounds.Low, high = bounds.High, step = bounds.Step }
                : new { column = column.Name, mechanism = "drop" }),
        }, cancellation);
        notes.Say($"noised by the discrete Laplace mechanism: {noised.Versions[^1].Noise!.Statement}");

        var stored = await client.SendAsync<DataSetAnswer>(HttpMethod.Post, $"{path}/seal", new { }, cancellation);
        StepNotes.Require(stored.Sealed is not null, "The data set was not sealed.");
        notes.At("the data set goes to the chain");
        var anchored = await DemoWorld.UntilAsync(async () =>
            await client.GetAsync<DataSetAnswer>(path, cancellation) is { Sealed.Proof.State: "anchored" } answer ? answer.Sealed : null,
            AnchorSecondsMax, "the data set is not anchored", cancellation);
        notes.Say($"sealed as data set {loaded.Id}: {anchored.CiphertextBytes:N0} bytes of ciphertext, leaf {anchored.Proof.Position}, block {anchored.Proof.Block}, transaction {anchored.Proof.Transaction![..18]}…");
        notes.Set("dataSet", loaded.Id);
        notes.Set("rows", page.RowCount);
        notes.Set("epsilon", Epsilon);
        notes.Set("sealed", anchored);
    }

    static Task<Answer> LoadAsync(NodeClient client, string csv, CancellationToken cancellation) =>
        client.AskAsync(HttpMethod.Post, "/api/data-sets?name=Synthetic%20cohort&fileName=cohort.csv",
            new ByteArrayContent(Encoding.UTF8.GetBytes(csv)) { Headers = { ContentType = new MediaTypeHeaderValue("text/csv") } }, cancellation);

    static string Csv(SyntheticCohort cohort)
    {
        var csv = new StringBuilder("age,sex,heart rate,systolic pressure,diastolic pressure,temperature,respiratory rate,oxygen saturation,body mass index,glucose,assessment\n");
        foreach (var patient in cohort.Patients)
        {
            foreach (var encounter in patient.Encounters)
            {
                var vitals = encounter.Vitals;
                csv.AppendLine(CultureInfo.InvariantCulture, $"{patient.AgeOn(encounter.Date)},{patient.Sex},{vitals.HeartRate},{vitals.SystolicPressure},{vitals.DiastolicPressure},{vitals.Temperature},{vitals.RespiratoryRate},{vitals.OxygenSaturation},{vitals.BodyMassIndex},{vitals.Glucose},{(encounter.AssessedAbnormal ? "abnormal" : "normal")}");
            }
        }
        return csv.ToString();
    }
}

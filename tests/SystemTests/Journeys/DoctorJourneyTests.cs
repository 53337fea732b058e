using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Salus.SystemTests.Browsing;

namespace Salus.SystemTests.Journeys;

/// <summary>A doctor's day, in the browser.</summary>
[Collection(SharedNode.Journeys)]
public sealed class DoctorJourneyTests(SharedNode shared, Chromium chromium)
{
    const int PictureWidth = 96;
    const int PictureHeight = 64;

    [Fact]
    public Task A_doctor_signs_in_reads_a_record_with_charts_and_proofs_and_signs_out() => AsDoctorAsync("doctor-reads", async doctor =>
    {
        var record = await OpenFirstRecordAsync(doctor);
        await doctor.SeesAsync("Measurements over time");
        await doctor.ReloadUntilAsync(() => EveryProofIsAsync(doctor, "✓ Anchored"), "every entry of the page anchored");
        await doctor.Page.WaitForFunctionAsync(DrawnCharts);
        Assert.Equal(await doctor.Page.Locator("[data-chart]").CountAsync(), await doctor.Page.Locator("[data-chart] canvas").CountAsync());

        var proof = doctor.Main.Locator("details.proof").First;
        await proof.Locator("summary").ClickAsync();
        await Assertions.Expect(proof).ToContainTextAsync("verified now");
        await Assertions.Expect(proof).ToContainTextAsync(new Regex(@"Transaction\s+0x[0-9a-f]{6}"));

        await doctor.SignOutAsync();
        doctor.Expect(401);
        await doctor.GoAsync(record);
        await doctor.SeesHeadingAsync("Sign in");
    });

    [Fact]
    public Task A_condition_with_faults_shows_each_beside_its_field_and_a_right_one_lists_what_it_became() => AsDoctorAsync("doctor-adds", async doctor =>
    {
        await doctor.GoAsync("/conditions/new");
        await doctor.Page.GetByText("The patient is new here").ClickAsync();
        await doctor.FillAsync("Patient id", "J-100");
        await doctor.FillAsync("Family name", "Journey");
        await doctor.FillAsync("Symptoms", "cough for three days");
        await doctor.FillAsync("Heart rate", "900");
        await doctor.FillAsync("Temperature", "warm");
        await doctor.PressAsync("Record");
        await doctor.SeesAsync("Please check this");
        await FaultIsBesideAsync(doctor, "vitals.heartRate", "300");
        await FaultIsBesideAsync(doctor, "vitals.temperature", "'warm' is no number");
        await FaultIsBesideAsync(doctor, "newPatient.birthDate", "birth date");
        await Assertions.Expect(doctor.Page.Locator("[id='assessment-error']")).ToContainTextAsync("normal, abnormal or not yet known");
        await Assertions.Expect(doctor.Main.GetByLabel("Symptoms")).ToHaveValueAsync("cough for three days");

        await doctor.FillAsync("Heart rate", "88");
        await doctor.FillAsync("Temperature", "38.4");
        await doctor.FillAsync("Given name", "Jo");
        await doctor.FillAsync("Birth date", "1980-05-06");
        await doctor.Main.GetByLabel("Sex").SelectOptionAsync("other");
        await doctor.FillAsync("Medical history", "asthma");
        await doctor.FillAsync("Examination findings", "wheezing on both sides");
        await doctor.Page.GetByRole(AriaRole.Radio, new PageGetByRoleOptions { Name = "Abnormal", Exact = true }).CheckAsync();
        await doctor.PressAsync("Record");
        await doctor.SeesHeadingAsync("Recorded");
        foreach (var resource in new[] { "Patient", "Visit|Encounter", "Condition|Diagnosis", "Observation|Measurement", "Document", "impression|assessment" })
        {
            await Assertions.Expect(doctor.Main.Locator("tbody")).ToContainTextAsync(new Regex(resource, RegexOptions.IgnoreCase));
        }
        await doctor.ReloadUntilAsync(() => EveryProofIsAsync(doctor, "✓ Anchored"), "every resource made anchored");
    });

    [Fact]
    public Task An_uploaded_picture_and_document_are_shown_in_the_record() => AsDoctorAsync("doctor-uploads", async doctor =>
    {
        var (png, pdf) = await chromium.DrawAsync("Letter", PictureWidth, PictureHeight);
        var record = await OpenFirstRecordAsync(doctor);
        await UploadFileAsync(doctor, record, "picture.png", "image/png", png);
        await doctor.SeesAsync("picture.png: sealed and stored");
        await UploadFileAsync(doctor, record, "letter.pdf", "application/pdf", pdf);
        await doctor.SeesAsync("letter.pdf: sealed and stored");

        await doctor.GoAsync($"{record}?part=documents");
        var picture = doctor.Page.GetByAltText("picture.png").First;
        await picture.ScrollIntoViewIfNeededAsync();
        await doctor.Page.WaitForFunctionAsync("() => [...document.querySelectorAll('img[alt=\"picture.png\"]')].some(image => image.complete && image.naturalWidth > 0)");
        Assert.Equal(PictureWidth, await picture.EvaluateAsync<int>("image => image.naturalWidth"));
        Assert.Equal(PictureHeight, await picture.EvaluateAsync<int>("image => image.naturalHeight"));

        var response = await doctor.Page.RunAndWaitForResponseAsync(
            () => doctor.Page.GetByText("Show the document").First.ClickAsync(),
            answer => answer.Url.Contains("/fhir/Binary/", StringComparison.Ordinal) && answer.Request.ResourceType == "document");
        Assert.Equal(200, response.Status);
        Assert.Equal("application/pdf", await response.HeaderValueAsync("content-type"));
        // A browser that refuses to frame an answer puts a page of its own there.
        await doctor.Page.WaitForFunctionAsync("() => document.querySelector('details[open] iframe') !== null");
        var frame = await doctor.Page.Locator("details[open] iframe").First.ElementHandleAsync();
        Assert.Contains("/fhir/Binary/", (await frame.ContentFrameAsync())!.Url, StringComparison.Ordinal);
    });

    [Fact]
    public Task An_uploaded_film_is_played_in_the_record_from_any_moment() => AsDoctorAsync("doctor-plays", async doctor =>
    {
        var record = await OpenFirstRecordAsync(doctor);
        await UploadFileAsync(doctor, record, "clip.webm", "video/webm", Clip.Webm);
        await doctor.SeesAsync("clip.webm: sealed and stored");

        List<int> answers = [];
        doctor.Page.Response += (_, answer) =>
        {
            if (answer.Url.Contains("/fhir/Binary/", StringComparison.Ordinal))
            {
                answers.Add(answer.Status);
            }
        };
        await doctor.GoAsync($"{record}?part=documents");
        var film = doctor.Page.GetByLabel("clip.webm").First;
        await film.ScrollIntoViewIfNeededAsync();
        var shown = await film.EvaluateAsync<double[]>(
            "film => new Promise((done, failed) => { film.onerror = () => failed(film.error); film.onseeked = () => done([film.currentTime, film.duration, film.videoWidth]);"
            + " const seek = () => { film.currentTime = 5; }; if (film.readyState > 0) { seek(); } else { film.onloadedmetadata = seek; film.load(); } })");
        Assert.Equal([5, Clip.Seconds, 16], shown.Select(value => Math.Round(value)));
        Assert.Contains(206, answers);
    });

    [Fact]
    public Task A_file_that_is_not_what_it_says_is_refused_by_place_and_reason() => AsDoctorAsync("doctor-is-refused", async doctor =>
    {
        var record = await OpenFirstRecordAsync(doctor);
        await UploadFileAsync(doctor, record, "letter.pdf", "application/pdf", "This is no PDF."u8.ToArray());
        await doctor.SeesAsync("letter.pdf: nothing of it was kept");

        var broken = "{\n  \"resourceType\": \"Bundle\",\n  \"type\": \"transaction\",\n  \"entry\": [ ! ]\n}\n";
        await doctor.GoAsync("/upload");
        await doctor.Main.GetByLabel("Bundle", new LocatorGetByLabelOptions { Exact = true }).SetInputFilesAsync(Payload("broken.json", "application/json", Encoding.UTF8.GetBytes(broken)));
        await doctor.PressAsync("Import the bundle");
        await doctor.SeesAsync("broken.json: nothing of it was kept");
        await doctor.SeesAsync("Line 4, column 14");
    });

    [Fact]
    public Task A_prediction_comes_with_its_probability_its_reasons_and_the_models_figures() => AsDoctorAsync("doctor-predicts", async doctor =>
    {
        await doctor.GoAsync("/predictions");
        await doctor.PressAsync("Train");
        await doctor.SeesAsync("This model's accuracy, with its 95 % interval");
        await doctor.SeesAsync("The best that any model could do here");
        await doctor.SeesAsync("Not released");
        await doctor.Main.GetByLabel("Why it is fit for use").FillAsync("Its figures are near the best that is attainable.");
        await doctor.PressAsync("Release it for use");
        await doctor.SeesAsync("✓ In use");
        await doctor.SeesAsync("Its figures are near the best that is attainable.");
        await doctor.Main.GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = "What if…" }).ClickAsync();
        await doctor.Main.GetByLabel("Temperature").FillAsync("39.5");
        await doctor.PressAsync("Ask the model");
        await Assertions.Expect(doctor.Main.Locator(".prediction .figure")).ToHaveTextAsync(new Regex(@"^\d{1,3}\.\d %$"));

        var record = await OpenFirstRecordAsync(doctor);
        await doctor.GoAsync($"{record}/predictions");
        await doctor.PressAsync("Predict");
        var prediction = doctor.Main.Locator("section.prediction").First;
        await Assertions.Expect(prediction.Locator(".assessment")).ToHaveTextAsync(new Regex("^(Normal|Abnormal)$"));
        await Assertions.Expect(prediction.Locator(".figure").First).ToHaveTextAsync(new Regex(@"^\d{1,3}\.\d %$"));
        await Assertions.Expect(prediction).ToContainTextAsync("not a diagnosis");
        Assert.True(await prediction.Locator("table.reasons tbody tr").CountAsync() > 0, "No word or value is named.");
        await Assertions.Expect(prediction).ToContainTextAsync(new Regex(@"Cross-validated on \d+ encounters of \d+ patients"));
        await doctor.ReloadUntilAsync(async () => await prediction.GetByText("✓ Anchored").CountAsync() > 0, "the prediction anchored");
    });

    async Task AsDoctorAsync(string journey, Func<Visitor, Task> walk) =>
        await chromium.BrowseAsync(await shared.StartedAsync(), Look.Desktop, journey, async doctor =>
        {
            await doctor.SignInAsync("Practitioner");
            await walk(doctor);
        });

    /// <summary>Every figure shows a canvas that has something on it.</summary>
    const string DrawnCharts =
        "() => { const all = [...document.querySelectorAll('[data-chart] canvas')]; return all.length > 0 && all.every(canvas => "
        + "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(value => value !== 0)); }";

    /// <summary>Opens the first synthetic patient of the list; the record's address.</summary>
    static async Task<string> OpenFirstRecordAsync(Visitor doctor)
    {
        await doctor.GoAsync("/patients");
        var first = doctor.Main.Locator(".patient-list a").First;
        var path = (await first.GetAttributeAsync("href"))!;
        await first.ClickAsync();
        await doctor.SeesAsync("Timeline");
        return path;
    }

    static async Task UploadFileAsync(Visitor doctor, string record, string name, string mediaType, byte[] content)
    {
        await doctor.GoAsync($"/upload?patient={record["/patients/".Length..]}");
        await doctor.Main.GetByLabel("File", new LocatorGetByLabelOptions { Exact = true }).SetInputFilesAsync(Payload(name, mediaType, content));
        await doctor.PressAsync("Upload the file");
    }

    static async Task FaultIsBesideAsync(Visitor doctor, string field, string text)
    {
        await Assertions.Expect(doctor.Page.Locator($"[id='{field}-error']")).ToContainTextAsync(text);
        var input = doctor.Page.Locator($"[id='{field}']");
        await Assertions.Expect(input).ToHaveAttributeAsync("aria-invalid", "true");
        await Assertions.Expect(input).ToHaveAttributeAsync("aria-describedby", new Regex(Regex.Escape($"{field}-error")));
    }

    static async Task<bool> EveryProofIsAsync(Visitor doctor, string text)
    {
        var badges = await doctor.Main.Locator("details.proof summary .badge").AllTextContentsAsync();
        return badges.Count > 0 && badges.All(badge => badge.Trim() == text);
    }

    static FilePayload Payload(string name, string mediaType, byte[] content) => new() { Name = name, MimeType = mediaType, Buffer = content };
}

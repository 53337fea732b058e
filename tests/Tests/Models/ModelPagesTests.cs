using System.Net;
using System.Text.RegularExpressions;
using Salus.Platform.Models;
using Salus.Tests.DecisionSupport;

namespace Salus.Tests.Models;

/// <summary>What the pages of models say to whoever has to decide by them.</summary>
[Collection(CdsNode.Name)]
public sealed partial class ModelPagesTests(CdsNode shared)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_model_stands_beside_the_one_in_use_on_its_page_and_in_the_list()
    {
        var request = new TrainingRequest(Trees: 30, Folds: 3, Repeats: 1, Recipe: "readmission");
        var anew = Assert.IsType<ModelTraining.Trained>(await shared.Node.Get<ModelDesk>().TrainAsync(shared.Doctor, request, Cancellation)).Model.Summary;
        Assert.Equal((shared.StayModel, null), (anew.Comparison!.With, anew.Comparison.Figures));
        using var client = await shared.Node.ClientAsync(shared.Doctor);
        var page = await PageAsync(client, $"/models/{anew.Id}");
        Assert.Contains("Beside the model that was in use", page, StringComparison.Ordinal);
        Assert.Contains("too few to compare on. That asks for 10 with the outcome and as many without.", page, StringComparison.Ordinal);
        var list = await PageAsync(client, "/predictions");
        Assert.Contains("A new one waits", list, StringComparison.Ordinal);
        Assert.Contains($"href=\"/models/{anew.Id}\"", list, StringComparison.Ordinal);

        // Where a missed case weighs more than a false alarm, accuracy says little: found and spared come first.
        var used = await PageAsync(client, $"/models/{shared.StayModel}");
        foreach (var part in (string[])["Of those with it, found (sensitivity)", "a missed case is held to cost 6 times a false alarm", "when a patient is discharged", "Withdraw it"])
        {
            Assert.Contains(part, used, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("This model's accuracy", used, StringComparison.Ordinal);
        Assert.Contains("This model's accuracy", await PageAsync(client, $"/models/{shared.NoteModel}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_all_patients_says_on_its_page_how_many_it_does_not_hold()
    {
        using var client = await shared.Node.ClientAsync(shared.Doctor);
        var path = $"/models/{shared.Model}/cohort";
        using var form = await client.GetAsync(path, Cancellation);
        using var pressed = new HttpRequestMessage(HttpMethod.Post, path)
        {
            // The form of signing out stands before it on every page.
            Content = new FormUrlEncodedContent(Hidden().Matches(await form.Content.ReadAsStringAsync(Cancellation)).GroupBy(field => field.Groups[1].Value, field => field.Groups[2].Value, StringComparer.Ordinal)
                .Select(field => KeyValuePair.Create(field.Key, field.Last()))),
        };
        // The cookie that belongs to the form is for https alone.
        pressed.Headers.Add("Cookie", string.Join("; ", form.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0])));
        using var response = await client.SendAsync(pressed, Cancellation);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        var page = await PageAsync(client, response.Headers.Location!.OriginalString);
        var sharing = shared.Patients.Count + shared.Wards.Count - 2;
        Assert.Contains($"It was asked about {CdsNode.CohortMax} of {sharing} patients", page, StringComparison.Ordinal);
        Assert.Contains($"Of the other {sharing - CdsNode.CohortMax} nothing is known here", page, StringComparison.Ordinal);
    }

    static async Task<string> PageAsync(HttpClient client, string path) => WebUtility.HtmlDecode(await client.GetStringAsync(path, Cancellation));

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();
}

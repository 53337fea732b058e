using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Platform.DecisionSupport;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Platform.Records;
using Salus.Tests.Models;
using Salus.Tests.Platform;
using static Salus.Tests.DecisionSupport.OtherSystem;

namespace Salus.Tests.DecisionSupport;

/// <summary>Services of models that judge stays and notes, beside that of visits.</summary>
[Collection(CdsNode.Name)]
public sealed class CdsRecipeTests(CdsNode shared)
{
    const string Stays = "/cds-services/readmission";
    const string Notes = "/cds-services/note-category";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    string Day(int ago) => $"{shared.Now.AddDays(-ago):yyyy-MM-dd}";

    [Fact]
    public async Task A_stay_that_was_sent_is_judged_from_all_that_the_model_reads_and_not_from_a_part()
    {
        using var client = await shared.Node.ClientAsync();
        using var response = await AskAsync(client, Stays, StayCall());
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync(Cancellation));
        var card = Assert.Single((await JsonAsync(response)).GetProperty("cards").EnumerateArray());
        var model = (await shared.Node.Get<ModelDesk>().FindAsync(shared.Doctor, shared.StayModel, Cancellation))!.Summary;
        Assert.Contains("“Readmission within 30 days”", card.GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.Equal($"{Origin}/models/{shared.StayModel}", card.GetProperty("source").GetProperty("url").GetString());
        Assert.Equal("warning", card.GetProperty("indicator").GetString());
        var detail = card.GetProperty("detail").GetString()!;
        foreach (var part in (string[])[$"after the stay that ends on {Day(2)}", "haemoglobin", shared.StayModel, model.Hash[..16], "stays of 26 patients", "Not for keeping a patient in hospital"])
        {
            Assert.Contains(part, detail, StringComparison.Ordinal);
        }

        foreach (var key in (string[])["patient", "encounters", "observations", "conditions"])
        {
            var partial = StayCall();
            partial["prefetch"]!.AsObject().Remove(key);
            await RefusedAsync(client, partial, HttpStatusCode.PreconditionFailed, $"prefetch.{key}");
        }
        // A page of more: who has a diagnosis on the next one would look as if they had none.
        var cut = StayCall();
        cut["prefetch"]!["conditions"]!["link"] = new JsonArray(new JsonObject { ["relation"] = "next", ["url"] = "https://ehr.example.org/fhir?page=2" });
        await RefusedAsync(client, cut, HttpStatusCode.PreconditionFailed, "prefetch.conditions");
        var stranger = StayCall();
        stranger["prefetch"]!["conditions"]!["entry"] = new JsonArray(new JsonObject
        {
            ["resource"] = new JsonObject { ["resourceType"] = "Condition", ["subject"] = new JsonObject { ["reference"] = "Patient/ehr-78" }, ["code"] = new JsonObject { ["text"] = "Asthma" } },
        });
        await RefusedAsync(client, stranger, HttpStatusCode.BadRequest, "prefetch.conditions");
    }

    [Fact]
    public async Task Who_is_being_discharged_is_judged_as_going_home_today_from_that_very_stay()
    {
        using var client = await shared.Node.ClientAsync();
        var stillThere = StayCall();
        stillThere["prefetch"]!["encounters"]!["entry"]![0]!["resource"]!["period"]!.AsObject().Remove("end");
        var card = Assert.Single((await JsonAsync(await AskAsync(client, Stays, stillThere))).GetProperty("cards").EnumerateArray());
        Assert.Contains($"after the stay that ends on {Day(0)}", card.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // A visit that is no stay, and one that was not sent.
        var visit = StayCall();
        visit["prefetch"]!["encounters"]!["entry"]![0]!["resource"]!["class"]!["code"] = "AMB";
        Assert.Equal(0, (await JsonAsync(await AskAsync(client, Stays, visit))).GetProperty("cards").GetArrayLength());
        var other = StayCall();
        other["context"]!["encounterId"] = "r7";
        Assert.Equal(0, (await JsonAsync(await AskAsync(client, Stays, other))).GetProperty("cards").GetArrayLength());

        var without = StayCall();
        without["context"]!.AsObject().Remove("encounterId");
        await RefusedAsync(client, without, HttpStatusCode.BadRequest, "context.encounterId");
        var opened = StayCall();
        opened["hook"] = "patient-view";
        await RefusedAsync(client, opened, HttpStatusCode.BadRequest, "hook");
    }

    [Fact]
    public async Task A_note_that_was_sent_is_sorted_and_one_that_has_its_category_gives_no_card()
    {
        using var client = await shared.Node.ClientAsync();
        var card = Assert.Single((await JsonAsync(await AskAsync(client, Notes, NoteCall(null)))).GetProperty("cards").EnumerateArray());
        Assert.StartsWith("Newest note without a category: “Dermatology”", card.GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.Equal("info", card.GetProperty("indicator").GetString());
        var detail = card.GetProperty("detail").GetString()!;
        Assert.Contains($"on {Day(1)} belongs to **Dermatology**", detail, StringComparison.Ordinal);
        Assert.Contains("Other categories: ", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Judged without", detail, StringComparison.Ordinal);
        Assert.Equal(0, (await JsonAsync(await AskAsync(client, Notes, NoteCall("Dermatology")))).GetProperty("cards").GetArrayLength());
    }

    [Fact]
    public async Task A_practitioner_here_is_advised_on_stays_as_far_as_consents_go_and_a_card_belongs_to_its_service()
    {
        var patient = shared.Wards[1];
        var written = new List<string>();
        foreach (var resource in (JsonObject[])[WardCohort.Stay($"Patient/{patient}", Day(5), Day(2)), WardCohort.Haemoglobin($"Patient/{patient}", Day(4), 8)])
        {
            written.Add(Assert.IsType<WriteOutcome.Written>(await shared.Node.Records.CreateAsync(shared.Doctor, Encoding.UTF8.GetBytes(resource.ToJsonString()), Cancellation)).Records[0].Id);
        }
        using var client = await shared.Node.ClientAsync(shared.Doctor);
        var call = StayCall();
        call.Remove("prefetch");
        call["context"]!["patientId"] = patient;
        call["context"]!["encounterId"] = written[0];
        using var response = await client.SendAsync(Request(HttpMethod.Post, Stays, null, call), Cancellation);
        var card = Assert.Single((await JsonAsync(response)).GetProperty("cards").EnumerateArray());
        Assert.Contains($"ends on {Day(2)}", card.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(card.GetProperty("links").EnumerateArray(), link => link.GetProperty("url").GetString() == $"{Origin}/patients/{patient}");

        call["context"]!["patientId"] = shared.Wards[0];
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(Request(HttpMethod.Post, Stays, null, call), Cancellation)).StatusCode);
        using var auditor = await shared.Node.ClientAsync(await shared.Node.AddAsync(Role.Auditor));
        call["context"]!["patientId"] = patient;
        Assert.Equal(HttpStatusCode.Forbidden, (await auditor.SendAsync(Request(HttpMethod.Post, Stays, null, call), Cancellation)).StatusCode);

        var told = new JsonObject
        {
            ["feedback"] = new JsonArray(new JsonObject { ["card"] = card.GetProperty("uuid").GetString(), ["outcome"] = "accepted", ["outcomeTimestamp"] = "2026-03-01T09:05:00Z" }),
        };
        Assert.Equal(HttpStatusCode.BadRequest, (await client.SendAsync(Request(HttpMethod.Post, $"{Notes}/feedback", null, told), Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(Request(HttpMethod.Post, $"{Stays}/feedback", null, told), Cancellation)).StatusCode);
        Assert.Equal([new CdsFeedbackCount(CdsOutcome.Accepted, null, 1)], await shared.Node.Get<CdsDesk>().FeedbackOfAsync(shared.StayModel, Cancellation));
    }

    async Task RefusedAsync(HttpClient client, JsonNode call, HttpStatusCode status, string place)
    {
        using var response = await AskAsync(client, Stays, call);
        Assert.Equal(status, response.StatusCode);
        Assert.StartsWith(place, (await JsonAsync(response)).GetProperty("place").GetString(), StringComparison.Ordinal);
    }

    Task<HttpResponseMessage> AskAsync(HttpClient client, string service, JsonNode call) =>
        client.SendAsync(Request(HttpMethod.Post, service, shared.System.Token(shared.Now, service), call), Cancellation);

    /// <summary>A call about somebody who went home two days ago; references are as the other system writes them.</summary>
    JsonObject StayCall()
    {
        var call = Call();
        call["hook"] = "encounter-discharge";
        call["context"]!["encounterId"] = "r0";
        const string subject = $"https://ehr.example.org/fhir/Patient/{Patient}";
        call["prefetch"] = new JsonObject
        {
            ["patient"] = call["prefetch"]!["patient"]!.DeepClone(), ["encounters"] = Bundle(WardCohort.Stay(subject, Day(6), Day(2))),
            ["observations"] = Bundle(WardCohort.Haemoglobin(subject, Day(4), 8)), ["conditions"] = Bundle(),
        };
        return call;
    }

    JsonObject NoteCall(string? field)
    {
        var call = Call();
        call["prefetch"] = new JsonObject { ["documents"] = Bundle(WardCohort.Note($"Patient/{Patient}", Day(1), "An itching rash, scaly skin and eczema of the scalp", field)) };
        return call;
    }

    static JsonObject Bundle(params JsonObject[] resources)
    {
        foreach (var (number, resource) in resources.Index())
        {
            resource["id"] = $"r{number}";
        }
        var bundle = new JsonObject { ["resourceType"] = "Bundle", ["type"] = "searchset" };
        if (resources.Length > 0)
        {
            bundle["entry"] = new JsonArray([.. resources.Select(resource => (JsonNode)new JsonObject { ["resource"] = resource })]);
        }
        return bundle;
    }
}

using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Platform.Audit;
using Salus.Platform.DecisionSupport;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Tests.Platform;
using static Salus.Tests.DecisionSupport.OtherSystem;

namespace Salus.Tests.DecisionSupport;

/// <summary>CDS Hooks 2.0 as a client meets it.</summary>
[Collection(CdsNode.Name)]
public sealed class CdsHooksTests(CdsNode shared)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Discovery_lists_the_models_in_use_and_one_less_after_a_withdrawal()
    {
        using var client = await shared.Node.ClientAsync();
        var services = (await DiscoverAsync(client)).EnumerateArray().ToList();
        Assert.Equal(["condition", "readmission", "note-category"], services.Select(one => one.GetProperty("id").GetString()));
        Assert.Equal(["patient", "encounters", "observations", "conditions"], services[1].GetProperty("prefetch").EnumerateObject().Select(one => one.Name));
        Assert.Contains("http://loinc.org|85354-9,", services[1].GetProperty("prefetch").GetProperty("observations").GetString(), StringComparison.Ordinal);
        Assert.Equal(["patient-view", "encounter-discharge", "patient-view"], services.Select(one => one.GetProperty("hook").GetString()));
        Assert.Equal(["documents"], services[2].GetProperty("prefetch").EnumerateObject().Select(one => one.Name));
        Assert.Contains(shared.NoteModel, services[2].GetProperty("description").GetString(), StringComparison.Ordinal);
        var service = services[0];
        Assert.Equal(("condition", "patient-view"), (service.GetProperty("id").GetString(), service.GetProperty("hook").GetString()));
        Assert.Equal("Patient/{{context.patientId}}", service.GetProperty("prefetch").GetProperty("patient").GetString());
        Assert.Contains("http://loinc.org|8867-4", service.GetProperty("prefetch").GetProperty("observations").GetString(), StringComparison.Ordinal);
        Assert.Contains(shared.Model, service.GetProperty("description").GetString(), StringComparison.Ordinal);

        Assert.IsType<ReleaseOutcome.Done>(await shared.Node.Get<ModelDesk>().WithdrawAsync(shared.Doctor, shared.Model, "For this test, and for no longer.", Cancellation));
        Assert.Equal(["readmission", "note-category"], (await DiscoverAsync(client)).EnumerateArray().Select(one => one.GetProperty("id").GetString()));
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(client, Call())).StatusCode);
        await shared.ReleaseAsync();
    }

    [Fact]
    public async Task Another_system_is_told_what_the_model_makes_of_what_it_sent_and_nothing_of_it_is_kept()
    {
        using var client = await shared.Node.ClientAsync();
        var entries = await shared.Node.Database.ValueAsync<long>("SELECT count(*) FROM entry");
        var call = Call();
        using var response = await AskAsync(client, call);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        var card = Assert.Single((await JsonAsync(response)).GetProperty("cards").EnumerateArray());
        var model = (await shared.Node.Get<ModelDesk>().FindAsync(shared.Doctor, shared.Model, Cancellation))!.Summary;
        Assert.True(card.GetProperty("summary").GetString()!.Length <= 140);
        Assert.Equal("warning", card.GetProperty("indicator").GetString());
        Assert.Equal($"{Origin}/models/{shared.Model}", card.GetProperty("source").GetProperty("url").GetString());
        Assert.Equal("absolute", Assert.Single(card.GetProperty("links").EnumerateArray()).GetProperty("type").GetString());
        Assert.Equal(4, card.GetProperty("overrideReasons").GetArrayLength());
        var detail = card.GetProperty("detail").GetString()!;
        foreach (var part in (string[])[shared.Model, model.Hash[..16], "95 % interval", "not a diagnosis", "heart rate", "Judged without: conditions, documents", "probabilities calibrated"])
        {
            Assert.Contains(part, detail, StringComparison.Ordinal);
        }

        // One fact, that names the call and who made it, and no patient.
        Assert.Equal(entries + 1, await shared.Node.Database.ValueAsync<long>("SELECT count(*) FROM entry"));
        var fact = (await shared.Node.Get<AuditTrail>().ListAsync(null, 1, Cancellation))[0].Fact;
        Assert.Equal((AuditAction.Predict, true, "Practitioner/p9 of EHR of https://ehr.example.org", "cds-services/condition"), (fact.Action, fact.Succeeded, fact.Requester, fact.Entity));
        Assert.Equal($"1 card, call {call["hookInstance"]}", fact.Detail);
    }

    [Fact]
    public async Task A_well_patient_gets_no_warning_and_an_encounter_without_anything_gets_no_card()
    {
        using var client = await shared.Node.ClientAsync();
        var well = Call();
        foreach (var (entry, value) in well["prefetch"]!["observations"]!["entry"]!.AsArray().Zip([64, 36.6, 12, 99]))
        {
            entry!["resource"]!["valueQuantity"]!["value"] = value;
        }
        var card = (await JsonAsync(await AskAsync(client, well))).GetProperty("cards")[0];
        Assert.Equal("info", card.GetProperty("indicator").GetString());

        var empty = Call();
        empty["prefetch"]!["observations"]!["entry"] = new JsonArray();
        empty["prefetch"]!["observations"]!.AsObject().Remove("entry");
        Assert.Equal(0, (await JsonAsync(await AskAsync(client, empty))).GetProperty("cards").GetArrayLength());
    }

    [Fact]
    public async Task A_practitioner_here_is_advised_on_the_record_as_far_as_the_patient_consents()
    {
        using var client = await shared.Node.ClientAsync(shared.Doctor);
        var call = Call(shared.Patients[0]);
        call.Remove("prefetch");
        call["context"]!.AsObject().Remove("encounterId");
        using var response = await client.SendAsync(Request(HttpMethod.Post, Service, null, call), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var card = (await JsonAsync(response)).GetProperty("cards")[0];
        Assert.Contains("may have learned from this very visit", card.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(card.GetProperty("links").EnumerateArray(), link => link.GetProperty("url").GetString() == $"{Origin}/patients/{shared.Patients[0]}");
        Assert.Contains(await shared.Node.Get<AuditTrail>().ListAsync(null, 10, Cancellation), line => line.Fact is { Action: AuditAction.Read, Detail: "TREAT" } && line.Fact.Account == shared.Doctor.Account);

        call["context"]!["patientId"] = shared.Patients[^1];
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(Request(HttpMethod.Post, Service, null, call), Cancellation)).StatusCode);
        using var other = await shared.Node.ClientAsync(await shared.Node.AddAsync(Role.Researcher));
        Assert.Equal(HttpStatusCode.Forbidden, (await other.SendAsync(Request(HttpMethod.Post, Service, null, call), Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("hook", "\"order-sign\"", 400, "hook")]
    [InlineData("hookInstance", "\"7\"", 400, "hookInstance")]
    [InlineData("context", "[]", 400, "context")]
    [InlineData("context.userId", "\"Device/7\"", 400, "context.userId")]
    [InlineData("context.patientId", "\"../etc\"", 400, "context.patientId")]
    [InlineData("context.encounterId", "7", 400, "context.encounterId")]
    [InlineData("fhirServer", "\"nowhere\"", 400, "fhirServer")]
    [InlineData("prefetch", "[]", 400, "prefetch")]
    [InlineData("prefetch", "null", 412, "prefetch.patient, prefetch.encounters, prefetch.observations")]
    [InlineData("prefetch.observations", "null", 412, "prefetch.observations")]
    [InlineData("prefetch.patient.id", "\"ehr-78\"", 400, "prefetch.patient.id")]
    [InlineData("prefetch.patient.gender", "\"unwell\"", 400, "prefetch.patient: Patient.gender")]
    [InlineData("prefetch.patient.resourceType", "\"Person\"", 400, "prefetch.patient")]
    [InlineData("prefetch.observations.entry.2.resource.status", "\"guessed\"", 400, "prefetch.observations: Bundle.entry[2].resource.status")]
    [InlineData("prefetch.observations.entry.1.resource.subject.reference", "\"Patient/ehr-78\"", 400, "prefetch.observations.entry[1].resource.subject")]
    [InlineData("prefetch.observations.entry.1.resource.subject.reference", "\"https://evil.example.org/fhir/Patient/ehr-77\"", 400, "prefetch.observations.entry[1].resource.subject")]
    [InlineData("prefetch.encounters.entry.0.resource.subject", "null", 400, "prefetch.encounters.entry[0].resource.subject")]
    public async Task What_is_bent_is_refused_with_its_place(string path, string value, int status, string place)
    {
        using var client = await shared.Node.ClientAsync();
        var call = Call();
        Bend(call, path.Split('.'), JsonNode.Parse(value));
        using var response = await AskAsync(client, call);
        Assert.Equal(status, (int)response.StatusCode);
        var problem = await JsonAsync(response);
        Assert.StartsWith(place, problem.GetProperty("place").GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task Feedback_is_counted_on_the_models_page_and_only_for_cards_that_were_given()
    {
        using var client = await shared.Node.ClientAsync();
        var first = await CardAsync(client);
        var second = await CardAsync(client);
        Assert.Equal(HttpStatusCode.OK, await TellAsync(client, Feedback(first, "accepted"), Feedback(second, "overridden", "does-not-fit")));
        // Told anew, and with a reason that was not offered.
        Assert.Equal(HttpStatusCode.OK, await TellAsync(client, Feedback(first, "overridden", "The patient Isolde was angry")));
        Assert.Equal([new(CdsOutcome.Overridden, "does-not-fit", 1), new(CdsOutcome.Overridden, "other", 1)],
            (await shared.Node.Get<CdsDesk>().FeedbackOfAsync(shared.Model, Cancellation)).OrderBy(count => count.Reason, StringComparer.Ordinal));
        Assert.Contains(await shared.Node.Get<AuditTrail>().ListAsync(null, 5, Cancellation), line => line.Fact is { Action: AuditAction.Feedback, Detail: "1 accepted, 1 overridden" });
        Assert.Equal(0, await shared.Node.Database.ValueAsync<long>("SELECT count(*) FROM cds_feedback WHERE reason LIKE '%Isolde%'"));

        using var doctor = await shared.Node.ClientAsync(shared.Doctor);
        var page = await doctor.GetStringAsync($"/models/{shared.Model}", Cancellation);
        Assert.Contains("Does not fit this patient", page, StringComparison.Ordinal);
        Assert.Matches("href=\"/predictions\" aria-current=\"page\"", page);

        Assert.Equal(HttpStatusCode.BadRequest, await TellAsync(client, Feedback(Guid.NewGuid(), "accepted")));
        Assert.Equal(HttpStatusCode.BadRequest, await TellAsync(client, Feedback(first, "ignored")));
        // A card that another was given.
        Assert.Equal(HttpStatusCode.BadRequest, (await doctor.SendAsync(Request(HttpMethod.Post, $"{Service}/feedback", null, new JsonObject { ["feedback"] = new JsonArray(Feedback(first, "accepted")) }), Cancellation)).StatusCode);
        // A row that somebody wrote into the database counts for nothing.
        await shared.Node.Database.ExecuteAsync("UPDATE cds_feedback SET outcome = 1 WHERE card = $1", second);
        Assert.Equal([new CdsFeedbackCount(CdsOutcome.Overridden, "other", 1)], await shared.Node.Get<CdsDesk>().FeedbackOfAsync(shared.Model, Cancellation));
    }

    [Fact]
    public async Task Browsers_may_call_from_the_pages_of_registered_systems_alone()
    {
        using var system = new OtherSystem("https://web.example.org", "ES256");
        var registered = await shared.RegisterAsync(system, "https://web.example.org http://localhost:8080");
        using var client = await shared.Node.ClientAsync();
        Assert.Equal("https://web.example.org", await AllowedAsync(client, "https://web.example.org", Service));
        Assert.Null(await AllowedAsync(client, "https://evil.example.org", Service));
        Assert.Null(await AllowedAsync(client, "https://web.example.org", "/api/models"));
        await shared.Node.Get<CdsClientDesk>().WithdrawAsync(shared.Administrator, registered.Id, Cancellation);
        Assert.Null(await AllowedAsync(client, "https://web.example.org", Service));
    }

    static async Task<string?> AllowedAsync(HttpClient client, string origin, string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        using var response = await client.SendAsync(request, Cancellation);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
        return response.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed.Single() : null;
    }

    async Task<JsonElement> DiscoverAsync(HttpClient client)
    {
        using var response = await client.SendAsync(Request(HttpMethod.Get, "/cds-services", shared.System.Token(shared.Now, "/cds-services")), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await JsonAsync(response)).GetProperty("services");
    }

    Task<HttpResponseMessage> AskAsync(HttpClient client, JsonNode call) => client.SendAsync(Request(HttpMethod.Post, Service, shared.System.Token(shared.Now), call), Cancellation);

    async Task<Guid> CardAsync(HttpClient client)
    {
        using var response = await AskAsync(client, Call());
        return (await JsonAsync(response)).GetProperty("cards")[0].GetProperty("uuid").GetGuid();
    }

    async Task<HttpStatusCode> TellAsync(HttpClient client, params JsonNode[] feedback)
    {
        using var response = await client.SendAsync(Request(HttpMethod.Post, $"{Service}/feedback", shared.System.Token(shared.Now, $"{Service}/feedback"), new JsonObject { ["feedback"] = new JsonArray(feedback) }), Cancellation);
        return response.StatusCode;
    }

    static JsonObject Feedback(Guid card, string outcome, string? reason = null)
    {
        var said = new JsonObject { ["card"] = card.ToString(), ["outcome"] = outcome, ["outcomeTimestamp"] = "2026-03-01T09:05:00Z" };
        if (reason is not null)
        {
            said["overrideReason"] = new JsonObject { ["reason"] = new JsonObject { ["code"] = reason, ["system"] = "https://salus.health/fhir/cds-override-reason" }, ["userComment"] = "Seen." };
        }
        return said;
    }

    static void Bend(JsonNode node, string[] path, JsonNode? value)
    {
        foreach (var step in path[..^1])
        {
            node = int.TryParse(step, out var index) ? node[index]! : node[step]!;
        }
        if (value is null && path.Length > 2)
        {
            node.AsObject().Remove(path[^1]);
            return;
        }
        node[path[^1]] = value;
    }
}

using System.Text;
using System.Text.Json;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

public sealed class BundleTests
{
    const string Transaction = """
        {"resourceType":"Bundle","type":"transaction","entry":[
        {"fullUrl":"urn:uuid:a","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=1"}},
        {"fullUrl":"urn:uuid:b","resource":{"resourceType":"Condition","subject":{"reference":"urn:uuid:a"},
         "asserter":{"reference":"Practitioner?identifier=x|1"}},"request":{"method":"PUT","url":"Condition/1","ifMatch":"W/\"2\""}},
        {"request":{"method":"DELETE","url":"Observation/9"}}]}
        """;

    static string Bundle(string entry, string type = "transaction") => $$"""{"resourceType":"Bundle","type":"{{type}}","entry":[{{entry}}]}""";

    static FhirIssue RefusedIssue(string json) =>
        Assert.Single(Assert.IsType<BundleOutcome.Refused>(BundleReader.Read(FhirText.Read(json))).Issues);

    [Fact]
    public void A_transaction_is_read_entry_by_entry()
    {
        var bundle = Assert.IsType<BundleOutcome.Ok>(BundleReader.Read(FhirText.Read(Transaction)));
        Assert.Equal("transaction", bundle.Type);
        Assert.Collection(
            bundle.Entries,
            first => Assert.Equal(("urn:uuid:a", "POST", "Patient", "identifier=1", "Patient"), (first.FullUrl, first.Method, first.Url, first.IfNoneExist, first.Resource?.ResourceType)),
            second =>
            {
                Assert.Equal((1, "W/\"2\""), (second.Position, second.IfMatch));
                Assert.Equal("Practitioner?identifier=x|1", Assert.Single(second.ConditionalReferences));
            },
            third => Assert.Equal((null, "DELETE", null), (third.FullUrl, third.Method, third.Resource)));
    }

    [Theory]
    [InlineData("""{"resource":{"resourceType":"Patient"}}""", "Bundle.entry[0]", "required")]
    [InlineData("""{"resource":{"resourceType":"Patient"},"request":{"method":"FETCH","url":"Patient"}}""", "Bundle.entry[0]", "value")]
    [InlineData("""{"request":{"method":"POST","url":"Patient"}}""", "Bundle.entry[0]", "required")]
    [InlineData("""{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patients"}}""", "Bundle.entry[0]", "invalid")]
    [InlineData("""{"resource":{"id":"1"},"request":{"method":"DELETE","url":"Patient/1"}}""", "Bundle.entry[0].resource", "structure")]
    [InlineData("""{"fullUrl":"urn:uuid:a","request":{"method":"GET","url":"A/1"}},{"fullUrl":"urn:uuid:a","request":{"method":"GET","url":"A/1"}}""", "Bundle.entry[1].fullUrl", "duplicate")]
    public void A_bent_entry_is_refused_with_its_place(string entries, string expression, string code)
    {
        var issue = RefusedIssue(Bundle(entries));
        Assert.Equal((expression, code), (issue.Expression, issue.Code));
        Assert.True(issue.Line >= 1 && issue.Column > 1);
    }

    [Fact]
    public void A_collection_needs_resources_and_no_requests()
    {
        Assert.IsType<BundleOutcome.Ok>(BundleReader.Read(FhirText.Read(Bundle("""{"resource":{"resourceType":"Patient"}}""", "collection"))));
        Assert.Equal("required", RefusedIssue(Bundle("""{"fullUrl":"urn:uuid:a"}""", "collection")).Code);
    }

    [Fact]
    public void Other_types_other_resources_and_too_many_entries_are_refused()
    {
        Assert.Equal("not-supported", RefusedIssue(Bundle("{}", "history")).Code);
        Assert.Equal("not-supported", RefusedIssue("""{"resourceType":"Bundle"}""").Code);
        Assert.Contains("Patient", RefusedIssue("""{"resourceType":"Patient"}""").Message);
        var refused = Assert.IsType<BundleOutcome.Refused>(BundleReader.Read(FhirText.Read(Transaction), entriesMax: 2));
        Assert.Equal("too-costly", Assert.Single(refused.Issues).Code);
    }

    [Theory]
    [InlineData("urn:uuid:a", "Patient/7")]
    [InlineData("urn:uuid:a#name", "Patient/7#name")]
    [InlineData("Practitioner?identifier=1", "Practitioner/3")]
    [InlineData("urn:uuid:b", null)]
    [InlineData("Patient/1", null)]
    public void References_become_what_was_stored(string reference, string? expected)
    {
        var map = BundleReferences.Mapper(new Dictionary<string, string> { ["urn:uuid:a"] = "Patient/7", ["Practitioner?identifier=1"] = "Practitioner/3" });
        Assert.Equal(expected, map(reference));
    }

    [Fact]
    public async Task A_searchset_holds_its_resources_byte_for_byte_and_is_valid()
    {
        var stored = """{"resourceType":"Patient","id":"1" , "multipleBirthInteger":2}"""u8.ToArray();
        using var output = new MemoryStream();
        await BundleWriter.WriteSearchsetAsync(
            output, 12, [("self", "https://x.example/Patient?a=b&c"), ("next", "https://x.example/2")],
            [new SearchEntry("https://x.example/Patient/1", stored), new SearchEntry(null, stored, "include")], CancellationToken.None);
        var text = Encoding.UTF8.GetString(output.ToArray());
        Assert.Equal(3, text.Split(Encoding.UTF8.GetString(stored)).Length);
        Assert.Contains("Patient?a=b&c", text);
        var bundle = FhirText.Read(text);
        Assert.Empty(Validator.R4.Validate(bundle));
        Assert.Equal("12", bundle["total"].Text);
    }

    [Fact]
    public async Task A_bundle_without_entries_has_no_empty_arrays()
    {
        using var output = new MemoryStream();
        await BundleWriter.WriteSearchsetAsync(output, null, [], [], CancellationToken.None);
        Assert.Equal("""{"resourceType":"Bundle","type":"searchset"}""", Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public async Task An_answer_to_a_transaction_is_valid_and_names_each_version()
    {
        using var output = new MemoryStream();
        var moment = new DateTimeOffset(2024, 2, 29, 14, 30, 5, 250, TimeSpan.FromHours(2));
        await BundleWriter.WriteResponseAsync(
            output, "transaction-response",
            [
                new ResponseEntry("201 Created", "Patient/1/_history/1", "W/\"1\"", moment, """{"resourceType":"Patient"}"""u8.ToArray()),
                new ResponseEntry("404 Not Found", Outcome: OperationOutcomeWriter.Write([new(IssueSeverity.Error, "not-found", "", "None.")])),
            ],
            CancellationToken.None);
        var bundle = FhirText.Read(output.ToArray());
        Assert.Empty(Validator.R4.Validate(bundle));
        using var json = JsonDocument.Parse(output.ToArray());
        var response = json.RootElement.GetProperty("entry")[0].GetProperty("response");
        Assert.Equal("2024-02-29T12:30:05.250Z", response.GetProperty("lastModified").GetString());
        Assert.Equal("W/\"1\"", response.GetProperty("etag").GetString());
    }

    [Fact]
    public void An_outcome_names_severity_code_place_and_line()
    {
        var utf8 = OperationOutcomeWriter.Write([new(IssueSeverity.Warning, "value", "Patient.gender", "Say \"female\" <or> male.", 3, 14)]);
        Assert.Equal(
            """{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"value","diagnostics":"Say \"female\" <or> male. (line 3, column 14)","expression":["Patient.gender"]}]}""",
            Encoding.UTF8.GetString(utf8));
        Assert.Empty(Validator.R4.Validate(FhirText.Read(utf8)));
    }

    [Fact]
    public void An_outcome_without_findings_is_valid_and_says_so()
    {
        var outcome = FhirText.Read(OperationOutcomeWriter.Write([]));
        Assert.Empty(Validator.R4.Validate(outcome));
        Assert.Equal("information", outcome["issue"].Items.FirstOrMissing["severity"].Text);
    }

    [Theory]
    [InlineData(IssueSeverity.Fatal, "fatal")]
    [InlineData(IssueSeverity.Error, "error")]
    public void Severities_are_written_in_the_terms_of_FHIR(IssueSeverity severity, string expected) =>
        Assert.Contains($"\"severity\":\"{expected}\"", Encoding.UTF8.GetString(OperationOutcomeWriter.Write([new(severity, "value", "", "x")])));
}

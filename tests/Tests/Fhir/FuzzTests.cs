using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Salus.Fhir.Bundles;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

public sealed class FuzzTests
{
    static readonly Config Repeatable = Config.QuickThrowOnFailure.WithMaxTest(2_000).WithReplay(20_240_229, 7);

    static readonly string[] Names =
    [
        .. FhirDefinitions.R4.Type("Patient")!.Elements.Select(element => element.Name),
        .. FhirDefinitions.R4.Type("Observation")!.Elements.Select(element => element.Name),
        "valueQuantity", "valuePeriod", "effectiveTiming", "_birthDate", "reference", "coding", "system", "code", "value", "start", "end", "resourceType", "", "é\\u0000",
    ];

    static readonly string[] Leaves =
    [
        "null", "true", "0", "-1e309", "1.10", "\"\"", "\" \"", "\"2024-02-30\"", "\"2024-02-29T12:30:05Z\"", "\"Patient/1\"", "\"#a\"", "\"urn:uuid:1\"",
        "\"Patient?x=y\"", "\"https://a/Patient/1/_history/\"", "\"\\ud83d\\ude00\"", "\"<div\"", "\"/\"", "\"?\"", "\"#\"", "\"Observation\"",
    ];

    static Gen<string> Json(int depth)
    {
        var leaf = Gen.Elements(Leaves);
        if (depth == 0)
        {
            return leaf;
        }
        var array = Json(depth - 1).ListOf().Select(items => $"[{string.Join(',', items.Take(4))}]");
        var member = Gen.Elements(Names).SelectMany(_ => Json(depth - 1), (name, value) => (name, value));
        var complex = member.ListOf().Select(members => Object(members.Take(6)));
        return Gen.Frequency((2, leaf), (2, array), (3, complex));
    }

    static string Object(IEnumerable<(string Name, string Value)> members) =>
        $"{{{string.Join(',', members.DistinctBy(member => member.Name).Select(member => $"\"{member.Name}\":{member.Value}"))}}}";

    static readonly Gen<string> Resources =
        Gen.Elements("Patient", "Observation", "Bundle", "Parameters", "Questionnaire", "Starship", "Element").SelectMany(
            _ => Gen.Elements(Names).SelectMany(_ => Json(4), (name, value) => (name, value)).ListOf(),
            (type, members) => Object([("resourceType", $"\"{type}\""), .. members.Take(12)]));

    static void Work(string json)
    {
        if (FhirJson.Read(Encoding.UTF8.GetBytes(json)) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return;
        }
        var issues = Validator.R4.Validate(resource);
        Assert.All(issues, issue => Assert.True(issue.Line >= 1 && issue.Column >= 1 && issue.Expression.Length > 0));
        FhirText.Read(OperationOutcomeWriter.Write(issues));
        _ = SearchIndexer.R4.Extract(resource).Count;
        _ = PatientCompartment.PatientsOf(resource).Count;
        _ = BundleReader.Read(resource);
        var rewritten = FhirText.Read(ResourceRewriter.Rewrite(resource, "7", "1", DateTimeOffset.UnixEpoch, _ => "Patient/2"));
        Assert.Equal("7", rewritten.Id);
        Assert.Equal("1", rewritten.VersionId);
    }

    [Fact]
    public void Whatever_is_read_can_be_validated_indexed_and_rewritten() =>
        Prop.ForAll(Resources.ToArbitrary(), Work).Check(Repeatable);

    [Fact]
    public void A_valid_resource_with_any_byte_changed_is_refused_or_worked_on()
    {
        const string observation = """
            {"resourceType":"Observation","id":"1","meta":{"versionId":"1"},"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},
            "subject":{"reference":"Patient/1"},"effectiveDateTime":"2024-02-29T12:30:05Z","valueQuantity":{"value":71.0,"system":"http://unitsofmeasure.org","code":"/min"},"note":[{"text":"\u00e9"}]}
            """;
        Assert.Empty(FhirText.Validate(observation));
        var positions = Gen.Choose(0, observation.Length - 1).SelectMany(_ => Gen.Choose(0, 127), (at, to) => (at, to));
        Prop.ForAll(positions.ToArbitrary(), change => Work($"{observation[..change.at]}{(char)change.to}{observation[(change.at + 1)..]}")).Check(Repeatable);
    }

    [Fact]
    public void Any_query_is_understood_or_refused() => Prop.ForAll<string, string>((name, value) =>
    {
        foreach (var code in new[] { name ?? "", "date", "code", "subject", "_id", "_count", "value-string:exact" })
        {
            Assert.NotNull(SearchQuery.Parse("Observation", [new(code, value ?? "")]));
        }
    }).Check(Repeatable);

    [Fact]
    public void A_date_written_from_any_moment_is_read_as_a_range_that_holds_it() => Prop.ForAll<DateTime>(moment =>
    {
        foreach (var format in new[] { "yyyy", "yyyy-MM", "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.ff'Z'" })
        {
            Assert.True(FhirTime.TryParse(Encoding.UTF8.GetBytes(moment.ToString(format, CultureInfo.InvariantCulture)), out var time));
            Assert.True(time.Low.Ticks <= moment.Ticks && moment.Ticks <= time.High.Ticks);
        }
    }).Check(Repeatable);
}

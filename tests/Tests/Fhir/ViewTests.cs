using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Fhir.Elements;
using Salus.Fhir.Views;

namespace Salus.Tests.Fhir;

/// <summary>Views over the cases beside this file, which have the form of the suite of SQL on FHIR; a folder of such files may be named by a variable.</summary>
public sealed class ViewTests(ITestOutputHelper output)
{
    const string FolderVariable = "SALUS_VIEW_CASES";

    [Fact]
    public void Every_case_gives_its_rows_or_its_error()
    {
        var named = Environment.GetEnvironmentVariable(FolderVariable);
        var cases = ((string?[])[Own(), named]).OfType<string>().Where(folder => folder.Length > 0)
            .SelectMany(folder => Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal)).SelectMany(Read).ToList();
        Assert.True(cases.Count >= 50, "the cases were found");
        var failures = cases.Select(one => (one.Name, Reason: Try(one))).Where(one => one.Reason is not null).Select(one => (one.Name, one.Reason!)).ToList();
        CaseFolder.Report(output, "views", cases.Count, failures);
        Assert.Empty(failures);
    }

    [Fact]
    public void A_case_whose_rows_differ_is_told()
    {
        var view = """{"resource":"Patient","select":[{"column":[{"name":"id","path":"id"}]}]}""";
        var wrong = JsonElement.Parse($$"""{"view":{{view}},"expect":[{"id":"other"}]}""");
        var refused = JsonElement.Parse($$"""{"view":{{view}},"expectError":true}""");
        var patient = JsonElement.Parse("""{"resourceType":"Patient","id":"ada"}""");
        Assert.NotNull(Try(new Case("wrong", [patient], wrong)));
        Assert.NotNull(Try(new Case("no error", [patient], refused)));
    }

    [Fact]
    public void Rows_of_many_resources_are_made_while_they_are_taken()
    {
        var view = Compile("""{"resource":"Patient","select":[{"column":[{"name":"id","path":"id"}]}]}""");
        var made = 0;
        IEnumerable<Resource> Patients()
        {
            for (var i = 0; i < 1_000_000; i++)
            {
                made++;
                yield return FhirText.Read($$"""{"resourceType":"Patient","id":"p{{i}}"}""");
            }
        }
        Assert.Equal(["p0", "p1", "p2"], view.Rows(Patients()).Take(3).Select(row => row[0]));
        Assert.InRange(made, 3, 4);
    }

    [Fact]
    public void References_by_a_bundles_addresses_are_keyed_by_what_they_resolve_to()
    {
        var view = Compile("""{"resource":"Observation","select":[{"column":[{"name":"who","path":"subject.getReferenceKey(Patient)"},{"name":"group","path":"subject.getReferenceKey(Group)"}]}]}""");
        var observation = FhirText.Read("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"urn:uuid:1"}}""");
        var patient = FhirText.Read("""{"resourceType":"Patient","id":"ada"}""");
        Assert.Equal([null, null], view.Rows(observation)[0]);
        Assert.Equal(["ada", null], view.Rows(observation, new ViewScope { Resolve = reference => reference == "urn:uuid:1" ? patient : null })[0]);
    }

    [Fact]
    public void A_view_has_limits_of_depth_columns_expressions_and_rows()
    {
        const string leaf = """{"column":[{"name":"id","path":"id"}]}""";
        var deep = Enumerable.Range(0, 5).Aggregate(leaf, (inner, _) => $$"""{"select":[{{inner}}]}""");
        var wide = string.Join(",", Enumerable.Range(0, 5).Select(i => $$"""{"name":"c{{i}}","path":"id"}"""));
        Assert.Contains("deeper than 4", Refusal($$"""{"resource":"Patient","select":[{{deep}}]}""", new ViewLimits(DepthMax: 4)), StringComparison.Ordinal);
        Assert.Contains("more than 4 columns", Refusal($$"""{"resource":"Patient","select":[{"column":[{{wide}}]}]}""", new ViewLimits(ColumnsMax: 4)), StringComparison.Ordinal);
        Assert.Contains("more than 4 expressions", Refusal($$"""{"resource":"Patient","select":[{"column":[{{wide}}]}]}""", new ViewLimits(ExpressionsMax: 4)), StringComparison.Ordinal);
        var crossed = Compile("""{"resource":"Patient","select":[{"forEach":"name","column":[{"name":"a","path":"family"}]},{"forEach":"name","column":[{"name":"b","path":"family"}]}]}""", new ViewLimits(RowsMax: 8));
        var three = FhirText.Read("""{"resourceType":"Patient","name":[{"family":"a"},{"family":"b"},{"family":"c"}]}""");
        Assert.Contains("more than 8 rows", Assert.Throws<ViewException>(() => crossed.Rows(three)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_is_wrong_with_a_definition_is_told_at_once()
    {
        var refused = Assert.IsType<ViewOutcome.Refused>(View.Read(JsonElement.Parse("""{"resource":"Nobody","select":[{"column":[{"name":"id"},{"path":"id"}]}]}""")));
        Assert.Equal(["ViewDefinition.resource", "ViewDefinition.select[0].column[0].path", "ViewDefinition.select[0].column[1].name"], refused.Issues.Select(issue => issue.Expression));
    }

    sealed record Case(string Name, IReadOnlyList<JsonElement> Resources, JsonElement Test);

    static string Own([CallerFilePath] string file = "") => Path.Combine(Path.GetDirectoryName(file)!, "Views");

    static IEnumerable<Case> Read(string file)
    {
        var suite = JsonElement.Parse(File.ReadAllBytes(file));
        var resources = suite.GetProperty("resources").EnumerateArray().ToList();
        return suite.GetProperty("tests").EnumerateArray().Select(test => new Case($"{Path.GetFileNameWithoutExtension(file)}: {test.GetProperty("title").GetString()}", resources, test));
    }

    /// <summary>Why the case fails; null where it holds.</summary>
    static string? Try(Case one)
    {
        var error = one.Test.TryGetProperty("expectError", out var wanted);
        try
        {
            if (View.Read(one.Test.GetProperty("view")) is not ViewOutcome.Ok { View: var view })
            {
                var issues = ((ViewOutcome.Refused)View.Read(one.Test.GetProperty("view"))).Issues;
                return Told(error, wanted, string.Join("; ", issues.Select(issue => $"{issue.Expression}: {issue.Message}")));
            }
            var rows = view.Rows(one.Resources.Select(resource => FhirText.Read(Encoding.UTF8.GetBytes(resource.GetRawText())))).ToList();
            if (error)
            {
                return $"{rows.Count} rows where an error was expected";
            }
            string[] columns = [.. view.Columns.Select(column => column.Name)];
            if (one.Test.TryGetProperty("expectColumns", out var named) && !columns.SequenceEqual(named.EnumerateArray().Select(name => name.GetString())))
            {
                return $"the columns are {string.Join(", ", columns)}";
            }
            var expected = one.Test.GetProperty("expect").EnumerateArray().Select(Canonical).Order(StringComparer.Ordinal).ToList();
            var found = rows.Select(row => Canonical(columns, row)).Order(StringComparer.Ordinal).ToList();
            return expected.SequenceEqual(found) ? null : $"{string.Join(" ", found)} instead of {string.Join(" ", expected)}";
        }
        catch (ViewException fault)
        {
            return Told(error, wanted, fault.Message);
        }
    }

    static string? Told(bool expected, JsonElement wanted, string message) =>
        expected && (wanted.ValueKind != JsonValueKind.String || message.Contains(wanted.GetString()!, StringComparison.Ordinal)) ? null : message;

    static string Canonical(JsonElement row) =>
        $"{{{string.Join(",", row.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => $"{member.Name}={Canonical(JsonNode.Parse(member.Value.GetRawText()))}"))}}}";

    static string Canonical(JsonNode? node) => node switch
    {
        null => "null",
        JsonArray list => $"[{string.Join(",", list.Select(Canonical))}]",
        _ when node.GetValueKind() == JsonValueKind.Number => Plain(node.GetValue<decimal>()),
        _ => node.ToJsonString(),
    };

    static string Canonical(string[] columns, object?[] row) =>
        $"{{{string.Join(",", columns.Zip(row).OrderBy(pair => pair.First, StringComparer.Ordinal).Select(pair => $"{pair.First}={Plain(pair.Second)}"))}}}";

    static string Plain(object? value) => value switch
    {
        null => "null",
        IReadOnlyList<object?> list => $"[{string.Join(",", list.Select(Plain))}]",
        bool truth => truth ? "true" : "false",
        int or decimal => (Convert.ToDecimal(value, CultureInfo.InvariantCulture) / 1.0000000000000000000m).ToString(CultureInfo.InvariantCulture),
        _ => JsonValue.Create((string)value).ToJsonString(),
    };

    static View Compile(string definition, ViewLimits? limits = null) => Assert.IsType<ViewOutcome.Ok>(View.Read(JsonElement.Parse(definition), limits)).View;

    static string Refusal(string definition, ViewLimits limits) => Assert.IsType<ViewOutcome.Refused>(View.Read(JsonElement.Parse(definition), limits)).Issues[0].Message;
}

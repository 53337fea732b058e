using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;
using Salus.Fhir.Xml;

namespace Salus.Tests.Fhir;

/// <summary>HL7's suite for R4. SALUS_FHIRPATH_CASES names another folder of the same form than that of the field data.</summary>
[Trait("Data", "field")]
[Trait("Cases", "fhirpath")]
public sealed class FhirPathSuiteTests(ITestOutputHelper output)
{
    const double ShareMin = 0.98;

    /// <summary>Cases that are answered otherwise, each with its reason.</summary>
    static readonly Dictionary<string, string> Exceptions = [];

    readonly Dictionary<string, FhirPathItem> _inputs = [];

    [Fact]
    public void Every_case_gives_what_the_suite_says()
    {
        var folder = CaseFolder.Find("SALUS_FHIRPATH_CASES", "fhirpath");
        var failures = new List<(string Name, string Reason)>();
        var total = 0;
        foreach (var file in Directory.GetFiles(folder, "tests*.xml").Order(StringComparer.Ordinal))
        {
            foreach (var test in XDocument.Load(file, LoadOptions.PreserveWhitespace).Descendants("test"))
            {
                total++;
                if (Judge(test, folder) is { } reason)
                {
                    failures.Add((test.Attribute("name")?.Value ?? "unnamed", $"{test.Element("expression")?.Value.Trim()}: {reason}"));
                }
            }
        }
        Assert.True(total > 0, $"{folder} holds no cases.");
        var line = CaseFolder.Report(output, "fhirpath", total, failures);
        Assert.True(total - failures.Count >= total * ShareMin, $"{line}, fewer than {ShareMin:P0}.");
        Assert.All(failures, failure => Assert.True(Exceptions.ContainsKey(failure.Name), $"{failure.Name}: {failure.Reason}"));
    }

    /// <summary>Null when a case gives what it says, otherwise what it gives.</summary>
    string? Judge(XElement test, string folder)
    {
        var expression = test.Element("expression")!;
        var invalid = expression.Attribute("invalid")?.Value;
        var isStrict = (test.Attribute("mode") ?? expression.Attribute("mode"))?.Value == "strict";
        try
        {
            var input = Input(folder, test.Attribute("inputfile")?.Value);
            var compiled = isStrict ? FhirPathExpression.CompileStrict(expression.Value, input.TypeName) : FhirPathExpression.Compile(expression.Value);
            if (invalid == "syntax")
            {
                return "was compiled, though it is wrong";
            }
            var items = compiled.Evaluate(input, new EvaluationContext { IsAsForOne = true, Terminology = SuiteTerminology.Instance });
            if (invalid is not null and not "false")
            {
                return $"gave {items}, though it is wrong";
            }
            return Differs(test, items);
        }
        catch (FhirPathException wrong)
        {
            return invalid is not null and not "false" ? null : $"{wrong.Fault}: {wrong.Message}";
        }
        catch (Exception bug)
        {
            return $"{bug.GetType().Name}: {bug.Message}";
        }
    }

    static string? Differs(XElement test, FhirPathCollection items)
    {
        if (test.Attribute("predicate")?.Value == "true")
        {
            var truth = items.Count == 1 && items[0].Boolean is { } known ? known : items.Count > 0;
            items = new(FhirPathItem.Of(truth));
        }
        var expected = test.Elements("output").ToList();
        if (expected.Count != items.Count)
        {
            return $"gave {items.Count} items: {items}";
        }
        if (test.Attribute("ordered")?.Value == "false")
        {
            return expected.All(output => items.Any(item => IsAs(output, item))) ? null : $"gave {items}";
        }
        return expected.Zip(items).All(pair => IsAs(pair.First, pair.Second)) ? null : $"gave {items} of {string.Join(", ", items.Select(item => item.TypeName))}";
    }

    static bool IsAs(XElement expected, FhirPathItem item)
    {
        var type = expected.Attribute("type")?.Value;
        if (type is not null && item.TypeName != type && (item.TypeNamespace != "System" || !string.Equals(item.TypeName, type, StringComparison.OrdinalIgnoreCase)))
        {
            return false;
        }
        var text = expected.Value;
        var given = item.ToString()!;
        if (item.Number is { } number && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var wanted))
        {
            return number == wanted && number.Scale == wanted.Scale;
        }
        return given == text || given == text.TrimStart('@') || given == text.Replace("@T", "", StringComparison.Ordinal);
    }

    FhirPathItem Input(string folder, string? name)
    {
        name ??= "patient-example.xml";
        if (_inputs.TryGetValue(name, out var known))
        {
            return known;
        }
        var path = Path.Combine(folder, "input", name);
        string[] forms = [path, Path.ChangeExtension(path, ".xml"), Path.ChangeExtension(path, ".json")];
        var form = forms.FirstOrDefault(File.Exists) ?? throw new FileNotFoundException($"{path} is missing.");
        var text = File.ReadAllBytes(form);
        var outcome = form.EndsWith(".xml", StringComparison.Ordinal) ? FhirXml.Read(text) : FhirJson.Read(text);
        return _inputs[name] = outcome switch
        {
            FhirReadOutcome.Ok ok => FhirPathItem.Of(ok.Resource),
            FhirReadOutcome.Refused refused => throw new InvalidDataException($"{name}: {refused.Issues[0]}"),
            _ => throw new InvalidOperationException("A reading is accepted or refused."),
        };
    }

    /// <summary>Answers for the value sets that R4's definitions expand.</summary>
    sealed class SuiteTerminology : ITerminology
    {
        public static SuiteTerminology Instance { get; } = new();

        public bool? Subsumes(string system, string above, string below) => null;

        public bool? IsMember(FhirPathItem coded, string valueSetUrl) => valueSetUrl.EndsWith("/administrative-gender", StringComparison.Ordinal)
            ? coded.Text is "male" or "female" or "other" or "unknown"
            : null;
    }
}

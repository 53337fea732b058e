using System.Runtime.CompilerServices;
using Salus.Fhir.FhirPath;

namespace Salus.Tests.Fhir;

/// <summary>FHIRPath case by case, as its specification and R4's page on it say; the cases stand in the files beside this one.</summary>
public sealed class FhirPathSpecificationTests
{
    const string Arrow = " =>";

    static readonly FhirPathItem Patient = FhirPathItem.Of(FhirText.Read("""
        {"resourceType":"Patient","id":"p","active":true,
         "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Hi</p></div>"},
         "contained":[{"resourceType":"Organization","id":"o","name":"Ward"}],
         "identifier":[{"system":"urn:a","value":"1","type":{"coding":[{"system":"s","code":"c","display":"x"},{"system":"t","code":"d"}]}},
                       {"system":"urn:b","value":"2","type":{"coding":[{"system":"s","code":"c","display":"other"}]}}],
         "name":[{"use":"official","family":"Chalmers","given":["Peter","James"]},{"id":"n2","use":"official","family":"CHALMERS","given":["James","Peter"]},{"use":"usual","given":["Jim"]}],
         "telecom":[{"system":"phone","value":"1"},{"system":"email","value":"a@b"}],
         "birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"http://x/time","valueDateTime":"1974-12-25T14:35:45-05:00"}]},
         "gender":"male","deceasedBoolean":false,"multipleBirthInteger":2,"managingOrganization":{"reference":"#o"},
         "maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M"}]},
         "extension":[{"url":"http://x/q","valueQuantity":{"value":5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}},
                      {"url":"http://x/c","valueCoding":{"system":"s","code":"c"}},{"url":"http://x/m","valueMarkdown":"*a*"},{"url":"http://x/u","valueUrl":"http://a"}],
         "contact":[{"gender":"female","period":{"start":"2012"}}]}
        """));

    [Theory]
    [InlineData("specification.txt", 320)]
    [InlineData("mended.txt", 35)]
    public void Every_case_gives_what_the_specification_says(string file, int casesMin)
    {
        List<string> wrong = [];
        var count = 0;
        foreach (var line in File.ReadLines(Own(file)).Where(line => line.Length > 0 && !line.StartsWith('#')))
        {
            count++;
            var at = line.LastIndexOf(Arrow, StringComparison.Ordinal);
            var (expression, expected) = (line[..at].Trim(), line[(at + Arrow.Length)..].Trim());
            var given = Given(expression);
            if (expected == "''" ? given.Length > 0 : expected == "!" ? !given.StartsWith('!') : given != expected)
            {
                wrong.Add($"{expression}: expected '{expected}', not '{given}'");
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.InRange(count, casesMin, int.MaxValue);
    }

    static string Given(string expression)
    {
        try
        {
            return FhirPathExpression.Compile(expression).Evaluate(Patient).ToString();
        }
        catch (FhirPathException error)
        {
            return $"!{error.Message}";
        }
    }

    static string Own(string file, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, file);

    /// <summary>Two levels of animals.</summary>
    sealed class Zoo : ITerminology
    {
        public bool? IsMember(FhirPathItem coded, string valueSetUrl) => null;

        public bool? Subsumes(string system, string above, string below) => system != "urn:zoo" ? null : above == below || (above == "bird" && below == "owl");
    }

    [Theory]
    [InlineData("code.coding[0].subsumes(code.coding[1])", "true")]
    [InlineData("code.coding[1].subsumes(code.coding[0])", "false")]
    [InlineData("code.coding[1].subsumedBy(code.coding[0])", "true")]
    [InlineData("code.coding[0].subsumedBy(code.coding[1])", "false")]
    [InlineData("code.coding[1].subsumedBy(code)", "true")]
    [InlineData("code.subsumes(code.coding[1])", "true")]
    [InlineData("code.coding[0].subsumes({})", "")]
    [InlineData("bodySite.subsumes(code.coding[0])", "")]
    [InlineData("code.coding[0].subsumes(code.coding[2])", "!")]
    [InlineData("code.coding.subsumes(code)", "!")]
    [InlineData("status.subsumes(code)", "!")]
    [InlineData("checkModifiers('urn:known').id", "o")]
    [InlineData("checkModifiers('urn:other')", "!")]
    [InlineData("checkModifiers()", "!")]
    public void Codes_subsume_as_the_terminology_says_and_modifiers_are_checked(string expression, string expected)
    {
        var observation = FhirPathItem.Of(FhirText.Read("""
            {"resourceType":"Observation","id":"o","status":"final","modifierExtension":[{"url":"urn:known","valueString":"x"}],
             "code":{"coding":[{"system":"urn:zoo","code":"bird"},{"system":"urn:zoo","code":"owl"},{"system":"urn:cars","code":"car"}]}}
            """));
        string Given()
        {
            try
            {
                return FhirPathExpression.Compile(expression).Evaluate(observation, new() { Terminology = new Zoo() }).ToString();
            }
            catch (FhirPathException)
            {
                return "!";
            }
        }
        Assert.Equal(expected, Given());
    }
}

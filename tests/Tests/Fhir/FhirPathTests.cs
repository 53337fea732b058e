using Salus.Fhir.Definitions;
using Salus.Fhir.FhirPath;

namespace Salus.Tests.Fhir;

public sealed class FhirPathTests
{
    static readonly FhirPathItem Patient = FhirPathItem.Of(FhirText.Read("""
        {"resourceType":"Patient","id":"p","active":true,
         "contained":[{"resourceType":"Organization","id":"o","name":"Ward"}],
         "name":[{"use":"official","family":"Chalmers","given":["Peter","James"]},{"use":"usual","given":["Jim"]},
                 {"given":["Ann",null],"_given":[null,{"extension":[{"url":"http://x/why","valueCode":"unknown"}]}]}],
         "birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"http://x/time","valueDateTime":"1974-12-25T14:35:45-05:00"}]},
         "gender":"male","multipleBirthInteger":2,"managingOrganization":{"reference":"#o"},
         "contact":[{"gender":"female","period":{"start":"2012"}}]}
        """));

    static string Of(string expression, EvaluationContext? context = null) => FhirPathExpression.Compile(expression).Evaluate(Patient, context).ToString();

    static FhirPathException Wrong(string expression) => Assert.Throws<FhirPathException>(() => Of(expression));

    [Theory]
    [InlineData("name.given", "Peter, James, Jim, Ann, ")]
    [InlineData("Patient.name.given.count()", "5")]
    [InlineData("name.given.last().extension('http://x/why').value", "unknown")]
    [InlineData("name.given.last().hasValue()", "false")]
    [InlineData("multipleBirth", "2")]
    [InlineData("multipleBirth is integer", "true")]
    [InlineData("Observation.value", "")]
    [InlineData("contained.name", "Ward")]
    [InlineData("managingOrganization.resolve().name", "Ward")]
    [InlineData("birthDate.extension('http://x/time').value > birthDate", "")]
    [InlineData("contact.type().name", "BackboneElement")]
    [InlineData("contact is BackboneElement and contact is Element", "true")]
    [InlineData("Patient.is(DomainResource) and Patient.ofType(Resource).exists()", "true")]
    [InlineData("gender.is(System.String)", "false")]
    [InlineData("active.is(Boolean).not() and active.is(FHIR.boolean)", "true")]
    [InlineData("Patient.is(System.Patient)", "false")]
    [InlineData("Patient.is(FHIR.`Patient`) and 1.type() is System.SimpleTypeInfo", "true")]
    [InlineData("name.children().count()", "8")]
    [InlineData("%context.id = %resource.id and %rootResource.id = 'p'", "true")]
    [InlineData("%`vs-administrative-gender`", "http://hl7.org/fhir/ValueSet/administrative-gender")]
    [InlineData("%`ext-patient-birthTime` & %ucum", "http://hl7.org/fhir/StructureDefinition/patient-birthTimehttp://unitsofmeasure.org")]
    [InlineData("name.first().given.combine(name.given).count()", "7")]
    [InlineData("conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "true")]
    public void An_elements_members_types_and_extensions_are_reached(string expression, string expected) => Assert.Equal(expected, Of(expression));

    [Theory]
    [InlineData("1 + 2 * 3 - 4 / 2", "5")]
    [InlineData("7 div 2 & ''", null)]
    [InlineData("(7 div 2).toString() & '|' & (7 mod 2).toString()", "3|1")]
    [InlineData("-2147483648", "-2147483648")]
    [InlineData("2147483647 + 1", "")]
    [InlineData("1.10 + 2", "3.10")]
    [InlineData("true and {} or true", "true")]
    [InlineData("{} or false", "")]
    [InlineData("false implies {}", "true")]
    [InlineData("{} implies true", "true")]
    [InlineData("true xor {}", "")]
    [InlineData("1 | 2 | 2 | 1.0", "1, 2")]
    [InlineData("'b' > 'a' = true", "true")]
    [InlineData("'Ann  B' ~ 'ann b'", "true")]
    [InlineData("1.2 / 1.8 ~ 0.67", "true")]
    [InlineData("(1 | 2 | 3) ~ (3 | 2 | 1)", "true")]
    [InlineData("{} = 1", "")]
    [InlineData("2 in (1 | 2) and ((1 | 2) contains 3).not()", "true")]
    [InlineData("'it\\'s \\u0041'", "it's A")]
    [InlineData("1 /* one */ + // two\n 2", "3")]
    public void Operators_bind_and_judge_as_the_specification_says(string expression, string? expected)
    {
        if (expected is null)
        {
            Assert.Equal(FhirPathFault.Execution, Wrong(expression).Fault);
            return;
        }
        Assert.Equal(expected, Of(expression));
    }

    [Theory]
    [InlineData("@2018-03 < @2018-03-01", "")]
    [InlineData("@2018-03-01T10:30:00 = @2018-03-01T10:30:00.0", "true")]
    [InlineData("@2017-11-05T01:30:00.0-04:00 = @2017-11-05T00:30:00.0-05:00", "true")]
    [InlineData("@2012-04-15T15:00:00Z = @2012-04-15T10:00:00", "")]
    [InlineData("@2012-04-15T15:00:00Z > @2012-04-14T00:00:00", "true")]
    [InlineData("@2016-02-29 + 1 year", "2017-02-28")]
    [InlineData("@2016-01-31 + 1 month", "2016-02-29")]
    [InlineData("@2016-01 + 40 days", "2016-02")]
    [InlineData("@T23:00:00 + 50 hours", "01:00:00")]
    [InlineData("@T01:00 - 2 hours", "23:00")]
    [InlineData("@9999-12-31 + 1 day", "")]
    [InlineData("@2015-02-04T14:34:28.123+10:00 - 1 's'", "2015-02-04T14:34:27.123+10:00")]
    [InlineData("'2015-02-04T14'.toDateTime()", "2015-02-04T14")]
    [InlineData("'2015-13'.toDate()", "")]
    [InlineData("@2014.lowBoundary() = @2014-01-01 and @2014.highBoundary(6) = @2014-12", "true")]
    [InlineData("@2014-01-05T10:30:00.000.precision()", "17")]
    public void Dates_keep_their_precision_and_zone(string expression, string expected) => Assert.Equal(expected, Of(expression));

    [Theory]
    [InlineData("1 'kg' = 1000 'g'", "true")]
    [InlineData("1 '[lb_av]' = 0.45359237 'kg'", "true")]
    [InlineData("120 'mm[Hg]' > 15 'kPa'", "true")]
    [InlineData("37 'Cel' = 310.15 'K' and 98.6 '[degF]' = 37 'Cel'", "true")]
    [InlineData("1 'mmol/L' = 1 'mol/m3'", "true")]
    [InlineData("10 '%' = 0.1 '1'", "true")]
    [InlineData("1 year = 1 'a'", "")]
    [InlineData("1 year ~ 1 'a'", "true")]
    [InlineData("1 month = 30 days and 1 year = 12 months and 1 year = 365 days and 1 month < 5 weeks", "true")]
    [InlineData("7 days = 1 week and 1 day = 24 'h'", "true")]
    [InlineData("1 'cm' = 1 's'", "")]
    [InlineData("3 'm' + 50 'cm'", "350 'cm'")]
    [InlineData("2 'kg' * 3", "6 'kg'")]
    [InlineData("6 'm' / 2 's'", "3 'm/s'")]
    [InlineData("1 '[iU]/L' = 1 'k[iU]/m3'", "true")]
    [InlineData("5 'wibble' = 5 'wibble'", "true")]
    [InlineData("5 'wibble' > 5 'wobble'", "")]
    [InlineData("'4 days'.toQuantity()", "4 days")]
    [InlineData("'1.5 kg'.toQuantity()", "")]
    [InlineData("1 'kg'.toQuantity('g')", "1000 'g'")]
    public void Quantities_meet_across_units(string expression, string expected) => Assert.Equal(expected, Of(expression));

    [Theory]
    [InlineData("defineVariable('v1', 'value1').select(%v1)", "value1")]
    [InlineData("defineVariable('n1', name.first()).select(%n1.given) | defineVariable('n1', name.skip(1).first()).select(%n1.given)", "Peter, James, Jim")]
    [InlineData("'aaa'.replace(defineVariable('param', 'aaa').select(%param), defineVariable('param','bbb').select(%param))", "bbb")]
    [InlineData("(1|2|3|4).aggregate($this + $total, 0)", "10")]
    [InlineData("name.given.select($index)", "0, 1, 2, 3, 4")]
    [InlineData("(1 | 2).repeat(iif($this < 5, $this + 1, {}))", "2, 3, 4, 5")]
    [InlineData("name.sort(-family).first().use", "usual")]
    [InlineData("(3 | 1 | 2).sort($this desc)", "3, 2, 1")]
    [InlineData("name.where(use = 'official').select(given.first() & ' ' & family)", "Peter Chalmers")]
    [InlineData("'ab'.matchesFull('a(?=b)b')", "true")]
    [InlineData("'a,b'.split(',').join('-').upper()", "A-B")]
    [InlineData("'test'.encode('base64').decode('base64')", "test")]
    [InlineData("'<b>'.escape('html').unescape('html')", "<b>")]
    [InlineData("'x'.replaceMatches('(x)', '$1$1')", "xx")]
    [InlineData("2.power(10) = 1024 and 16.sqrt() = 4 and 8.log(2) = 3 and 0.exp() = 1", "true")]
    [InlineData("1.587.lowBoundary(2)", "1.58")]
    [InlineData("2.power(0.5)", "1.4142135623730951")]
    public void Functions_do_what_they_are_for(string expression, string expected) => Assert.Equal(expected, Of(expression));

    [Theory]
    [InlineData("2 + 2 /* not finished", FhirPathFault.Syntax, 6)]
    [InlineData("name.", FhirPathFault.Syntax, 5)]
    [InlineData("name.given(", FhirPathFault.Syntax, 11)]
    [InlineData("'open", FhirPathFault.Syntax, 0)]
    [InlineData("@2015-02-30", FhirPathFault.Syntax, 0)]
    [InlineData("name.frobnicate()", FhirPathFault.Semantic, 5)]
    [InlineData("name.first(1)", FhirPathFault.Semantic, 5)]
    [InlineData("gender.as(string1)", FhirPathFault.Semantic, 10)]
    [InlineData("(value as Period).unit", FhirPathFault.Semantic, 18)]
    [InlineData("name.single()", FhirPathFault.Execution, 5)]
    [InlineData("active + 1", FhirPathFault.Execution, 7)]
    [InlineData("name.where(given > 1)", FhirPathFault.Execution, 17)]
    [InlineData("%nobody", FhirPathFault.Execution, 0)]
    [InlineData("$index", FhirPathFault.Execution, 0)]
    [InlineData("'a'.matches('(')", FhirPathFault.Execution, 4)]
    [InlineData("gender.memberOf('http://x')", FhirPathFault.Execution, 7)]
    [InlineData("conformsTo('http://trash')", FhirPathFault.Execution, 0)]
    [InlineData("defineVariable('context', 1)", FhirPathFault.Execution, 0)]
    [InlineData("defineVariable('a').defineVariable('a')", FhirPathFault.Execution, 20)]
    [InlineData("defineVariable('a', 1).active | %a", FhirPathFault.Execution, 32)]
    public void An_error_says_what_and_where(string expression, FhirPathFault fault, int position)
    {
        var error = Wrong(expression);
        Assert.Equal((fault, position), (error.Fault, error.Position));
    }

    [Theory]
    [InlineData("name.given1", "Patient")]
    [InlineData("Encounter.name.given", "Patient")]
    [InlineData("Observation.valueQuantity.unit", "Observation")]
    [InlineData("(Observation.value as Period).unit", "Observation")]
    [InlineData("Patient.children().skip(1)", "Patient")]
    [InlineData("iif('yes', 1, 2)", "Patient")]
    [InlineData("name.where(familie = 'x')", "Patient")]
    public void A_strict_compilation_refuses_what_its_type_cannot_have(string expression, string type) =>
        Assert.Equal(FhirPathFault.Semantic, Assert.Throws<FhirPathException>(() => FhirPathExpression.CompileStrict(expression, type)).Fault);

    [Theory]
    [InlineData("name.where(use = 'official').given.first().length() > 2", "Patient")]
    [InlineData("Bundle.entry.resource.name.given", "Bundle")]
    [InlineData("Observation.value.unit", "Observation")]
    [InlineData("contact.name.select(family | given).exists($this = 'x')", "Patient")]
    [InlineData("Patient.descendants().where(id.exists())", "Patient")]
    [InlineData("extension('http://x').value.code", "Patient")]
    public void A_strict_compilation_takes_what_its_type_can_have(string expression, string type) =>
        Assert.Equal(expression, FhirPathExpression.CompileStrict(expression, type).Text);

    [Fact]
    public void The_operator_as_refuses_several_items_where_that_is_asked_for()
    {
        var strict = new EvaluationContext { IsAsForOne = true };
        Assert.Equal("official, usual", Of("name.as(HumanName).use"));
        Assert.Equal("official, usual", Of("name.ofType(HumanName).use", strict));
        Assert.Equal("official", Of("(name.first() as HumanName).use", strict));
        Assert.Throws<FhirPathException>(() => Of("name.as(HumanName).use", strict));
        Assert.Throws<FhirPathException>(() => Of("(name as HumanName).use", strict));
    }

    [Fact]
    public void One_evaluation_sees_one_moment()
    {
        var context = new EvaluationContext { Clock = new FixedClock() };
        Assert.Equal("2026-05-04T03:02:01.000Z, 2026-05-04, 03:02:01.000", Of("now() | today() | timeOfDay()", context));
        Assert.Equal("true", Of("now() = now()", EvaluationContext.Default));
    }

    sealed class FixedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 5, 4, 3, 2, 1, TimeSpan.Zero);
    }

    [Fact]
    public void What_is_asked_for_is_given_by_the_context()
    {
        var told = new List<string>();
        var context = new EvaluationContext
        {
            Resolve = reference => reference == "Organization/1" ? Patient : null,
            Trace = (name, text) => told.Add($"{name}: {text}"),
            Variables = new Dictionary<string, FhirPathCollection> { ["limit"] = new(FhirPathItem.Of(3)) },
        };
        Assert.Equal("p", Of("'Organization/1'.resolve().id", context));
        Assert.Equal("true", Of("%limit > 2", context));
        Assert.Equal("2", Of("name.first().given.trace('given').count()", context));
        Assert.Equal(["given: Peter, James"], told);
    }

    [Fact]
    public void An_element_within_a_resource_is_a_focus_too()
    {
        var contact = Patient.Element["contact"].Items.FirstOrMissing;
        var focus = FhirPathItem.Of(contact, FhirDefinitions.R4.Type("Patient.contact")!);
        var context = new EvaluationContext { Resource = Patient };
        Assert.True(FhirPathExpression.Compile("period.start.exists() and %resource.id = 'p'").IsTrue(focus, context));
        Assert.False(FhirPathExpression.Compile("name.exists()").IsTrue(focus, context));
    }
}

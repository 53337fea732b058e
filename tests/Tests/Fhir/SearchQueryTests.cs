using Salus.Fhir.Search;

namespace Salus.Tests.Fhir;

public sealed class SearchQueryTests
{
    static SearchQuery Parse(string type, params (string Name, string Value)[] pairs) =>
        Assert.IsType<SearchOutcome.Ok>(SearchQuery.Parse(type, pairs.Select(pair => KeyValuePair.Create(pair.Name, pair.Value)))).Query;

    static T Criterion<T>(string type, string name, string value)
        where T : SearchCriterion => Assert.IsType<T>(Assert.Single(Parse(type, (name, value)).Criteria));

    static string Refusal(string type, string name, string value) =>
        Assert.Single(Assert.IsType<SearchOutcome.Refused>(SearchQuery.Parse(type, [new(name, value)])).Issues).Message;

    [Theory]
    [InlineData("8867-4", null, "8867-4")]
    [InlineData("http://loinc.org|8867-4", "http://loinc.org", "8867-4")]
    [InlineData("|8867-4", "", "8867-4")]
    [InlineData("http://loinc.org|", "http://loinc.org", null)]
    [InlineData("a\\|b", null, "a|b")]
    [InlineData("urn:x|a\\,b", "urn:x", "a,b")]
    public void A_token_has_a_system_a_code_or_both(string value, string? system, string? code) =>
        Assert.Equal([new TokenValue(system, code)], Criterion<SearchCriterion.Token>("Observation", "code", value).Values);

    [Fact]
    public void Commas_separate_alternatives_unless_escaped()
    {
        Assert.Equal(["eva", "anna"], Criterion<SearchCriterion.Text>("Patient", "given", "Eva,ANNA").Values);
        Assert.Equal(["a,b\\"], Criterion<SearchCriterion.Text>("Patient", "given", "a\\,b\\\\").Values);
        Assert.Equal(["1", "2"], Criterion<SearchCriterion.Id>("Patient", "_id", "1,2").Values);
    }

    [Fact]
    public void Text_is_normalised_unless_exact()
    {
        Assert.Equal(["nunez"], Criterion<SearchCriterion.Text>("Patient", "family", "Núñez").Values);
        Assert.Equal(["nunez"], Criterion<SearchCriterion.Text>("Patient", "family", "NU\u0301N\u0303EZ").Values);
        Assert.Equal(["nguyen αθηνα"], Criterion<SearchCriterion.Text>("Patient", "family", " NGUYỄN  Αθήνα ").Values);
        var exact = Criterion<SearchCriterion.Text>("Patient", "family:exact", "Núñez");
        Assert.True(exact.IsExact);
        Assert.Equal(["Núñez"], exact.Values);
    }

    [Theory]
    [InlineData("specimen", "7", "Specimen", "7")]
    [InlineData("patient", "Patient/7", "Patient", "7")]
    [InlineData("subject:Patient", "7", "Patient", "7")]
    [InlineData("subject", "7", null, "7")]
    [InlineData("subject", "https://a.example/fhir/Device/7", "Device", "7")]
    [InlineData("subject", "urn:uuid:1", null, null)]
    public void A_reference_is_an_id_a_type_and_id_or_a_URL(string name, string value, string? type, string? id) =>
        Assert.Equal([new ReferenceValue(type, id, value)], Criterion<SearchCriterion.Reference>("Observation", name, value).Values);

    [Fact]
    public void Criteria_are_kept_in_their_order_with_the_page_size()
    {
        var query = Parse("Condition", ("patient", "1"), ("code", "a"), ("_count", "20"), ("code", "b"), ("_lastUpdated", "gt2024"));
        Assert.Equal(["patient", "code", "code", "_lastUpdated"], query.Criteria.Select(criterion => criterion.Parameter));
        Assert.Equal(20, query.Count);
    }

    [Theory]
    [InlineData("eq2024-01", "2024-01-01", "2024-01-31", true)]
    [InlineData("2024-01", "2024-01-31", "2024-02-01", false)]
    [InlineData("ne2024-01", "2024-01-31", "2024-02-01", true)]
    [InlineData("ne2024-01", "2024-01-02", "2024-01-03", false)]
    [InlineData("gt2024-01", "2024-01-31", "2024-02-01", true)]
    [InlineData("gt2024-01", "2024-01-30", "2024-01-31", false)]
    [InlineData("lt2024-01", "2023-12-31", "2024-01-01", true)]
    [InlineData("lt2024-01", "2024-01-01", "2024-02-01", false)]
    [InlineData("ge2024-01", "2024-01-01", "2024-01-02", true)]
    [InlineData("ge2024-01", "2023-12-31", "2024-01-31", false)]
    [InlineData("le2024-01", "2024-01-30", "2024-01-31", true)]
    [InlineData("le2024-01", "2024-01-30", "2024-02-01", false)]
    public void A_prefix_says_how_ranges_of_time_compare(string value, string firstDay, string lastDay, bool expected)
    {
        var date = Assert.Single(Criterion<SearchCriterion.Date>("Encounter", "date", value).Values);
        var low = DateTimeOffset.Parse(firstDay + "T00:00:00Z");
        var high = DateTimeOffset.Parse(lastDay + "T23:59:59.9999999Z");
        Assert.Equal(expected, date.Matches(low, high));
    }

    [Fact]
    public void A_plus_that_arrived_as_a_space_still_makes_a_zone()
    {
        var date = Assert.Single(Criterion<SearchCriterion.Date>("Encounter", "date", "ge2024-02-29T12:30:00 02:00").Values);
        Assert.Equal((SearchPrefix.Ge, new DateTimeOffset(2024, 2, 29, 10, 30, 0, TimeSpan.Zero)), (date.Prefix, date.Low));
    }

    [Theory]
    [InlineData("birthdate", "yesterday", "not a date")]
    [InlineData("birthdate", "xx2024", "not a date")]
    [InlineData("birthdate", "2024-02-30", "not a date")]
    [InlineData("birthdate", "2024,2025-13", "2025-13")]
    [InlineData("family", "", "needs a value")]
    [InlineData("family:below", "a", ":below")]
    [InlineData("gender:exact", "male", ":exact")]
    [InlineData("gender:missing", "perhaps", "true or false")]
    [InlineData("phonetic", "anna", "not supported")]
    [InlineData("general-practitioner.nme", "x", "no search parameter 'nme'")]
    [InlineData("family.name", "x", "no reference")]
    [InlineData("_has:Observation:patient", "x", "_has is of the form")]
    [InlineData("_has:Observation:code:status", "x", "_has is of the form")]
    [InlineData("_include", "Patient:birthdate", "no reference parameter")]
    [InlineData("_sort", "shoe-size", "cannot be sorted")]
    [InlineData("_elements", "shoe", "no element")]
    [InlineData("_total", "some", "accurate")]
    [InlineData("_count", "-1", "number of results")]
    [InlineData("_count", "many", "number of results")]
    [InlineData("famly", "x", "family")]
    [InlineData("entirely-unknown", "x", "birthdate")]
    public void What_is_not_understood_is_refused_never_ignored(string name, string value, string reason) =>
        Assert.Contains(reason, Refusal("Patient", name, value));

    [Fact]
    public void Every_reason_is_given_at_once() =>
        Assert.Equal(2, Assert.IsType<SearchOutcome.Refused>(SearchQuery.Parse("Patient", [new("famly", "x"), new("_count", "x")])).Issues.Count);

    [Theory]
    [InlineData("5.4", 5.35, 5.45)]
    [InlineData("100", 99.5, 100.5)]
    [InlineData("1e2", 50, 150)]
    [InlineData("5.40e-3", 0.005395, 0.005405)]
    [InlineData("-2.0", -2.05, -1.95)]
    [InlineData("ap100", 90, 110)]
    public void A_number_stands_for_what_its_digits_leave_open(string value, double low, double high)
    {
        var number = Assert.Single(Criterion<SearchCriterion.Number>("RiskAssessment", "probability", value).Values);
        Assert.Equal(((decimal)low, (decimal)high), (number.Low, number.High));
    }

    [Theory]
    [InlineData("eq5.4", 5.4, true)]
    [InlineData("eq5.4", 5.45, false)]
    [InlineData("ne5.4", 5.45, true)]
    [InlineData("gt5.4", 5.41, true)]
    [InlineData("gt5.4", 5.4, false)]
    [InlineData("ge5.4", 5.4, true)]
    [InlineData("lt5.4", 5.39, true)]
    [InlineData("le5.4", 5.41, false)]
    [InlineData("sa5.4", 5.41, true)]
    [InlineData("eb5.4", 5.4, false)]
    [InlineData("ap5.4", 5.9, true)]
    public void A_prefix_says_how_numbers_compare(string value, double stored, bool expected) =>
        Assert.Equal(expected, Assert.Single(Criterion<SearchCriterion.Number>("RiskAssessment", "probability", value).Values).Matches((decimal)stored, (decimal)stored));

    [Fact]
    public void A_quantity_has_a_unit_or_none()
    {
        var values = Criterion<SearchCriterion.Quantity>("Observation", "value-quantity", "ge5.4|http://unitsofmeasure.org|mg,5.4||mg,5.4").Values;
        Assert.Equal([("http://unitsofmeasure.org", "mg"), (null, "mg"), (null, null)], values.Select(value => (value.System, value.Code)));
        Assert.Equal(SearchPrefix.Ge, values[0].Number.Prefix);
    }

    [Fact]
    public void A_chain_has_a_step_for_each_type_that_it_may_lead_to()
    {
        var chain = Criterion<SearchCriterion.Chain>("Observation", "subject:Patient.name:exact", "Eva");
        Assert.Equal("Patient", Assert.Single(chain.Targets).Type);
        Assert.True(Assert.IsType<SearchCriterion.Text>(chain.Targets[0].Criterion).IsExact);
        Assert.Equal(["Group", "Device", "Patient", "Location"], Criterion<SearchCriterion.Chain>("Observation", "subject.identifier", "7").Targets.Select(target => target.Type));
        var deep = Criterion<SearchCriterion.Chain>("Observation", "encounter.service-provider.name", "x");
        Assert.IsType<SearchCriterion.Chain>(Assert.Single(deep.Targets).Criterion);
        var has = Criterion<SearchCriterion.Has>("Patient", "_has:Observation:patient:_has:DiagnosticReport:result:status", "final");
        Assert.Equal(("Observation", "patient", "DiagnosticReport"), (has.Type, has.Parameter, Assert.IsType<SearchCriterion.Has>(has.Criterion).Type));
        Assert.Contains("at most", Refusal("Patient", string.Concat(Enumerable.Repeat("link:Patient.", 8)) + "name", "x"));
    }

    [Fact]
    public void A_composite_has_its_parts()
    {
        var composite = Criterion<SearchCriterion.Composite>("Observation", "code-value-quantity", "http://loinc.org|8867-4$gt70");
        Assert.True(composite.IsOfResource);
        Assert.Equal([typeof(SearchCriterion.Token), typeof(SearchCriterion.Quantity)], Assert.Single(composite.Values).Select(part => part.GetType()));
        Assert.False(Criterion<SearchCriterion.Composite>("Observation", "component-code-value-quantity", "8480-6$gt70").IsOfResource);
        Assert.Contains("$", Refusal("Observation", "code-value-quantity", "8867-4"));
    }

    [Fact]
    public void What_a_lenient_reading_leaves_out_is_named()
    {
        var query = Assert.IsType<SearchOutcome.Ok>(SearchQuery.Parse("Patient", [new("famly", "x"), new("gender", "male")], isLenient: true)).Query;
        Assert.Single(query.Criteria);
        Assert.Contains("famly", Assert.Single(query.Ignored).Message);
        Assert.Equal(["gender"], query.Understood.Select(pair => pair.Key));
    }

    [Fact]
    public void An_unknown_type_is_refused() => Assert.Contains("Starship", Refusal("Starship", "_id", "1"));
}

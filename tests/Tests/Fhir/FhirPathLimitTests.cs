using Salus.Fhir.FhirPath;

namespace Salus.Tests.Fhir;

public sealed class FhirPathLimitTests
{
    static readonly FhirPathItem Patient = FhirPathItem.Of(FhirText.Read("""{"resourceType":"Patient","name":[{"given":["a","b","c"]}]}"""));

    static FhirPathFault? Fault(string expression, EvaluationContext? context = null)
    {
        try
        {
            FhirPathExpression.Compile(expression).Evaluate(Patient, context);
            return null;
        }
        catch (FhirPathException error)
        {
            return error.Fault;
        }
    }

    [Theory]
    [InlineData("(1).repeat($this + 1)")]
    [InlineData("(1).repeatAll($this)")]
    [InlineData("(1).repeatAll(1 | 2)")]
    [InlineData("name.given.repeat(%resource.name.given | $this & 'x')")]
    [InlineData("'aaaaaaaaaaaaaaaa'.repeatAll($this & $this)")]
    [InlineData("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.repeatAll(replace('', $this))")]
    [InlineData("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.repeatAll(replaceMatches('a', $this))")]
    public void An_evaluation_without_end_is_ended(string expression) => Assert.Equal(FhirPathFault.TooCostly, Fault(expression));

    [Fact]
    public void Work_on_long_texts_and_collections_is_paid_for_by_their_length()
    {
        var data = FhirPathItem.Of(FhirText.Read($$"""{"resourceType":"Binary","contentType":"a/b","data":"{{new string('a', 4 << 20)}}"}"""));
        var many = FhirPathCollection.Of(Enumerable.Range(0, 50_000).Select(FhirPathItem.Of));
        var context = new EvaluationContext { Variables = new Dictionary<string, FhirPathCollection> { ["many"] = many } };
        foreach (var body in (string[])["%resource.data = 'b'", "%resource.data.startsWith('b')", "'b'.startsWith(%resource.data)", "%many.first() = 1", "{}.combine(%many).empty()", "%many.subsetOf(%many)"])
        {
            var fault = Assert.Throws<FhirPathException>(() => FhirPathExpression.Compile($"%many.select({body})").Evaluate(data, context)).Fault;
            Assert.Equal(FhirPathFault.TooCostly, fault);
        }
    }

    [Fact]
    public void A_context_sets_how_far_an_evaluation_goes()
    {
        var expression = "(1 | 2 | 3).select(1 | 2 | 3).count()";
        Assert.Null(Fault(expression));
        Assert.Equal(FhirPathFault.TooCostly, Fault(expression, new EvaluationContext { StepsMax = 10 }));
        Assert.Equal(FhirPathFault.TooCostly, Fault(expression, new EvaluationContext { ItemsMax = 5 }));
        Assert.Equal(FhirPathFault.TooCostly, Fault("'abcdef' & 'ghi'", new EvaluationContext { CharactersMax = 8 }));
    }

    [Theory]
    [InlineData("(", ")", 100_000)]
    [InlineData("-", "", 10_000)]
    [InlineData("1+", "", 10_000)]
    [InlineData("name.", "", 5_000)]
    [InlineData("iif(true,", ")", 5_000)]
    [InlineData("a[", "]", 10_000)]
    [InlineData("{", "", 10_000)]
    [InlineData("'a'|", "", 5_000)]
    public void A_text_that_nests_or_goes_on_without_end_is_refused(string before, string after, int count)
    {
        var text = string.Concat(Enumerable.Repeat(before, count)) + "1" + string.Concat(Enumerable.Repeat(after, count));
        Assert.NotNull(Fault(text));
    }

    [Theory]
    [InlineData("1", " + 1", 990, "991")]
    [InlineData("name", ".where(true)", 450, "{")]
    [InlineData("(name", ".select($this))", 0, "{")]
    public void A_long_expression_within_the_limits_is_evaluated(string first, string more, int count, string expected)
    {
        var text = first + string.Concat(Enumerable.Repeat(more, count)) + (first[0] == '(' ? ".select($this))" : "");
        Assert.StartsWith(expected, FhirPathExpression.Compile(text).Evaluate(Patient).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_regular_expression_made_to_explode_is_linear_or_stopped()
    {
        Assert.Null(Fault($"'{new string('a', 5_000)}!'.matches('^(a+)+$')"));
        Assert.Equal(FhirPathFault.TooCostly, Fault($"'{new string('a', 60)}!'.matches('^(?=a)(a+)+$')"));
    }

    [Fact]
    public void Any_cut_or_bent_expression_ends_in_a_value_or_an_error()
    {
        const string Whole = "name.where(given.first() = 'a' and $index < 2).select(given | @2015-02-04T10:00:00Z + 3 'd').iif($this.exists(), 1.50 'mg', {})[0].toString()";
        const string Letters = "()[]{}.,+-*/&|=<>~!%$@'`\"\\ 01aZ\u00e9\u0000\ud800";
        var random = new Random(7);
        for (var round = 0; round < 20_000; round++)
        {
            var text = Whole[random.Next(Whole.Length / 2)..];
            text = text[..random.Next(text.Length)];
            for (var change = random.Next(4); change > 0 && text.Length > 0; change--)
            {
                var at = random.Next(text.Length);
                text = text[..at] + Letters[random.Next(Letters.Length)] + text[(at + random.Next(2))..];
            }
            Fault(text);
        }
    }

    [Fact]
    public void The_cache_gives_back_what_it_has_and_forgets_what_is_not_asked_for()
    {
        var first = FhirPathExpression.Compile("name.given.count() + 1000");
        Assert.Same(first, FhirPathExpression.Compile("name.given.count() + 1000"));
        for (var number = 0; number < 5_000; number++)
        {
            FhirPathExpression.Compile($"name.given.count() + {number} + 0");
        }
        Assert.NotSame(first, FhirPathExpression.Compile("name.given.count() + 1000"));
    }
}

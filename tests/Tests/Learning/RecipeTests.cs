using System.Text;
using System.Text.Json.Nodes;
using Salus.Fhir.Views;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

/// <summary>The recipes as data, and the tables they make ready.</summary>
public sealed class RecipeTests
{
    [Fact]
    public void Every_recipe_says_what_it_is_for_and_for_whom_not_and_its_views_run()
    {
        Assert.Equal(["condition", "diabetes", "heart-disease", "breast-cancer", "kidney-disease", "readmission", "note-category"], RecipeBook.All.Select(recipe => recipe.Name));
        foreach (var recipe in RecipeBook.All)
        {
            Assert.All((string[])[recipe.Sentence, recipe.IntendedUse, recipe.NotFor, recipe.Outcome.Text, recipe.Model.Why], text => Assert.True(text.Length > 10, $"{recipe.Name}: {text}"));
            Assert.True(recipe.Model.Costs is not null || recipe.HasManyClasses, recipe.Name);
            Assert.True(recipe.Encounters || recipe.Records is not null, $"{recipe.Name} cannot be asked about a record");
            foreach (var (name, definition) in recipe.Records?.Views ?? new Dictionary<string, System.Text.Json.JsonElement>())
            {
                var columns = Assert.IsType<ViewOutcome.Ok>(View.Read(definition)).View.Columns.Select(column => column.Name).ToHashSet();
                Assert.Contains("patient", columns);
                var features = recipe.Records!.Features.Where(feature => feature.From == name).ToList();
                Assert.All(features.SelectMany(feature => feature.Where.Keys).Concat(features.Select(feature => feature.Value).OfType<string>()), column => Assert.Contains(column, columns));
                Assert.True(columns.Contains("date") || features.TrueForAll(feature => feature.Take is RecordTake.Static or RecordTake.Age), $"{recipe.Name}: {name}");
                Assert.True(columns.Contains("unit") || features.TrueForAll(feature => feature.Units.Count == 0), $"{recipe.Name}: {name}");
            }
        }
    }

    [Theory]
    [InlineData("name", "\"\"", "say it")]
    [InlineData("sentance", "\"x\"", "sentance")]
    [InlineData("model.kind", "\"oracle\"", "$.model.kind: 'oracle' is no model")]
    [InlineData("model.trees", "5", "outside 10 to 1000")]
    [InlineData("model.calibration", "\"magic\"", "give platt or isotonic")]
    [InlineData("model.costs", "null", "two classes ask for costs")]
    [InlineData("model.costs.missed", "-1", "two finite numbers above 0")]
    [InlineData("outcome.codes", "[]", "give codes")]
    [InlineData("table.target", "\"nothing\"", "'nothing' is used and is no column")]
    [InlineData("table.text", "\"glucose\"", "a model of notes alone")]
    [InlineData("table.columns", "[{\"names\":[\"outcome\",\"age\",\"age\"]}]", "'age' stands twice")]
    [InlineData("table.columns", "[{\"names\":[\"outcome\",\"age\"],\"missing\":[\"none\"]}]", "a mark for missing is none")]
    [InlineData("table.columns", "[{\"names\":[\"outcome\",\"age\"],\"kind\":\"colour\"}]", "$.table.columns[0].kind")]
    [InlineData("records.uses", "[\"people\",\"visits\",\"measures\"]", "no view 'diagnoses'")]
    [InlineData("records.uses", "[\"people\",\"dreams\"]", "there is no view 'dreams'")]
    [InlineData("records.per", "\"visit\"", "stays ask for withinDays above 0")]
    [InlineData("hook", "\"encounter-discharge\"", "is for stays")]
    [InlineData("hook", "\"order-sign\"", "$.hook")]
    [InlineData("records.features", "[]", "give at least one")]
    [InlineData("records.features", "[{\"name\":\"a\",\"from\":\"measures\",\"take\":\"last\"}]", "names no column for its value")]
    [InlineData("records.features", "[{\"name\":\"a\",\"from\":\"measures\",\"take\":\"last\",\"value\":\"value\",\"limits\":{\"least\":9,\"most\":1}}]", "asks for limits")]
    [InlineData("records.features", "[{\"name\":\"a\",\"from\":\"measures\",\"take\":\"last\",\"value\":\"text\",\"kind\":\"category\"}]", "for choices")]
    [InlineData("records.features", "[{\"name\":\"a\",\"take\":\"length\"}]", "which stays have alone")]
    [InlineData("records.per", "\"note\"", "many classes have neither costs nor calibration")]
    [InlineData("records.outcome.value", "\"code\"", "notes ask for a model of notes alone")]
    [InlineData("records.features", "[{\"name\":\"a\",\"from\":\"measures\",\"take\":\"words\",\"value\":\"text\"}]", "which notes have alone")]
    [InlineData("records.subgroups", "[\"height\"]", "there is no feature 'height'")]
    public void A_recipe_that_breaks_a_rule_is_refused_with_the_place(string path, string value, string said)
    {
        var recipe = JsonNode.Parse(Diabetes())!;
        var names = path.Split('.');
        var parent = names[..^1].Aggregate(recipe, (at, name) => at[name]!);
        parent[names[^1]] = JsonNode.Parse(value);
        Assert.False(RecipeBook.TryRead(Encoding.UTF8.GetBytes(recipe.ToJsonString()), out _, out var refusal));
        Assert.Contains(said, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_recipe_at_all_is_refused()
    {
        Assert.True(RecipeBook.TryRead(Encoding.UTF8.GetBytes(Diabetes()), out _, out _));
        foreach (var text in (string[])["", "null", "[]", "{}", "{\"name\":1}", Diabetes()[..400]])
        {
            Assert.False(RecipeBook.TryRead(Encoding.UTF8.GetBytes(text), out _, out var refusal));
            Assert.NotEmpty(refusal);
        }
    }

    [Fact]
    public void A_table_is_read_as_the_recipe_says_zeros_that_mean_missing_included()
    {
        var table = Pima(40).With(CategoryColumn.Of("ward", [.. Enumerable.Repeat<string?>("a", 40)]));
        var prepared = RecipeTables.Prepare(RecipeBook.Find("diabetes")!.Table!, table, out _, out _)!;
        Assert.Equal((double.NaN, 0.0), (((NumberColumn)prepared.Table["insulin"]).Values[0], ((NumberColumn)prepared.Table["pregnancies"]).Values[0]));
        Assert.Equal(["columns that the recipe does not read: ward"], prepared.Told);
        Assert.Equal(("outcome", "1"), (prepared.Task.Target, prepared.Task.Positive));
        Assert.DoesNotContain("ward", TaskRows.Of(prepared.Table, prepared.Task, out _, out _)!.Features.Columns.Select(column => column.Name));
    }

    [Fact]
    public void A_table_that_lacks_a_column_or_holds_another_kind_is_refused_by_the_columns_name()
    {
        var recipe = RecipeBook.Find("diabetes")!.Table!;
        Assert.Null(RecipeTables.Prepare(recipe, Pima(20).Without("glucose"), out var problem, out var mend));
        Assert.Contains("there is no column 'glucose' (plasma glucose", problem, StringComparison.Ordinal);
        Assert.Contains("--column glucose=YOURS", mend, StringComparison.Ordinal);
        Assert.Null(RecipeTables.Prepare(recipe, Pima(20).With(CategoryColumn.Of("bmi", [.. Enumerable.Repeat<string?>("much", 20)])), out problem, out _));
        Assert.Contains("'bmi' holds categories, and the recipe asks for numbers", problem, StringComparison.Ordinal);

        var own = RecipeTables.Renamed(Pima(20), new Dictionary<string, string> { ["sugar"] = "glucose" }, out _, out _)!;
        Assert.NotNull(RecipeTables.Prepare(recipe, RecipeTables.Renamed(own, new Dictionary<string, string> { ["glucose"] = "sugar" }, out _, out _)!, out _, out _));
        Assert.Null(RecipeTables.Renamed(own, new Dictionary<string, string> { ["glucose"] = "sweet" }, out problem, out _));
        Assert.Contains("no column 'sweet'", problem, StringComparison.Ordinal);
        Assert.Null(RecipeTables.Renamed(own, new Dictionary<string, string> { ["bmi"] = "sugar" }, out problem, out _));
        Assert.Contains("'bmi' already", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_patients_stays_are_kept_together_and_columns_that_may_be_absent_are()
    {
        var recipe = RecipeBook.Find("readmission")!.Table!;
        var columns = recipe.Columns.Where(group => !group.Optional).SelectMany(group => group.Names.Select<string, Column>(name => name switch
        {
            "readmitted" => CategoryColumn.Of(name, ["<30", "NO", ">30", "NO"]),
            "payer_code" => CategoryColumn.Of(name, ["?", "MC", "MC", "?"]),
            _ when group.Kind == ColumnKind.Number => new NumberColumn(name, [1, 1, 2, 2]),
            _ => CategoryColumn.Of(name, ["a", "b", "a", "b"]),
        }));
        var prepared = RecipeTables.Prepare(recipe, new Table([.. columns]), out _, out _)!;
        Assert.Equal(("patient_nbr", 0), (prepared.Task.Group, prepared.Task.Drop.Count));
        Assert.True(prepared.Table["payer_code"].IsMissing(0));
        Assert.Equal([1, 0, 0, 0], TaskRows.Of(prepared.Table, prepared.Task, out _, out _)!.Labels);
    }

    [Fact]
    public void Notes_of_general_kinds_and_notes_alike_are_left_out()
    {
        var recipe = RecipeBook.Find("note-category")!.Table! with { ClassRowsMin = 2 };
        var table = new Table(
        [
            new TextColumn("transcription", ["knee hurts", "knee hurts", "shoulder hurts", "skin itches", "skin burns", "incision made", "lonely"]),
            CategoryColumn.Of("medical_specialty", ["Orthopedic", "Orthopedic", "Orthopedic", "Dermatology", "Dermatology", "Surgery", "Podiatry"]),
        ]);
        var prepared = RecipeTables.Prepare(recipe, table, out _, out _)!;
        Assert.Equal(["Orthopedic", "Orthopedic", "Dermatology", "Dermatology"], Enumerable.Range(0, prepared.Table.RowCount).Select(row => prepared.Table["medical_specialty"].Show(row)));
        Assert.Contains("1 rows whose 'medical_specialty' the recipe leaves out", prepared.Told);
    }

    static string Diabetes()
    {
        using var reader = new StreamReader(typeof(RecipeBook).Assembly.GetManifestResourceStream("Salus.Recipes.diabetes.json")!);
        return reader.ReadToEnd();
    }

    static Table Pima(int rows) => new([.. RecipeBook.Find("diabetes")!.Table!.Columns.SelectMany(group => group.Names)
        .Select(name => new NumberColumn(name, [.. Enumerable.Range(0, rows).Select(row => name == "outcome" ? row % 2 : row % 7 == 0 ? 0.0 : 20 + row)]))]);
}

/// <summary>The figures of table recipes on public data, beside those that scikit-learn and XGBoost reach at best.</summary>
[Trait("Data", "field")]
public sealed class FieldRecipeTests
{
    [Theory]
    [InlineData("diabetes", "pima_diabetes.csv", 0.829)]
    [InlineData("heart-disease", "heart_cleveland.csv", 0.907)]
    [InlineData("heart-disease", "heart_disease_4sites.csv", 0.889)]
    [InlineData("breast-cancer", "wdbc.csv", 0.995)]
    [InlineData("kidney-disease", "ckd.csv", 0.99)]
    public void A_recipe_is_nowhere_far_below_the_known_figures(string name, string file, double known)
    {
        var recipe = RecipeBook.Find(name)!;
        var prepared = RecipeTables.Prepare(recipe.Table!, Read(recipe.Table!, file), out var problem, out _);
        Assert.True(prepared is not null, problem);
        var rows = TaskRows.Of(prepared.Table, prepared.Task, out problem, out _);
        Assert.True(rows is not null, problem);
        var report = Assert.IsType<EvaluationOutcome.Evaluated>(Evaluator.Run(rows, recipe.Learner(rows.Labels.Length, trees: 200), new EvaluationOptions { Repeats = 3, Resamples = 50 })).Report;
        Assert.Empty(report.Guard);
        Assert.InRange(report.AucMean, known - 0.005, 1);
    }

    static Table Read(RecipeTable recipe, string file)
    {
        var plain = FieldTables.Read(file);
        using var stream = File.OpenRead(FieldData.File("tables", file));
        return Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(stream, new CsvOptions { Kinds = RecipeTables.Kinds(recipe, plain) })).Table;
    }
}

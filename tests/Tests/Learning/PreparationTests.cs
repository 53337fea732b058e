using Salus.Learning.Tables;
using Salus.Learning.Text;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class PreparationTests
{
    static readonly Table Training = new(
    [
        new NumberColumn("age", [20, 40, double.NaN, 40]),
        CategoryColumn.Of("sex", ["f", "m", "m", null]),
        new TextColumn("note", ["fever and cough", "denies fever, cough. Has cough", "cough", null]),
    ]);

    [Fact]
    public void Means_and_modes_come_from_the_training_rows_alone()
    {
        var other = new Table([new NumberColumn("age", [double.NaN, 1000]), CategoryColumn.Of("sex", [null, "x"]), new TextColumn("note", [null, null])]);
        var mean = Preparation.Fit(Training, new PreparationOptions { Numbers = NumberImputation.Mean, CategoryMode = true, Categories = CategoryEncoding.Ordinal }).Transform(other);
        Assert.Equal(100.0 / 3, mean.Column(0)[0], 12);
        Assert.Equal([1, double.NaN], mean.Column(1).ToArray());
        Assert.Equal(40, Preparation.Fit(Training, new PreparationOptions { Numbers = NumberImputation.Mode }).Transform(other).Column(0)[0]);
        Assert.True(double.IsNaN(Preparation.Fit(Training, new PreparationOptions()).Transform(other).Column(0)[0]));
    }

    [Fact]
    public void Categories_become_a_feature_a_level_and_texts_a_feature_a_word()
    {
        var matrix = Preparation.Fit(Training, new PreparationOptions { Text = new BagOfWordsOptions(DocumentsMin: 1) }).Transform(Training);
        Assert.Equal(["age", "sex=f", "sex=m", "note:cough", "note:fever", "note:¬cough", "note:¬fever"], matrix.Features.Select(feature => feature.Name));
        Assert.Equal([1, 0, 0, double.NaN], matrix.Column(1).ToArray());
        Assert.Equal([1, 1, 1, 0], matrix.Column(3).ToArray());
        Assert.Equal("word 'fever' denied", matrix.Features[6].Describe(1));
        Assert.Equal("word 'cough' present ×2", matrix.Features[3].Describe(2));
        Assert.Equal("age 40", matrix.Features[0].Describe(40));
    }

    [Fact]
    public void A_table_of_another_shape_is_objected_to_by_name()
    {
        var preparation = Preparation.Fit(Training, new PreparationOptions());
        Assert.Contains("'age'", preparation.Objection(Training.Without("age")), StringComparison.Ordinal);
        Assert.Contains("'age' is Text", preparation.Objection(Training.With(new TextColumn("age", ["a", "b", "c", "d"]))), StringComparison.Ordinal);
        Assert.Null(preparation.Objection(Training));
    }

    [Fact]
    public void Words_are_lower_case_letters_of_any_script_and_negation_ends_with_its_clause()
    {
        Assert.Equal(["übelkeit", "кашель"], Tokenizer.Words("ÜBELKEIT, кашель 12", new TokenizerOptions()));
        Assert.Equal(["¬fever", "¬chills", "cough", "pain"], Tokenizer.Words("No fever or chills but cough. Pain!", new TokenizerOptions()));
        Assert.Equal(["pain", "¬rash", "not", "pain"], [.. Tokenizer.Words("The pain of his; no rash", new TokenizerOptions()), .. Tokenizer.Words("not a pain", new TokenizerOptions(MarkNegation: false))]);
        Assert.Equal(["no", "fever", "38"], Tokenizer.Words("no fever 38", new TokenizerOptions(KeepNumbers: true, MarkNegation: false)));
    }

    [Fact]
    public void The_vocabulary_keeps_the_most_widespread_words()
    {
        var bag = BagOfWords.Fit(["a1 bb cc", "bb cc cc", "cc", null], new BagOfWordsOptions(DocumentsMin: 2, WordsMax: 1));
        Assert.Equal(["cc"], bag.Words);
        var row = bag.Count("cc bb cc");
        Assert.Equal((0, 2), (row.Indices.Single(), row.Counts.Single()));
    }

    [Fact]
    public void A_summary_tells_what_a_column_holds()
    {
        var age = ColumnSummary.Of(Training["age"], binsMax: 2);
        Assert.Equal((4, 1, 0.25, 2), (age.Rows, age.Missing, age.MissingShare, age.Distinct));
        Assert.Equal((20, 40, 40, "40"), (age.Min, age.Max, age.Median, age.Mode));
        Assert.Equal([new HistogramBin(20, 30, 1), new HistogramBin(30, 40, 2)], age.Histogram);
        Assert.Equal([new LabelCount("m", 2), new LabelCount("f", 1)], ColumnSummary.Of(Training["sex"]).Top);
    }

    [Fact]
    public void Rows_are_counted_by_age_band_and_sex()
    {
        var bands = Grouping.Bands((NumberColumn)Training["age"], 20);
        Assert.Equal(["20–39", "40–59"], bands.Levels);
        var cross = Grouping.Cross(bands, Training["sex"]);
        Assert.Equal([1, 0], cross.Counts[0]);
        Assert.Equal([0, 1], cross.Counts[1]);
    }

    [Fact]
    public void Whole_numbers_are_levels_where_each_has_rows_enough_to_be_estimated_by()
    {
        static int FeaturesOf(int rows, int values, int rowsEach)
        {
            var table = new Table([new NumberColumn("admission_type", [.. Enumerable.Range(0, rows).Select(row => (double)(row % values))])]);
            return Preparation.Fit(table, new PreparationOptions { WholeLevelsMax = 5, WholeLevelRows = rowsEach, OneHotLevelsMax = int.MaxValue }).Features.Count;
        }

        Assert.Equal(9, FeaturesOf(900, 9, 100));
        Assert.Equal(1, FeaturesOf(890, 9, 100));
        Assert.Equal(1, FeaturesOf(900, 9, 0));
        Assert.Equal(5, FeaturesOf(20, 5, 0));
        Assert.Equal(1, FeaturesOf(90_000, 60, 100));
    }
}

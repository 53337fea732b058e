using Salus.Learning.Tables;
using Salus.Learning.Text;

namespace Salus.Tests.Learning;

/// <summary>The expected weights are those of scikit-learn 1.2.1.</summary>
public sealed class TextTests
{
    static readonly string?[] Notes = ["Chest pain and fever", "fever with cough cough", "no pain", "knee pain after fall", "fall on the knee"];

    [Fact]
    public void Terms_weigh_as_their_frequency_and_rarity_say()
    {
        var vectorizer = TextVectorizer.Fit(Notes, new TextOptions());
        Assert.Equal(["fall", "fever", "knee", "pain"], Enumerable.Range(0, vectorizer.ColumnCount).Select(vectorizer.Term).Order(StringComparer.Ordinal));
        var row = vectorizer.Transform(["KNEE pain, pain... fever"]);
        double Weight(string term)
        {
            for (var i = 0; i < row.Indices(0).Length; i++)
            {
                if (vectorizer.Term(row.Indices(0)[i]) == term)
                    return row.Values(0)[i];
            }
            return 0;
        }
        Assert.Equal(0.704909488931, Weight("pain"), 11);
        Assert.Equal(0.501548907094, Weight("fever"), 11);
        Assert.Equal(0.501548907094, Weight("knee"), 11);
        Assert.Equal(0, Weight("fall"));
    }

    [Fact]
    public void Pairs_are_terms_and_what_is_unknown_between_words_parts_them()
    {
        string?[] notes = ["no chest pain", "no chest pain", "chest pain", null];
        var vectorizer = TextVectorizer.Fit(notes, new TextOptions { Sublinear = false, InverseFrequency = false, Normalize = false });
        var terms = Enumerable.Range(0, vectorizer.ColumnCount).Select(vectorizer.Term).ToArray();
        Assert.Equal(["chest", "chest pain", "pain", "no", "no chest"], terms);
        var row = vectorizer.Transform(["chest wall pain"]);
        Assert.Equal(["chest", "pain"], row.Indices(0).ToArray().Select(vectorizer.Term));
        Assert.Equal(0, vectorizer.Transform([null]).StoredCount);
    }

    [Fact]
    public void Reading_once_or_again_gives_the_same_rows_whatever_the_order_of_training_texts()
    {
        var (vectorizer, rows) = TextVectorizer.FitTransform(Notes, new TextOptions { DocumentsMin = 1 });
        var again = vectorizer.Transform(Notes);
        var turned = TextVectorizer.Fit([.. Notes.Reverse()], new TextOptions { DocumentsMin = 1 });
        Assert.Equal(Enumerable.Range(0, vectorizer.ColumnCount).Select(vectorizer.Term), Enumerable.Range(0, turned.ColumnCount).Select(turned.Term));
        for (var row = 0; row < Notes.Length; row++)
        {
            Assert.Equal(rows.Indices(row), again.Indices(row));
            Assert.Equal(rows.Values(row), again.Values(row));
            Assert.Equal(rows.Values(row), turned.Transform(Notes).Values(row));
        }
    }

    [Fact]
    public void Hashed_terms_need_no_vocabulary_and_are_the_same_everywhere()
    {
        var vectorizer = TextVectorizer.Fit(Notes, new TextOptions { HashBits = 12 });
        Assert.Equal(4_096, vectorizer.ColumnCount);
        var first = vectorizer.Transform(["knee pain"]);
        Assert.Equal(3, first.StoredCount);
        Assert.Equal(first.Indices(0), TextVectorizer.Fit(["other words"], new TextOptions { HashBits = 12 }).Transform(["Knee PAIN!"]).Indices(0));
        Assert.Equal("#7", vectorizer.Term(7));
    }

    [Fact]
    public void Words_of_other_scripts_and_long_noise_are_taken_in_bounds()
    {
        var vectorizer = TextVectorizer.Fit([$"Größe naïve größe {new string('x', 10_000)}", "größe"], new TextOptions { RunMax = 1, DocumentsMin = 1 });
        var terms = Enumerable.Range(0, vectorizer.ColumnCount).Select(vectorizer.Term).ToArray();
        Assert.Equal("größe", terms[0]);
        Assert.Contains("naïve", terms);
        Assert.Equal(64, terms.Max(term => term.Length));
    }

    [Fact]
    public void Complement_naive_bayes_gives_the_known_probabilities()
    {
        var counts = CsrMatrix.OfRows([[2, 0, 1], [1, 1, 0], [0, 3, 1], [0, 1, 2]]);
        var predicted = ComplementNaiveBayes.Fit(counts, [0, 0, 1, 2], 3).Predict(CsrMatrix.OfRows([[1, 1, 1], [3, 0, 1]]));
        double[][] known = [[0.46935503, 0.26029648, 0.2703485], [0.93801893, 0.02145865, 0.04052242]];
        for (var c = 0; c < 3; c++)
        {
            Assert.Equal(known[0][c], predicted[0][c], 7);
            Assert.Equal(known[1][c], predicted[1][c], 7);
        }
    }

    [Fact]
    public void Options_out_of_bounds_are_refused_with_the_mend()
    {
        foreach (var bad in new TextOptions[] { new() { RunMax = 3 }, new() { DocumentsMin = 0 }, new() { TermsMax = 0 }, new() { HashBits = 30 } })
            Assert.Contains("give", Assert.Throws<ArgumentException>(() => TextVectorizer.Fit(Notes, bad)).Message, StringComparison.Ordinal);
    }
}

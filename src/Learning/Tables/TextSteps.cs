using Salus.Learning.Text;

namespace Salus.Learning.Tables;

/// <summary>A text as counts of words.</summary>
sealed class TextStep(string column, BagOfWords bag) : ColumnStep(column, ColumnKind.Text)
{
    public BagOfWords Bag => bag;

    public override IReadOnlyList<Feature> Features { get; } = [.. bag.Words.Select(word => new Feature(FeatureKind.Word, column, word))];

    public override bool Accepts(Column given) => given.Kind is ColumnKind.Text or ColumnKind.Category || IsEmpty(given);

    public override IEnumerable<double[]> Transform(Column given)
    {
        var counts = new double[bag.Words.Count][];
        for (var word = 0; word < counts.Length; word++)
            counts[word] = new double[given.Count];
        for (var row = 0; row < given.Count; row++)
        {
            var sparse = bag.Count(given.Show(row));
            for (var i = 0; i < sparse.Indices.Length; i++)
                counts[sparse.Indices[i]][row] = sparse.Counts[i];
        }
        return counts;
    }

    public override RowWriter Rows(Column given) => (row, offset, builder) =>
    {
        var sparse = bag.Count(given.Show(row));
        for (var i = 0; i < sparse.Indices.Length; i++)
            builder.Add(offset + sparse.Indices[i], sparse.Counts[i]);
    };
}

/// <summary>A text as weights of terms.</summary>
sealed class TermStep(string column, TextVectorizer vectorizer) : ColumnStep(column, ColumnKind.Text)
{
    public TextVectorizer Vectorizer => vectorizer;

    public override IReadOnlyList<Feature> Features { get; } =
        [.. Enumerable.Range(0, vectorizer.ColumnCount).Select(term => new Feature(FeatureKind.Word, column, vectorizer.Term(term)))];

    public override bool Accepts(Column given) => given.Kind is ColumnKind.Text or ColumnKind.Category || IsEmpty(given);

    public override IEnumerable<double[]> Transform(Column given)
    {
        var rows = Matrix(given);
        var weights = new double[vectorizer.ColumnCount][];
        for (var term = 0; term < weights.Length; term++)
            weights[term] = new double[given.Count];
        for (var row = 0; row < given.Count; row++)
        {
            var indices = rows.Indices(row);
            var values = rows.Values(row);
            for (var i = 0; i < indices.Length; i++)
                weights[indices[i]][row] = values[i];
        }
        return weights;
    }

    public override RowWriter Rows(Column given)
    {
        var rows = Matrix(given);
        return (row, offset, builder) =>
        {
            var indices = rows.Indices(row);
            var values = rows.Values(row);
            for (var i = 0; i < indices.Length; i++)
                builder.Add(offset + indices[i], values[i]);
        };
    }

    /// <summary>The rows of the column by itself.</summary>
    public CsrMatrix Matrix(Column given) => vectorizer.Transform(Texts(given));

    public static string?[] Texts(Column given)
    {
        var texts = new string?[given.Count];
        for (var row = 0; row < texts.Length; row++)
            texts[row] = given.Show(row);
        return texts;
    }
}

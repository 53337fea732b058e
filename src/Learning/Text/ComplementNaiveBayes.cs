using Salus.Learning.Linear;
using Salus.Learning.Tables;

namespace Salus.Learning.Text;

/// <summary>
/// Complement naive Bayes (Rennie, Shih, Teevan and Karger 2003) over counts of words: a class is known by the words that
/// the others lack. What comes of it is a linear classifier.
/// </summary>
public static class ComplementNaiveBayes
{
    /// <summary>Fits on counts with labels in [0, <paramref name="classes"/>); <paramref name="smoothing"/> is added to every count.</summary>
    public static LinearClassifier Fit(CsrMatrix counts, int[] labels, int classes, double smoothing = 1)
    {
        if (TrainingRows.Objection(counts, labels, classes) is { } objection)
            throw new ArgumentException(objection);
        if (!(smoothing > 0))
            throw new ArgumentException($"the smoothing is {smoothing}; give a number above 0");
        var ofClass = new double[classes][];
        for (var c = 0; c < classes; c++)
            ofClass[c] = new double[counts.ColumnCount];
        for (var row = 0; row < counts.RowCount; row++)
            counts.AddTo(row, 1, ofClass[labels[row]]);
        var all = new double[counts.ColumnCount];
        foreach (var one in ofClass)
        {
            for (var i = 0; i < all.Length; i++)
                all[i] += one[i];
        }
        var weights = Array.ConvertAll(ofClass, one =>
        {
            var others = new double[all.Length];
            var total = 0.0;
            for (var i = 0; i < others.Length; i++)
                total += others[i] = all[i] - one[i] + smoothing;
            return Array.ConvertAll(others, other => -Math.Log(other / total));
        });
        return classes > 2
            ? new LinearClassifier(weights, new double[classes], LinearLink.Softmax)
            : new LinearClassifier([[.. weights[1].Zip(weights[0], (one, zero) => one - zero)]], new double[1], LinearLink.Softmax);
    }
}

using Salus.Learning;
using Salus.Learning.Evaluate;

namespace Salus.Tests.Learning;

/// <summary>Two models of many classes on the same rows.</summary>
public sealed class PairedComparisonTests
{
    const int Classes = 4;

    [Fact]
    public void Two_models_of_many_classes_are_compared_by_how_often_each_is_right()
    {
        var generator = new SeededGenerator(3);
        int[] labels = [.. Enumerable.Range(0, 200).Select(_ => generator.NextInt(Classes))];
        var certain = labels.Select(label => Row(label, 0.7)).ToArray();
        // Right about the first two classes, and without a word for the last.
        var half = labels.Select(label => label < 2 ? Row(label, 0.7) : [0.4, 0.4, 0.2, 0]).ToArray();
        var compared = PairedComparison.OfMany(half, certain, labels, null, 200, 1)!;
        var known = labels.Count(label => label < 2) / 200.0;
        Assert.Equal((200, known, 1.0), (compared.Rows, compared.Accuracy!.First.Estimate, compared.Accuracy.Second.Estimate));
        Assert.Equal(1 - known, compared.Accuracy.Difference.Estimate, 12);
        Assert.True(compared.Accuracy.Difference.Low > 0 && compared.Brier.Difference.High < 0 && compared.Auc.Difference.Low > 0);
        Assert.Equal((1.0, labels.Average(label => ClassMetrics.Brier(Row(label, 0.7), label))), (compared.Auc.Second.Estimate, compared.Brier.Second.Estimate));
        Assert.Equal(ClassMetrics.RocAuc(half, labels, Classes), compared.Auc.First.Estimate, 12);
        Assert.Equal(new Interval(0, 0, 0), PairedComparison.OfMany(half, half, labels, null, 50, 1)!.Accuracy!.Difference);
    }

    [Fact]
    public void Too_few_rows_or_rows_of_one_class_compare_nothing()
    {
        var few = Enumerable.Range(0, PairedComparison.RowsMin - 1).Select(row => Row(row % Classes, 0.7)).ToArray();
        Assert.Null(PairedComparison.OfMany(few, few, [.. Enumerable.Range(0, few.Length).Select(row => row % Classes)], null, 10, 1));
        var alike = Enumerable.Repeat(Row(1, 0.7), 40).ToArray();
        Assert.Null(PairedComparison.OfMany(alike, alike, [.. Enumerable.Repeat(1, 40)], null, 10, 1));
        Assert.Null(PairedComparison.OfMany([], [], [], null, 10, 1));
    }

    static double[] Row(int label, double probability) => [.. Enumerable.Range(0, Classes).Select(c => c == label ? probability : (1 - probability) / (Classes - 1))];
}

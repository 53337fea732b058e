namespace Salus.Learning.Explain;

/// <summary>
/// The distinct features split on from the root to a node, with the share of rows that pass when each is unknown
/// (<c>Zero</c>) or known (<c>One</c>), and the weights of subsets by their size.
/// </summary>
sealed class FeaturePath
{
    readonly List<(int Feature, double Zero, double One, double Weight)> steps;

    public FeaturePath() => steps = [];

    FeaturePath(FeaturePath other) => steps = [.. other.steps];

    public int Length => steps.Count;

    public int Feature(int i) => steps[i].Feature;

    public double Zero(int i) => steps[i].Zero;

    public double One(int i) => steps[i].One;

    public int IndexOf(int feature) => steps.FindIndex(step => step.Feature == feature);

    public FeaturePath Extended(double zero, double one, int feature)
    {
        var longer = new FeaturePath(this);
        var list = longer.steps;
        var last = list.Count;
        list.Add((feature, zero, one, last == 0 ? 1 : 0));
        for (var i = last - 1; i >= 0; i--)
        {
            list[i + 1] = list[i + 1] with { Weight = list[i + 1].Weight + (one * list[i].Weight * (i + 1) / (last + 1)) };
            list[i] = list[i] with { Weight = zero * list[i].Weight * (last - i) / (last + 1) };
        }
        return longer;
    }

    public void Unwind(int index)
    {
        var last = steps.Count - 1;
        var (_, zero, one, _) = steps[index];
        var next = steps[last].Weight;
        for (var i = last - 1; i >= 0; i--)
        {
            var weight = steps[i].Weight;
            var unwound = one != 0 ? next * (last + 1) / ((i + 1) * one) : weight * (last + 1) / (zero * (last - i));
            next = weight - (unwound * zero * (last - i) / (last + 1));
            steps[i] = steps[i] with { Weight = unwound };
        }
        for (var i = index; i < last; i++)
            steps[i] = (steps[i + 1].Feature, steps[i + 1].Zero, steps[i + 1].One, steps[i].Weight);
        steps.RemoveAt(last);
    }

    public double UnwoundSum(int index)
    {
        var last = steps.Count - 1;
        var (_, zero, one, _) = steps[index];
        var next = steps[last].Weight;
        var total = 0.0;
        for (var i = last - 1; i >= 0; i--)
        {
            var weight = steps[i].Weight;
            var unwound = one != 0 ? next * (last + 1) / ((i + 1) * one) : weight * (last + 1) / (zero * (last - i));
            next = weight - (unwound * zero * (last - i) / (last + 1));
            total += unwound;
        }
        return total;
    }
}

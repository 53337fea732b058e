using Salus.Learning.Trees;

namespace Salus.Learning.Explain;

/// <summary>
/// TreeSHAP (Lundberg, Erion and Lee 2018, algorithm 2): the Shapley values of the features, where a feature that is not
/// known sends a row down both branches in the proportion of the training rows.
/// </summary>
static class TreeExplainer
{
    /// <summary>Adds what each feature gave one output of the trees to <paramref name="contributions"/>, and returns what they say when nothing is known.</summary>
    public static double Explain(TreeEnsemble ensemble, ReadOnlySpan<double> row, int output, Span<double> contributions)
    {
        var bins = ensemble.BinsOf(row);
        var basis = 0.0;
        var walk = new Walk(bins, ensemble.Bins);
        var step = ensemble.Width == 1 ? ensemble.Outputs : 1;
        for (var t = ensemble.Width == 1 ? output : 0; t < ensemble.Trees.Length; t += step)
            basis += walk.Visit(ensemble.Trees[t], ensemble.Width == 1 ? 0 : output, contributions);
        return basis;
    }

    /// <summary>A step of the path from the root: a feature, the share of rows that pass when it is unknown or known, and the weight of subsets by their size.</summary>
    struct Step
    {
        public int Feature;
        public double Zero;
        public double One;
        public double Weight;
    }

    /// <summary>Walks the trees for one row. Each depth has its own stretch of one buffer, so that nothing is allocated per node.</summary>
    sealed class Walk(int[] row, FeatureBins[] bins)
    {
        Step[] steps = new Step[64];

        public double Visit(Tree tree, int output, Span<double> contributions) =>
            Visit(tree, output, contributions, 0, 0, 0, 1, 1, -1);

        // The recursion is as deep as the tree, which Tree.DepthLimit bounds. Returns the weighted mean of the leaves below.
        double Visit(Tree tree, int output, Span<double> contributions, int node, int parentAt, int parentLength, double zero, double one, int by)
        {
            var at = parentAt + parentLength;
            if (steps.Length < at + parentLength + 1)
                Array.Resize(ref steps, Math.Max(steps.Length * 2, at + parentLength + 1));
            var path = steps.AsSpan(at, parentLength + 1);
            steps.AsSpan(parentAt, parentLength).CopyTo(path);
            Extend(path, zero, one, by);
            var length = path.Length;
            if (tree.IsLeaf(node))
            {
                var value = tree.ValuesAt(node)[output];
                for (var i = 1; i < length; i++)
                    contributions[path[i].Feature] += UnwoundSum(path, i) * (path[i].One - path[i].Zero) * value;
                return value;
            }
            var feature = tree.Feature[node];
            var hot = tree.ChildFor(node, row[feature], bins[feature].Bins);
            var cold = hot == tree.Next[node] ? hot + 1 : hot - 1;
            var (pastZero, pastOne) = (1.0, 1.0);
            for (var i = 1; i < length; i++)
            {
                if (path[i].Feature != feature)
                    continue;
                (pastZero, pastOne) = (path[i].Zero, path[i].One);
                Unwind(path, i);
                length--;
                break;
            }
            double hotShare = (double)tree.Cover[hot] / tree.Cover[node], coldShare = (double)tree.Cover[cold] / tree.Cover[node];
            return (hotShare * Visit(tree, output, contributions, hot, at, length, pastZero * hotShare, pastOne, feature))
                + (coldShare * Visit(tree, output, contributions, cold, at, length, pastZero * coldShare, 0, feature));
        }

        static void Extend(Span<Step> path, double zero, double one, int feature)
        {
            var last = path.Length - 1;
            path[last] = new Step { Feature = feature, Zero = zero, One = one, Weight = last == 0 ? 1 : 0 };
            for (var i = last - 1; i >= 0; i--)
            {
                path[i + 1].Weight += one * path[i].Weight * (i + 1) / (last + 1);
                path[i].Weight = zero * path[i].Weight * (last - i) / (last + 1);
            }
        }

        static void Unwind(Span<Step> path, int index)
        {
            var last = path.Length - 1;
            var (zero, one) = (path[index].Zero, path[index].One);
            var next = path[last].Weight;
            for (var i = last - 1; i >= 0; i--)
            {
                var weight = path[i].Weight;
                path[i].Weight = one != 0 ? next * (last + 1) / ((i + 1) * one) : weight * (last + 1) / (zero * (last - i));
                next = weight - (path[i].Weight * zero * (last - i) / (last + 1));
            }
            for (var i = index; i < last; i++)
                (path[i].Feature, path[i].Zero, path[i].One) = (path[i + 1].Feature, path[i + 1].Zero, path[i + 1].One);
        }

        static double UnwoundSum(ReadOnlySpan<Step> path, int index)
        {
            var last = path.Length - 1;
            var (zero, one) = (path[index].Zero, path[index].One);
            var next = path[last].Weight;
            var total = 0.0;
            for (var i = last - 1; i >= 0; i--)
            {
                var unwound = one != 0 ? next * (last + 1) / ((i + 1) * one) : path[i].Weight * (last + 1) / (zero * (last - i));
                next = path[i].Weight - (unwound * zero * (last - i) / (last + 1));
                total += unwound;
            }
            return total;
        }
    }
}

using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Boosting;
using Salus.Learning.Forest;

namespace Salus.Learning.Estimators;

/// <summary>Reads any estimator by the magic that its bytes begin with.</summary>
public static class EstimatorFormat
{
    delegate IEstimator Reading(ref BoundedReader reader);

    // A new kind of estimator adds its line here.
    static readonly Dictionary<string, Reading> Readers = new(StringComparer.Ordinal)
    {
        [ForestFormat.Magic] = ForestFormat.Read,
        [ForestFormat.RegressionMagic] = ForestFormat.ReadRegression,
        [BoostingFormat.Magic] = BoostingFormat.Read,
        [BoostingFormat.RegressionMagic] = BoostingFormat.ReadRegression,
    };

    /// <summary>Reads what an estimator wrote; anything else is refused with the reason.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out IEstimator? estimator, [NotNullWhen(false)] out string? refusal)
    {
        try
        {
            var reader = new BoundedReader(bytes);
            estimator = Read(ref reader);
            reader.End();
            refusal = null;
            return true;
        }
        catch (FormatRefusedException refused)
        {
            (estimator, refusal) = (null, refused.Message);
            return false;
        }
    }

    /// <summary>Reads an estimator out of a larger format.</summary>
    internal static IEstimator Read(ref BoundedReader reader)
    {
        foreach (var (magic, read) in Readers)
        {
            if (reader.BeginsWith(magic))
                return read(ref reader);
        }
        throw new FormatRefusedException($"the bytes begin with none of {string.Join(", ", Readers.Keys.Order(StringComparer.Ordinal))}");
    }
}

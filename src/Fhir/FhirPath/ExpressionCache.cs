using System.Collections.Concurrent;

namespace Salus.Fhir.FhirPath;

/// <summary>
/// The expressions used last, by their text. Two generations: one that is full becomes the old one, and what is used again moves on from there,
/// so that between <paramref name="countMax"/> and twice as many are kept, without a lock on any use.
/// </summary>
sealed class ExpressionCache(int countMax, Func<string, FhirPathExpression> compile)
{
    const int CharactersMax = 4_096;

    volatile ConcurrentDictionary<string, FhirPathExpression> _young = new();
    volatile ConcurrentDictionary<string, FhirPathExpression> _old = new();

    public FhirPathExpression Get(string text)
    {
        if (_young.TryGetValue(text, out var known))
        {
            return known;
        }
        if (!_old.TryGetValue(text, out var expression))
        {
            expression = compile(text);
        }
        if (text.Length <= CharactersMax)
        {
            Keep(text, expression);
        }
        return expression;
    }

    void Keep(string text, FhirPathExpression expression)
    {
        var young = _young;
        if (young.Count >= countMax)
        {
            _old = young;
            _young = young = new();
        }
        young.TryAdd(text, expression);
    }
}

namespace Salus.Fhir.Search;

/// <summary>What <c>_text</c> and <c>_content</c> ask of a text: words and phrases, joined by AND, OR and NOT (R4, text search parameters; OData's <c>$search</c>).</summary>
public abstract record TextQuery
{
    TextQuery() { }

    /// <summary>Words that follow each other within one element.</summary>
    /// <param name="Words">Normalised, a space around each.</param>
    public sealed record Phrase(string Words) : TextQuery;

    /// <summary>Characters anywhere in one element (<c>:contains</c>).</summary>
    /// <param name="Characters">Normalised.</param>
    public sealed record Contains(string Characters) : TextQuery;

    /// <summary>All of them hold.</summary>
    public sealed record And(IReadOnlyList<TextQuery> Queries) : TextQuery;

    /// <summary>One of them holds.</summary>
    public sealed record Or(IReadOnlyList<TextQuery> Queries) : TextQuery;

    /// <summary>It does not hold.</summary>
    public sealed record Not(TextQuery Query) : TextQuery;

    /// <summary>Whether a resource's text is what is asked for.</summary>
    public bool Matches(ResourceText text) => this switch
    {
        Phrase phrase => text.Words.Contains(phrase.Words, StringComparison.Ordinal),
        Contains contains => text.Normalised.Contains(contains.Characters, StringComparison.Ordinal),
        And and => and.Queries.All(query => query.Matches(text)),
        Or or => or.Queries.Any(query => query.Matches(text)),
        Not not => !not.Query.Matches(text),
        _ => throw new InvalidOperationException("Every question has its answer."),
    };
}

/// <summary>
/// Reads a text search: words that all must stand, <c>"phrases"</c>, beginnings of words (<c>pneum*</c>), AND, OR and NOT in any case, parentheses.
/// NOT binds closest, OR least.
/// </summary>
ref struct TextQueryReader
{
    const int LengthMax = 2_000;
    const int TermsMax = 32;
    const int DepthMax = 16;

    readonly ReadOnlySpan<char> _text;
    int _at;
    int _terms;
    int _depth;
    string? _wrong;

    TextQueryReader(ReadOnlySpan<char> text) => _text = text;

    /// <summary>The question; null with what is wrong with it.</summary>
    public static TextQuery? Read(string text, out string? wrong)
    {
        if (text.Length > LengthMax)
        {
            wrong = $"At most {LengthMax} characters are searched for; these are {text.Length}.";
            return null;
        }
        var reader = new TextQueryReader(text);
        var query = reader.Alternatives();
        reader.SkipSpace();
        wrong = reader._wrong ?? (reader._at < text.Length ? "A parenthesis closes that was not opened." : null);
        return wrong is null ? query : null;
    }

    TextQuery? Alternatives()
    {
        List<TextQuery> alternatives = [];
        do
        {
            if (All() is { } all)
            {
                alternatives.Add(all);
            }
        }
        while (_wrong is null && TakeWord("or"));
        return alternatives is [var only] ? only : new TextQuery.Or(alternatives);
    }

    TextQuery? All()
    {
        List<TextQuery> all = [];
        do
        {
            var term = Term();
            if (_wrong is not null)
            {
                return null;
            }
            all.Add(term!);
        }
        while (TakeWord("and") || !IsEnd());
        return all is [var only] ? only : new TextQuery.And(all);
    }

    TextQuery? Term()
    {
        if (TakeWord("not"))
        {
            return Nested() ? Leave(Term() is { } inner ? new TextQuery.Not(inner) : null) : null;
        }
        SkipSpace();
        if (_at < _text.Length && _text[_at] == '(')
        {
            _at++;
            if (!Nested())
            {
                return null;
            }
            var inner = Alternatives();
            SkipSpace();
            if (_wrong is null && (_at >= _text.Length || _text[_at++] != ')'))
            {
                _wrong = "A parenthesis is not closed.";
            }
            return Leave(inner);
        }
        if (IsEnd() || TakeWord("and"))
        {
            _wrong ??= "A word to search for is missing: words and \"phrases\" that all must stand, or such with AND, OR, NOT and parentheses between them.";
            return null;
        }
        if (++_terms > TermsMax)
        {
            _wrong = $"At most {TermsMax} words and phrases are searched for at once.";
            return null;
        }
        return _text[_at] == '"' ? Quoted() : Bare();
    }

    bool Nested()
    {
        if (++_depth <= DepthMax)
        {
            return true;
        }
        _wrong = $"Parentheses and NOT are nested {DepthMax} deep at most.";
        return false;
    }

    TextQuery? Leave(TextQuery? query)
    {
        _depth--;
        return query;
    }

    TextQuery.Phrase? Quoted()
    {
        var rest = _text[(_at + 1)..];
        var end = rest.IndexOf('"');
        if (end < 0)
        {
            _wrong = "A quotation mark is not closed; a comma within a phrase is written \\,.";
            return null;
        }
        _at += end + 2;
        return Phrase(rest[..end].ToString());
    }

    TextQuery.Phrase? Bare()
    {
        var start = _at;
        while (_at < _text.Length && !IsBreak(_text[_at]))
        {
            _at++;
        }
        return Phrase(_text[start.._at].ToString());
    }

    TextQuery.Phrase? Phrase(string written)
    {
        var words = TextWords.Of(written);
        if (words.Trim().Length == 0)
        {
            _wrong = $"'{written}' holds no letter and no digit to search for.";
            return null;
        }
        return new TextQuery.Phrase(written.EndsWith('*') ? words.TrimEnd() : words);
    }

    /// <summary>Takes an operator where it stands as a word by itself.</summary>
    bool TakeWord(string word)
    {
        SkipSpace();
        var end = _at + word.Length;
        if (end > _text.Length || !_text[_at..end].Equals(word, StringComparison.OrdinalIgnoreCase) || (end < _text.Length && !IsBreak(_text[end])))
        {
            return false;
        }
        _at = end;
        return true;
    }

    /// <summary>Whether what is read next is no term: the end, a closing parenthesis or OR.</summary>
    bool IsEnd()
    {
        SkipSpace();
        var at = _at;
        var isOr = TakeWord("or");
        _at = at;
        return isOr || _at >= _text.Length || _text[_at] == ')';
    }

    void SkipSpace()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
        {
            _at++;
        }
    }

    static bool IsBreak(char character) => char.IsWhiteSpace(character) || character is '(' or ')' or '"';
}

using System.Globalization;
using System.Text;

namespace Salus.Fhir.FhirPath;

enum TokenKind
{
    End,
    Word,
    QuotedWord,
    Text,
    Number,
    Date,
    DateTime,
    Time,
    Scope,
    Symbol,
}

/// <summary>A token.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its value: unescaped, without quotes, <c>@</c> or <c>$</c>.</param>
/// <param name="Position">Where it begins, from 0.</param>
readonly record struct Token(TokenKind Kind, string Text, int Position)
{
    public bool IsSymbol(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    public bool IsWord(string word) => Kind == TokenKind.Word && Text == word;
}

/// <summary>Cuts an expression into tokens (FHIRPath's grammar, section "Lexical elements").</summary>
sealed class Lexer(string text)
{
    int _at;

    public List<Token> Read()
    {
        var tokens = new List<Token>();
        do
        {
            tokens.Add(Next());
        }
        while (tokens[^1].Kind != TokenKind.End);
        return tokens;
    }

    Token Next()
    {
        SkipBlanks();
        var start = _at;
        if (_at >= text.Length)
        {
            return new(TokenKind.End, "", start);
        }
        var first = text[_at];
        if (char.IsAsciiLetter(first) || first == '_')
        {
            return new(TokenKind.Word, While(IsWordCharacter), start);
        }
        if (char.IsAsciiDigit(first))
        {
            return Number(start);
        }
        switch (first)
        {
            case '\'':
                return new(TokenKind.Text, Quoted('\''), start);
            case '`':
                return new(TokenKind.QuotedWord, Quoted('`'), start);
            case '"':
                return new(TokenKind.QuotedWord, Quoted('"'), start);
            case '@':
                return Moment(start);
            case '$':
                _at++;
                return new(TokenKind.Scope, While(IsWordCharacter), start);
            default:
                return Symbol(start);
        }
    }

    Token Symbol(int start)
    {
        var pair = _at + 1 < text.Length ? text.Substring(_at, 2) : "";
        if (pair is "<=" or ">=" or "!=" or "!~")
        {
            _at += 2;
            return new(TokenKind.Symbol, pair, start);
        }
        if (!"()[]{}.,+-*/&|=<>~%".Contains(text[_at], StringComparison.Ordinal))
        {
            throw Wrong($"'{text[_at]}' means nothing here", start);
        }
        return new(TokenKind.Symbol, text[_at++].ToString(), start);
    }

    Token Number(int start)
    {
        While(char.IsAsciiDigit);
        if (_at + 1 < text.Length && text[_at] == '.' && char.IsAsciiDigit(text[_at + 1]))
        {
            _at++;
            While(char.IsAsciiDigit);
        }
        return new(TokenKind.Number, text[start.._at], start);
    }

    /// <summary><c>@2015-02-04</c>, <c>@2015-02-04T14:34:28.123+10:00</c>, <c>@2015T</c> or <c>@T14:34</c>.</summary>
    Token Moment(int start)
    {
        _at++;
        var from = _at;
        if (Take('T'))
        {
            Clock();
            return Moment(TokenKind.Time, TemporalKind.Time, from + 1, start);
        }
        While(char.IsAsciiDigit);
        for (var part = 0; part < 2 && DigitAfter('-', 2); part++)
        {
            _at += 3;
        }
        if (!Take('T'))
        {
            return Moment(TokenKind.Date, TemporalKind.Date, from, start);
        }
        if (_at < text.Length && char.IsAsciiDigit(text[_at]))
        {
            Clock();
            if (!Take('Z') && (DigitAfter('+', 2) || DigitAfter('-', 2)) && _at + 5 < text.Length && text[_at + 3] == ':')
            {
                _at += 6;
            }
        }
        return Moment(TokenKind.DateTime, TemporalKind.DateTime, from, start);
    }

    Token Moment(TokenKind kind, TemporalKind temporal, int from, int start)
    {
        var value = text[from.._at];
        return Temporal.TryParse(value, temporal, out _) ? new(kind, value, start) : throw Wrong($"'@{text[(start + 1).._at]}' is no {temporal}", start);
    }

    void Clock()
    {
        While(char.IsAsciiDigit);
        for (var part = 0; part < 2 && DigitAfter(':', 2); part++)
        {
            _at += 3;
        }
        if (DigitAfter('.', 1))
        {
            _at++;
            While(char.IsAsciiDigit);
        }
    }

    bool DigitAfter(char mark, int digits) =>
        _at + digits < text.Length && text[_at] == mark && text.AsSpan(_at + 1, digits).IndexOfAnyExceptInRange('0', '9') < 0;

    bool Take(char expected)
    {
        if (_at < text.Length && text[_at] == expected)
        {
            _at++;
            return true;
        }
        return false;
    }

    string While(Func<char, bool> accept)
    {
        var start = _at;
        while (_at < text.Length && accept(text[_at]))
        {
            _at++;
        }
        return text[start.._at];
    }

    static bool IsWordCharacter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter == '_';

    void SkipBlanks()
    {
        while (_at < text.Length)
        {
            var rest = text.AsSpan(_at);
            if (char.IsWhiteSpace(rest[0]))
            {
                _at++;
            }
            else if (rest.StartsWith("//"))
            {
                var end = rest.IndexOfAny('\r', '\n');
                _at = end < 0 ? text.Length : _at + end;
            }
            else if (rest.StartsWith("/*"))
            {
                var end = rest[2..].IndexOf("*/");
                if (end < 0)
                {
                    throw Wrong("This comment does not end", _at);
                }
                _at += end + 4;
            }
            else
            {
                return;
            }
        }
    }

    string Quoted(char quote)
    {
        var start = _at++;
        var value = new StringBuilder();
        while (_at < text.Length && text[_at] != quote)
        {
            if (text[_at] == '\\' && Escape() is { } escaped)
            {
                value.Append(escaped);
            }
            else if (_at < text.Length)
            {
                value.Append(text[_at]);
            }
            _at++;
        }
        if (_at++ >= text.Length)
        {
            throw Wrong("This quotation does not end", start);
        }
        return value.ToString();
    }

    /// <summary>What an escape stands for; null for a backslash before anything else, which counts for nothing (FHIRPath section 4.1.2).</summary>
    char? Escape()
    {
        _at++;
        switch (_at < text.Length ? text[_at] : '\0')
        {
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u' when _at + 4 < text.Length && ushort.TryParse(text.AsSpan(_at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code):
                _at += 4;
                return (char)code;
            default: return null;
        }
    }

    static FhirPathException Wrong(string message, int position) => new(FhirPathFault.Syntax, message, position);
}

using System.Globalization;

namespace Salus.Fhir.FhirPath;

/// <summary>Reads an expression into its syntax, by FHIRPath's precedence.</summary>
sealed class Parser
{
    const int NestingMax = 100;
    const int DepthMax = 1_000;
    const decimal IntegerLowest = 2_147_483_648m;

    static readonly string[][] Levels =
    [
        ["implies"], ["or", "xor"], ["and"], ["in", "contains"], ["=", "~", "!=", "!~"], ["<", ">", "<=", ">="], ["|"], ["is", "as"], ["+", "-", "&"], ["*", "/", "div", "mod"],
    ];

    static readonly HashSet<string> NeverNames = ["and", "or", "xor", "implies", "div", "mod", "true", "false"];

    readonly List<Token> _tokens;
    int _at;
    int _nesting;

    Parser(string text) => _tokens = new Lexer(text).Read();

    Token Current => _tokens[_at];

    /// <exception cref="FhirPathException">The text is not an expression.</exception>
    public static Syntax Parse(string text)
    {
        var parser = new Parser(text);
        var syntax = parser.Expression();
        return parser.Current.Kind == TokenKind.End ? syntax : throw parser.Unexpected();
    }

    Syntax Expression()
    {
        if (++_nesting > NestingMax)
        {
            throw Wrong($"The expression nests deeper than {NestingMax} levels", Current.Position);
        }
        var result = Level(0);
        _nesting--;
        return result;
    }

    Syntax Level(int level)
    {
        if (level == Levels.Length)
        {
            return Sign();
        }
        var left = Level(level + 1);
        while (Operator(Levels[level]) is { } name)
        {
            var position = _tokens[_at++].Position;
            left = Checked<Syntax>(name is "is" or "as"
                ? new TypeSyntax(position, name == "is", left, Type())
                : new OperatorSyntax(position, name, left, Level(level + 1)));
        }
        return left;
    }

    string? Operator(string[] names) => Current.Kind is TokenKind.Symbol or TokenKind.Word && names.Contains(Current.Text) ? Current.Text : null;

    Syntax Sign()
    {
        if (!Current.IsSymbol("+") && !Current.IsSymbol("-"))
        {
            return Invocations();
        }
        if (++_nesting > NestingMax)
        {
            throw Wrong($"The expression nests deeper than {NestingMax} levels", Current.Position);
        }
        var sign = _tokens[_at++];
        var operand = Sign();
        _nesting--;
        return sign.Text == "-" && operand is LiteralSyntax { Value: DecimalItem { Value: IntegerLowest } }
            ? new LiteralSyntax(sign.Position, new IntegerItem(int.MinValue))
            : Checked<Syntax>(new SignSyntax(sign.Position, sign.Text == "-", operand));
    }

    Syntax Invocations()
    {
        var left = Term();
        while (true)
        {
            if (Take("."))
            {
                left = Checked(new PathSyntax(left, Invocation(true)));
            }
            else if (Current.IsSymbol("["))
            {
                var position = _tokens[_at++].Position;
                left = Checked(new IndexSyntax(position, left, Expression()));
                Need("]");
            }
            else
            {
                return left;
            }
        }
    }

    Syntax Term()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Text:
                _at++;
                return new LiteralSyntax(token.Position, new StringItem(token.Text));
            case TokenKind.Number:
                _at++;
                return Number(token);
            case TokenKind.Date or TokenKind.DateTime or TokenKind.Time:
                _at++;
                Temporal.TryParse(token.Text, Enum.Parse<TemporalKind>(token.Kind.ToString()), out var moment);
                return new LiteralSyntax(token.Position, new TemporalItem(moment));
            case TokenKind.Word when token.Text is "true" or "false":
                _at++;
                return new LiteralSyntax(token.Position, BooleanItem.For(token.Text == "true"));
            case TokenKind.Symbol when Take("("):
                var inner = Expression();
                Need(")");
                return inner;
            case TokenKind.Symbol when Take("{"):
                Need("}");
                return new LiteralSyntax(token.Position, null);
            case TokenKind.Symbol when Take("%"):
                return Variable(token.Position);
            default:
                return Invocation();
        }
    }

    VariableSyntax Variable(int position)
    {
        var name = Current;
        if (name.Kind is not (TokenKind.Word or TokenKind.QuotedWord or TokenKind.Text))
        {
            throw Unexpected();
        }
        _at++;
        return new(position, name.Text);
    }

    LiteralSyntax Number(Token token)
    {
        if (!decimal.TryParse(token.Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            throw Wrong($"{token.Text} is larger than a number can be", token.Position);
        }
        if (Unit() is { } unit)
        {
            return new(token.Position, new QuantityItem(number, unit));
        }
        if (token.Text.Contains('.', StringComparison.Ordinal))
        {
            return new(token.Position, new DecimalItem(number));
        }
        // The lowest integer is written as a minus and a number that is one too large to be an integer.
        return new(token.Position, number <= int.MaxValue ? new IntegerItem((int)number) : new DecimalItem(number));
    }

    string? Unit()
    {
        var token = Current;
        if (token.Kind == TokenKind.Text)
        {
            _at++;
            return Calendar.Singular(token.Text) ?? token.Text;
        }
        if (token.Kind == TokenKind.Word && Calendar.Singular(token.Text) is { } word)
        {
            _at++;
            return word;
        }
        return null;
    }

    /// <summary>A member, function or scope. After a dot any word is a name, such as the <c>div</c> of a narrative.</summary>
    Syntax Invocation(bool isAfterDot = false)
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Scope when token.Text is "this" or "index" or "total":
                _at++;
                return new ScopeSyntax(token.Position, token.Text);
            case TokenKind.Word when isAfterDot || !NeverNames.Contains(token.Text):
            case TokenKind.QuotedWord:
                _at++;
                return Take("(") ? Checked<Syntax>(new CallSyntax(token.Position, token.Text, Arguments())) : new MemberSyntax(token.Position, token.Text);
            default:
                throw Unexpected();
        }
    }

    List<Syntax> Arguments()
    {
        var arguments = new List<Syntax>();
        if (Take(")"))
        {
            return arguments;
        }
        do
        {
            arguments.Add(Ordered(Expression()));
        }
        while (Take(","));
        Need(")");
        return arguments;
    }

    /// <summary><c>asc</c> and <c>desc</c> after a key of <c>sort</c>; the latter is the same as a minus before it.</summary>
    Syntax Ordered(Syntax key)
    {
        if (Current.IsWord("asc"))
        {
            _at++;
        }
        else if (Current.IsWord("desc"))
        {
            key = new SignSyntax(_tokens[_at++].Position, true, key);
        }
        return key;
    }

    TypeSpecifier Type()
    {
        var first = Name();
        return Take(".") ? new(first, Name()) : new(null, first);
    }

    string Name() => Current.Kind is TokenKind.Word or TokenKind.QuotedWord ? _tokens[_at++].Text : throw Unexpected();

    bool Take(string symbol)
    {
        if (!Current.IsSymbol(symbol))
        {
            return false;
        }
        _at++;
        return true;
    }

    void Need(string symbol)
    {
        if (!Take(symbol))
        {
            throw Unexpected($"; '{symbol}' was expected");
        }
    }

    static T Checked<T>(T syntax)
        where T : Syntax =>
        syntax.Depth <= DepthMax ? syntax : throw Wrong($"The expression has more than {DepthMax} steps", syntax.Position);

    FhirPathException Unexpected(string more = "") =>
        Wrong((Current.Kind == TokenKind.End ? "The expression ends too early" : $"'{Current.Text}' does not belong here") + more, Current.Position);

    static FhirPathException Wrong(string message, int position) => new(FhirPathFault.Syntax, message, position);
}

using Salus.Fhir.Elements;

namespace Salus.Fhir.FhirPath;

/// <summary>A compiled FHIRPath expression (FHIRPath 2.0.0 with the functions of FHIR R4). Immutable; may be evaluated by many at once.</summary>
public sealed class FhirPathExpression
{
    const int CharactersMax = 32 << 10;
    const int CachedMax = 2_000;

    static readonly ExpressionCache Cache = new(CachedMax, text => new FhirPathExpression(text));

    readonly Evaluator _evaluator;

    FhirPathExpression(string text)
    {
        if (text.Length > CharactersMax)
        {
            throw new FhirPathException(FhirPathFault.TooCostly, $"The expression has {text.Length} characters; at most {CharactersMax} are read", CharactersMax);
        }
        Text = text;
        Syntax = Parser.Parse(text);
        SemanticCheck.Check(Syntax);
        _evaluator = Compiler.Compile(Syntax);
    }

    FhirPathExpression(string text, Syntax syntax)
    {
        (Text, Syntax) = (text, syntax);
        _evaluator = Compiler.Compile(syntax);
    }

    /// <summary>The expression as it was written.</summary>
    public string Text { get; }

    internal Syntax Syntax { get; }

    /// <summary>Compiles an expression, or takes it from a cache of those compiled last.</summary>
    /// <exception cref="FhirPathException">The text is not an expression, or names a function, a type or a type's member that does not exist.</exception>
    public static FhirPathExpression Compile(string text) => Cache.Get(text);

    /// <summary>Compiles an expression and refuses paths that its context's type cannot have.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="contextType">The type that it will be evaluated on, such as <c>Patient</c>.</param>
    /// <exception cref="FhirPathException">As of <see cref="Compile"/>; and for a name that a type lacks, or an order asked of what has none.</exception>
    public static FhirPathExpression CompileStrict(string text, string contextType)
    {
        var expression = Compile(text);
        SemanticCheck.Check(expression.Syntax, contextType);
        return expression;
    }

    /// <summary>Evaluates on a resource.</summary>
    /// <exception cref="FhirPathException">The values met do not allow what the expression asks, or it costs too much.</exception>
    public FhirPathCollection Evaluate(Resource resource, EvaluationContext? context = null) => Evaluate(FhirPathItem.Of(resource), context);

    /// <summary>Evaluates on an item, which is <c>%context</c> and the first <c>$this</c>.</summary>
    /// <exception cref="FhirPathException">The values met do not allow what the expression asks, or it costs too much.</exception>
    public FhirPathCollection Evaluate(FhirPathItem focus, EvaluationContext? context = null)
    {
        var run = new Evaluation(context ?? EvaluationContext.Default, focus);
        var items = new FhirPathCollection(focus);
        return _evaluator(new Frame(run, items), items);
    }

    /// <summary>Evaluates a condition, such as an invariant: true only for true, or for a single item that is no boolean.</summary>
    /// <exception cref="FhirPathException">As of <see cref="Evaluate(FhirPathItem, EvaluationContext?)"/>; also for several items.</exception>
    public bool IsTrue(FhirPathItem focus, EvaluationContext? context = null) => Logic.Truth(Evaluate(focus, context), 0) == true;

    /// <summary>The path before the last name, and that name; null when it does not end with a name after a dot.</summary>
    internal (FhirPathExpression Before, string Name)? SplitLast() =>
        Syntax is PathSyntax { Right: MemberSyntax last } path ? (new FhirPathExpression(Text, path.Left), last.Name) : null;

    /// <inheritdoc/>
    public override string ToString() => Text;
}

namespace Salus.Fhir.FhirPath;

/// <summary>One evaluation: what it looks at, the moment it is evaluated at, and how much it has spent.</summary>
sealed class Evaluation
{
    const int CharactersPerStep = 64;

    readonly int _stepsMax;
    readonly int _itemsMax;
    int _steps;
    DateTimeOffset? _now;

    public Evaluation(EvaluationContext context, FhirPathItem focus)
    {
        Context = context;
        Focus = focus;
        Resource = context.Resource ?? focus;
        _stepsMax = context.StepsMax;
        _itemsMax = context.ItemsMax;
    }

    public EvaluationContext Context { get; }

    /// <summary><c>%context</c>.</summary>
    public FhirPathItem Focus { get; }

    public FhirPathItem Resource { get; }

    public FhirPathItem RootResource => Context.RootResource ?? Resource;

    /// <summary>The same throughout one evaluation.</summary>
    public DateTimeOffset Now => _now ??= Context.Clock.GetLocalNow();

    /// <summary>The character at which the evaluation is, for the errors of what knows no place.</summary>
    public int Position { get; set; }

    public void Spend(int steps = 1)
    {
        if ((_steps += steps) > _stepsMax)
        {
            throw new FhirPathException(FhirPathFault.TooCostly, $"The evaluation takes more than {_stepsMax} steps", Position);
        }
    }

    public void CheckSize(int count)
    {
        if (count > _itemsMax)
        {
            throw new FhirPathException(FhirPathFault.TooCostly, $"A collection has more than {_itemsMax} items", Position);
        }
    }

    /// <summary>Spends what reading a value costs: a long text is not read for one step.</summary>
    public void SpendOn(FhirPathCollection items)
    {
        switch (items.OnlyItem)
        {
            case StringItem text:
                Spend(text.Value.Length / CharactersPerStep);
                break;
            case ElementItem { IsPrimitive: true } element:
                Spend(element.Element.Raw.Length / CharactersPerStep);
                break;
        }
    }

    /// <summary>A string that a function made.</summary>
    public StringItem Text(string text)
    {
        CheckLength(text.Length);
        Spend(text.Length / CharactersPerStep);
        return new StringItem(text);
    }

    public void CheckLength(long characters)
    {
        if (characters > Context.CharactersMax)
        {
            throw new FhirPathException(FhirPathFault.TooCostly, $"A string has more than {Context.CharactersMax} characters", Position);
        }
    }
}

/// <summary>What is in scope where an expression is evaluated. The iteration that made it owns it and moves it from item to item.</summary>
sealed class Frame(Evaluation run, FhirPathCollection focus)
{
    public Evaluation Run { get; } = run;

    /// <summary><c>$this</c>.</summary>
    public FhirPathCollection This { get; set; } = focus;

    /// <summary><c>$index</c>; below 0 outside an iteration.</summary>
    public int Index { get; set; } = -1;

    /// <summary><c>$total</c>; null outside <c>aggregate</c>.</summary>
    public FhirPathCollection? Total { get; set; }

    /// <summary>The variables that <c>defineVariable</c> made, the newest first.</summary>
    public DefinedVariable? Variables { get; set; }

    public Frame Inner() => new(Run, This) { Index = Index, Total = Total, Variables = Variables };
}

sealed record DefinedVariable(string Name, FhirPathCollection Value, DefinedVariable? Outer);

/// <summary>A compiled part of an expression.</summary>
/// <param name="frame">What is in scope.</param>
/// <param name="input">What the part is applied to: the left of the dot, or <c>$this</c> at the start of a path.</param>
delegate FhirPathCollection Evaluator(Frame frame, FhirPathCollection input);

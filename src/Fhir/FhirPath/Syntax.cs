namespace Salus.Fhir.FhirPath;

/// <summary>A part of an expression as it was written.</summary>
/// <param name="Position">Where it begins, from 0.</param>
abstract record Syntax(int Position)
{
    /// <summary>How deep it nests, so that neither compiling nor evaluating exhausts the stack.</summary>
    public int Depth { get; protected init; } = 1;

    protected static int Over(params ReadOnlySpan<Syntax> parts)
    {
        var deepest = 0;
        foreach (var part in parts)
        {
            deepest = Math.Max(deepest, part.Depth);
        }
        return deepest + 1;
    }
}

/// <summary>A constant; null stands for <c>{}</c>.</summary>
sealed record LiteralSyntax(int Position, FhirPathItem? Value) : Syntax(Position);

/// <summary><c>%name</c>.</summary>
sealed record VariableSyntax(int Position, string Name) : Syntax(Position);

/// <summary><c>$this</c>, <c>$index</c> or <c>$total</c>.</summary>
sealed record ScopeSyntax(int Position, string Name) : Syntax(Position);

/// <summary>A member by its name; at the start of a path it may be the type of the context.</summary>
sealed record MemberSyntax(int Position, string Name) : Syntax(Position);

/// <summary>A function and its arguments.</summary>
sealed record CallSyntax : Syntax
{
    public CallSyntax(int position, string name, IReadOnlyList<Syntax> arguments)
        : base(position)
    {
        (Name, Arguments) = (name, arguments);
        Depth = Over([.. arguments]);
    }

    public string Name { get; }

    public IReadOnlyList<Syntax> Arguments { get; }
}

/// <summary><c>left.right</c>, where the right is a member or function.</summary>
sealed record PathSyntax : Syntax
{
    public PathSyntax(Syntax left, Syntax right)
        : base(right.Position)
    {
        (Left, Right) = (left, right);
        Depth = Over(left, right);
    }

    public Syntax Left { get; }

    public Syntax Right { get; }
}

/// <summary><c>left[index]</c>.</summary>
sealed record IndexSyntax : Syntax
{
    public IndexSyntax(int position, Syntax left, Syntax index)
        : base(position)
    {
        (Left, Index) = (left, index);
        Depth = Over(left, index);
    }

    public Syntax Left { get; }

    public Syntax Index { get; }
}

/// <summary>Unary plus or minus.</summary>
sealed record SignSyntax : Syntax
{
    public SignSyntax(int position, bool isNegative, Syntax operand)
        : base(position)
    {
        (IsNegative, Operand) = (isNegative, operand);
        Depth = Over(operand);
    }

    public bool IsNegative { get; }

    public Syntax Operand { get; }
}

/// <summary>Two operands and the operator between them.</summary>
sealed record OperatorSyntax : Syntax
{
    public OperatorSyntax(int position, string name, Syntax left, Syntax right)
        : base(position)
    {
        (Name, Left, Right) = (name, left, right);
        Depth = Over(left, right);
    }

    public string Name { get; }

    public Syntax Left { get; }

    public Syntax Right { get; }
}

/// <summary><c>left is type</c> or <c>left as type</c>.</summary>
sealed record TypeSyntax : Syntax
{
    public TypeSyntax(int position, bool isTest, Syntax left, TypeSpecifier type)
        : base(position)
    {
        (IsTest, Left, Type) = (isTest, left, type);
        Depth = Over(left);
    }

    public bool IsTest { get; }

    public Syntax Left { get; }

    public TypeSpecifier Type { get; }
}

/// <summary>A type as it was written.</summary>
/// <param name="Namespace"><c>FHIR</c>, <c>System</c> or null for either.</param>
/// <param name="Name">Its name.</param>
readonly record struct TypeSpecifier(string? Namespace, string Name)
{
    public override string ToString() => Namespace is null ? Name : $"{Namespace}.{Name}";
}

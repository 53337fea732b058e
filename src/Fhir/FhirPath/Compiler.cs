namespace Salus.Fhir.FhirPath;

/// <summary>Turns syntax into delegates.</summary>
static class Compiler
{
    const string Terminology = "http://hl7.org/fhir/";

    public static Evaluator Compile(Syntax syntax) => syntax switch
    {
        LiteralSyntax literal => Constant(literal.Value is { } value ? new FhirPathCollection(value) : default),
        VariableSyntax variable => Variable(variable),
        ScopeSyntax scope => Scope(scope),
        MemberSyntax member => TypeModel.Type(member.Name) is not null && char.IsAsciiLetterUpper(member.Name[0]) ? ContextType(member) : Member(member),
        CallSyntax call => Call.Compile(call),
        PathSyntax path => Path(path),
        IndexSyntax index => Index(index),
        SignSyntax sign => Sign(sign),
        TypeSyntax type => Typed(type),
        OperatorSyntax operation => Operator(operation),
        _ => throw new InvalidOperationException($"{syntax.GetType().Name} has no evaluator."),
    };

    /// <summary>Evaluates an operand or argument: the variables defined in it end with it.</summary>
    public static FhirPathCollection Operand(Evaluator evaluator, Frame frame)
    {
        var variables = frame.Variables;
        var result = evaluator(frame, frame.This);
        frame.Variables = variables;
        return result;
    }

    static Evaluator Constant(FhirPathCollection value) => (_, _) => value;

    static Evaluator Variable(VariableSyntax syntax)
    {
        var (position, name) = (syntax.Position, syntax.Name);
        switch (name)
        {
            case "context":
                return (frame, _) => new(frame.Run.Focus);
            case "resource":
                return (frame, _) => new(frame.Run.Resource);
            case "rootResource":
                return (frame, _) => new(frame.Run.RootResource);
        }
        if (SystemVariable(name) is { } url)
        {
            return Constant(new(new StringItem(url)));
        }
        return (frame, _) =>
        {
            for (var variable = frame.Variables; variable is not null; variable = variable.Outer)
            {
                if (variable.Name == name)
                {
                    return variable.Value;
                }
            }
            return frame.Run.Context.Variables.TryGetValue(name, out var value)
                ? value
                : throw new FhirPathException(FhirPathFault.Execution, $"There is no variable %{name} here", position);
        };
    }

    /// <summary>What stands for a fixed name (R4 section 2.9.2); null for any other.</summary>
    static string? SystemVariable(string name) => name switch
    {
        "ucum" => "http://unitsofmeasure.org",
        "sct" => "http://snomed.info/sct",
        "loinc" => "http://loinc.org",
        _ when name.StartsWith("vs-", StringComparison.Ordinal) => $"{Terminology}ValueSet/{name[3..]}",
        _ when name.StartsWith("ext-", StringComparison.Ordinal) => $"{Terminology}StructureDefinition/{name[4..]}",
        _ => null,
    };

    /// <summary>Whether a name is one that no expression may define.</summary>
    public static bool IsReserved(string name) => name is "context" or "resource" or "rootResource" || SystemVariable(name) is not null;

    static Evaluator Scope(ScopeSyntax syntax)
    {
        var position = syntax.Position;
        return syntax.Name switch
        {
            "this" => (frame, _) => frame.This,
            "index" => (frame, _) => frame.Index >= 0
                ? new(new IntegerItem(frame.Index))
                : throw new FhirPathException(FhirPathFault.Execution, "$index has no meaning outside an iteration", position),
            _ => (frame, _) => frame.Total
                ?? throw new FhirPathException(FhirPathFault.Execution, "$total has no meaning outside aggregate()", position),
        };
    }

    static Evaluator Member(MemberSyntax syntax)
    {
        var step = new MemberStep(syntax.Name);
        var position = syntax.Position;
        return (frame, input) =>
        {
            frame.Run.Position = position;
            frame.Run.Spend(1 + input.Count);
            var into = new FhirPathCollection.Builder(frame.Run);
            foreach (var item in input)
            {
                step.Append(item, ref into);
            }
            return into.Build();
        };
    }

    /// <summary>A name at the start of a path that is a type's: the context itself where it is of that type.</summary>
    static Evaluator ContextType(MemberSyntax syntax)
    {
        var type = new TypeSpecifier("FHIR", syntax.Name);
        return (frame, input) =>
        {
            frame.Run.Spend(1 + input.Count);
            var into = new FhirPathCollection.Builder(frame.Run);
            foreach (var item in input)
            {
                if (TypeModel.Is(item, type))
                {
                    into.Add(item);
                }
            }
            return into.Build();
        };
    }

    static Evaluator Path(PathSyntax syntax)
    {
        var left = Compile(syntax.Left);
        var right = syntax.Right is MemberSyntax member ? Member(member) : Compile(syntax.Right);
        return (frame, input) => right(frame, left(frame, input));
    }

    static Evaluator Index(IndexSyntax syntax)
    {
        var (left, index, position) = (Compile(syntax.Left), Compile(syntax.Index), syntax.Index.Position);
        return (frame, input) =>
        {
            var items = left(frame, input);
            var at = Operand(index, frame);
            if (at.IsEmpty)
            {
                return default;
            }
            if (at.OnlyItem?.System is not IntegerItem { Value: var value })
            {
                throw new FhirPathException(FhirPathFault.Execution, "An index is one integer", position);
            }
            return value >= 0 && value < items.Count ? new(items[value]) : default;
        };
    }

    static Evaluator Sign(SignSyntax syntax)
    {
        var (operand, position, isNegative) = (Compile(syntax.Operand), syntax.Position, syntax.IsNegative);
        return (frame, _) =>
        {
            var items = Operand(operand, frame);
            return items.IsEmpty ? default : Arithmetic.Signed(items, isNegative, position);
        };
    }

    static Evaluator Typed(TypeSyntax syntax)
    {
        var (left, type, position) = (Compile(syntax.Left), syntax.Type, syntax.Position);
        Check(type, position);
        if (syntax.IsTest)
        {
            return (frame, _) => TestType(Operand(left, frame), type, position);
        }
        return (frame, _) => As(frame, Operand(left, frame), type, position);
    }

    /// <exception cref="FhirPathException">There is no such type.</exception>
    public static void Check(TypeSpecifier type, int position)
    {
        if (!TypeModel.Exists(type))
        {
            throw new FhirPathException(FhirPathFault.Semantic, $"There is no type {type}", position);
        }
    }

    public static FhirPathCollection TestType(FhirPathCollection items, TypeSpecifier type, int position) => items.Count switch
    {
        0 => default,
        1 => new(BooleanItem.For(TypeModel.Is(items[0], type))),
        var count => throw new FhirPathException(FhirPathFault.Execution, $"'is' asks about one item; here are {count}", position),
    };

    public static FhirPathCollection As(Frame frame, FhirPathCollection items, TypeSpecifier type, int position) =>
        items.Count > 1 && frame.Run.Context.IsAsForOne
            ? throw new FhirPathException(FhirPathFault.Execution, $"'as' is for one item; here are {items.Count}", position)
            : type.Namespace == "System" ? KeepType(frame, Values(frame, items), type)
            : KeepType(frame, items, type);

    /// <summary>Primitives as the values that they hold: <c>as</c> may name either of their types (R4 section 2.9.1.3).</summary>
    static FhirPathCollection Values(Frame frame, FhirPathCollection items)
    {
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in items)
        {
            into.Add(item is ElementItem { IsPrimitive: true, System: { } value } ? value : item);
        }
        return into.Build();
    }

    public static FhirPathCollection KeepType(Frame frame, FhirPathCollection items, TypeSpecifier type)
    {
        frame.Run.Spend(1 + items.Count);
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in items)
        {
            if (TypeModel.IsKept(item, type))
            {
                into.Add(item);
            }
        }
        return into.Build();
    }

    static Evaluator Operator(OperatorSyntax syntax)
    {
        var (name, position) = (syntax.Name, syntax.Position);
        var (left, right) = (Compile(syntax.Left), Compile(syntax.Right));
        if (name is "and" or "or" or "xor" or "implies")
        {
            return Logic.Compile(name, left, right, position);
        }
        Func<Evaluation, FhirPathCollection, FhirPathCollection, FhirPathCollection> apply = name switch
        {
            "=" => (run, a, b) => Result(Equality.AreEqual(run, a, b)),
            "!=" => (run, a, b) => Result(!Equality.AreEqual(run, a, b)),
            "~" => (run, a, b) => Result(Equality.AreEquivalent(run, a, b)),
            "!~" => (run, a, b) => Result(!Equality.AreEquivalent(run, a, b)),
            "|" => (run, a, b) => ItemSet.Union(run, a, b),
            "<" or ">" or "<=" or ">=" => (_, a, b) => Ordered(name, a, b, position),
            "in" => (run, a, b) => Membership(run, a, b, position),
            "contains" => (run, a, b) => Membership(run, b, a, position),
            "&" => (run, a, b) => Arithmetic.Concatenate(run, a, b, position),
            _ => (run, a, b) => a.IsEmpty || b.IsEmpty ? default : Arithmetic.Calculate(run, name, a, b, position),
        };
        return (frame, _) =>
        {
            var a = Operand(left, frame);
            var b = Operand(right, frame);
            frame.Run.Position = position;
            frame.Run.Spend();
            frame.Run.SpendOn(a);
            frame.Run.SpendOn(b);
            return apply(frame.Run, a, b);
        };
    }

    static FhirPathCollection Ordered(string name, FhirPathCollection a, FhirPathCollection b, int position)
    {
        var order = Comparison.Compare(a, b, name, position);
        return order is null ? default : Result(name switch { "<" => order < 0, ">" => order > 0, "<=" => order <= 0, _ => order >= 0 });
    }

    static FhirPathCollection Membership(Evaluation run, FhirPathCollection item, FhirPathCollection collection, int position) => item.Count switch
    {
        0 => default,
        1 => Result(Equality.Contains(run, collection, item[0])),
        var count => throw new FhirPathException(FhirPathFault.Execution, $"One item is looked for; here are {count}", position),
    };

    public static FhirPathCollection Result(bool? value) => value is { } known ? new(BooleanItem.For(known)) : default;
}

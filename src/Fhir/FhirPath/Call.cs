namespace Salus.Fhir.FhirPath;

/// <summary>What a function does.</summary>
/// <param name="call">The place it is called from, with its arguments.</param>
/// <param name="frame">What is in scope there.</param>
/// <param name="input">What it is called on.</param>
delegate FhirPathCollection Function(Call call, Frame frame, FhirPathCollection input);

/// <summary>A function called in an expression.</summary>
sealed class Call
{
    readonly Evaluator[] _arguments;

    Call(CallSyntax syntax, Evaluator[] arguments)
    {
        (Name, Position, _arguments) = (syntax.Name, syntax.Position, arguments);
        Literal = syntax.Arguments.Count > 0 && syntax.Arguments[0] is LiteralSyntax { Value: StringItem text } ? text.Value : null;
    }

    public string Name { get; }

    public int Position { get; }

    public int Count => _arguments.Length;

    /// <summary>The first argument where it is a string that stands in the expression.</summary>
    public string? Literal { get; }

    /// <summary>What a function made of its literal arguments once, such as a regular expression.</summary>
    public object? Prepared { get; set; }

    /// <summary>For <c>sort</c>: which keys go from high to low.</summary>
    public bool[] Descending { get; private init; } = [];

    /// <summary>For <c>is</c>, <c>as</c>, <c>ofType</c> and <c>getReferenceKey</c>.</summary>
    public TypeSpecifier Type { get; private init; }

    public static Evaluator Compile(CallSyntax syntax)
    {
        if (FunctionTable.Find(syntax.Name) is not { } definition)
        {
            throw new FhirPathException(FhirPathFault.Semantic, $"There is no function {syntax.Name}()", syntax.Position);
        }
        if (syntax.Arguments.Count < definition.CountMin || syntax.Arguments.Count > definition.CountMax)
        {
            var count = definition.CountMin == definition.CountMax ? $"{definition.CountMin}" : $"{definition.CountMin} to {definition.CountMax}";
            throw new FhirPathException(FhirPathFault.Semantic, $"{syntax.Name}() takes {count} arguments; here are {syntax.Arguments.Count}", syntax.Position);
        }
        var call = Of(syntax);
        var function = definition.Function;
        return (frame, input) =>
        {
            frame.Run.Position = call.Position;
            frame.Run.Spend(1 + (input.Count >> 2));
            frame.Run.SpendOn(input);
            return function(call, frame, input);
        };
    }

    static Call Of(CallSyntax syntax)
    {
        if (syntax.Name is "is" or "as" or "ofType")
        {
            var type = TypeOf(syntax.Arguments[0]);
            Compiler.Check(type, syntax.Arguments[0].Position);
            return new(syntax, []) { Type = type };
        }
        if (syntax.Name == "getReferenceKey" && syntax.Arguments is [var target])
        {
            return new(syntax, []) { Type = target is LiteralSyntax { Value: StringItem name } ? new(null, name.Value) : TypeOf(target) };
        }
        if (syntax.Name != "sort")
        {
            return new(syntax, [.. syntax.Arguments.Select(Compiler.Compile)]);
        }
        var isDescending = syntax.Arguments.Select(key => key is SignSyntax { IsNegative: true }).ToArray();
        return new(syntax, [.. syntax.Arguments.Select(key => Compiler.Compile(key is SignSyntax { IsNegative: true } sign ? sign.Operand : key))]) { Descending = isDescending };
    }

    static TypeSpecifier TypeOf(Syntax argument) => argument switch
    {
        MemberSyntax member => new(null, member.Name),
        PathSyntax { Left: MemberSyntax space, Right: MemberSyntax member } => new(space.Name, member.Name),
        _ => throw new FhirPathException(FhirPathFault.Semantic, "A type is a name such as Quantity or System.Quantity", argument.Position),
    };

    public FhirPathException Fail(string message) => new(FhirPathFault.Execution, $"{Name}() {message}", Position);

    /// <summary>An argument that is a value: evaluated where the function stands, not on its input.</summary>
    public FhirPathCollection Argument(Frame frame, int index)
    {
        var items = Compiler.Operand(_arguments[index], frame);
        frame.Run.SpendOn(items);
        return items;
    }

    /// <summary>An argument that is an expression, for one item of the input.</summary>
    public FhirPathCollection Each(Frame inner, FhirPathItem item, int position, int argument = 0)
    {
        inner.Run.Spend();
        inner.This = new(item);
        inner.Index = position;
        return Compiler.Operand(_arguments[argument], inner);
    }

    /// <summary>An argument that is an expression, for the whole input.</summary>
    public FhirPathCollection On(Frame frame, FhirPathCollection input, int argument)
    {
        var inner = frame.Inner();
        inner.This = input;
        return _arguments[argument](inner, input);
    }

    /// <summary>A criterion for one item of the input.</summary>
    public bool? Test(Frame inner, FhirPathItem item, int position) => Logic.Truth(Each(inner, item, position), Position);

    /// <summary>A string argument; null when it is empty.</summary>
    public string? Text(Frame frame, int index)
    {
        var items = Argument(frame, index);
        return items.IsEmpty ? null : items.OnlyItem?.Text ?? throw Fail($"takes one string as its argument; here is {Described(items)}");
    }

    /// <summary>An integer argument; null when it is empty.</summary>
    public int? Integer(Frame frame, int index)
    {
        var items = Argument(frame, index);
        if (items.IsEmpty)
        {
            return null;
        }
        return items.OnlyItem?.System is IntegerItem integer ? integer.Value : throw Fail($"takes one integer as its argument; here is {Described(items)}");
    }

    /// <summary>The input as one string; null when it is empty.</summary>
    public string? Text(FhirPathCollection input)
    {
        if (input.IsEmpty || input.OnlyItem is ElementItem { IsPrimitive: true, System: null })
        {
            return null;
        }
        return input.OnlyItem?.Text ?? throw Fail($"is for one string; here is {Described(input)}");
    }

    /// <summary>The only item of the input; null when it is empty.</summary>
    public FhirPathItem? Single(FhirPathCollection input) =>
        input.IsEmpty ? null : input.OnlyItem ?? throw Fail($"is for one item; here is {Described(input)}");

    static string Described(FhirPathCollection items) => items.Count == 1 ? items[0].TypeName : $"a collection of {items.Count}";
}

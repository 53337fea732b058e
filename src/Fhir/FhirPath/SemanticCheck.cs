using Salus.Fhir.Definitions;

namespace Salus.Fhir.FhirPath;

/// <summary>Follows the types through an expression, as far as they are known, and refuses what cannot be.</summary>
sealed class SemanticCheck
{
    static readonly HashSet<string> KeepsType =
        ["where", "first", "last", "tail", "skip", "take", "single", "distinct", "trace", "defineVariable", "exclude", "intersect", "sort", "repeat"];

    static readonly HashSet<string> NeedsOrder = ["first", "last", "tail", "skip", "take"];

    static readonly HashSet<string> GivesBoolean =
        ["empty", "exists", "all", "not", "allTrue", "anyTrue", "allFalse", "anyFalse", "subsetOf", "supersetOf", "isDistinct", "is", "startsWith", "endsWith", "contains", "matches", "hasValue"];

    readonly Types _context;
    readonly bool _isStrict;

    SemanticCheck(Types context, bool isStrict) => (_context, _isStrict) = (context, isStrict);

    /// <summary>What an expression may give: FHIR types and whether it has an order; null types for what is not known.</summary>
    sealed record Types(IReadOnlyList<TypeDefinition>? Known, string? System = null, bool IsUnordered = false)
    {
        public static Types Unknown { get; } = new((IReadOnlyList<TypeDefinition>?)null);
    }

    /// <exception cref="FhirPathException">The expression cannot mean anything on that type.</exception>
    public static void Check(Syntax syntax, string contextType)
    {
        var context = TypeModel.Type(contextType) is { } type ? new Types([type]) : Types.Unknown;
        new SemanticCheck(context, true).Follow(syntax, context, true);
    }

    /// <summary>Follows only the types that the expression itself names with <c>as</c> and <c>ofType</c>.</summary>
    /// <exception cref="FhirPathException">One of them has no such member.</exception>
    public static void Check(Syntax syntax) => new SemanticCheck(Types.Unknown, false).Follow(syntax, Types.Unknown, true);

    Types Follow(Syntax syntax, Types focus, bool isStart = false)
    {
        switch (syntax)
        {
            case LiteralSyntax literal:
                return new(null, literal.Value?.TypeName);
            case VariableSyntax { Name: "context" or "resource" }:
                return _context;
            case ScopeSyntax { Name: "this" }:
                return focus;
            case MemberSyntax member:
                return Member(member, focus, isStart);
            case PathSyntax path:
                return path.Right is CallSyntax function
                    ? CallOn(function, Follow(path.Left, focus, isStart), focus)
                    : Follow(path.Right, Follow(path.Left, focus, isStart));
            case CallSyntax call:
                return CallOn(call, focus, focus);
            case IndexSyntax index:
                var items = Follow(index.Left, focus, isStart);
                Follow(index.Index, focus, true);
                return Ordered(items, "An index", index.Position);
            case SignSyntax sign:
                Follow(sign.Operand, focus, true);
                return Types.Unknown;
            case TypeSyntax type:
                Follow(type.Left, focus, true);
                return type.IsTest ? new(null, "Boolean") : Of(type.Type);
            case OperatorSyntax operation:
                return Operator(operation, Follow(operation.Left, focus, true), Follow(operation.Right, focus, true));
            default:
                return Types.Unknown;
        }
    }

    static Types Operator(OperatorSyntax operation, Types left, Types right)
    {
        if (operation.Name != "|")
        {
            return operation.Name is "+" or "-" or "*" or "/" or "div" or "mod" or "&" ? Types.Unknown : new(null, "Boolean");
        }
        return left.Known is null || right.Known is null ? Types.Unknown : new([.. left.Known, .. right.Known]);
    }

    static Types Member(MemberSyntax member, Types focus, bool isStart)
    {
        if (focus.Known is not { } known)
        {
            return Types.Unknown;
        }
        if (isStart && known.Any(type => TypeModel.Descends(type, member.Name)))
        {
            return focus;
        }
        var found = known.SelectMany(type => TypeModel.MemberOf(type, member.Name)?.Types ?? []).Distinct().ToList();
        if (found.Count == 0 && !known.Any(type => type.IsAbstract))
        {
            throw new FhirPathException(
                FhirPathFault.Semantic, $"{string.Join(" and ", known.Select(type => type.Name).Distinct())} has no '{member.Name}'", member.Position);
        }
        var types = found.Select(TypeModel.Type).OfType<TypeDefinition>().ToList();
        return found.Count == 0 || types.Any(type => type.IsAbstract) ? Types.Unknown : new(types);
    }

    Types CallOn(CallSyntax call, Types input, Types outer)
    {
        if (NeedsOrder.Contains(call.Name))
        {
            Ordered(input, $"{call.Name}()", call.Position);
        }
        switch (call.Name)
        {
            case "is":
                return new(null, "Boolean");
            case "as" or "ofType":
                return call.Arguments[0] is MemberSyntax type ? Of(new(null, type.Name)) : Types.Unknown;
            case "getResourceKey" or "getReferenceKey":
                return new(null, "String");
            case "children" or "descendants":
                return Types.Unknown with { IsUnordered = true };
            case "iif" when _isStrict && Follow(call.Arguments[0], input, true) is { System: { } system } && system != "Boolean":
                throw new FhirPathException(FhirPathFault.Semantic, $"iif() takes a Boolean as its criterion; here is {system}", call.Arguments[0].Position);
            case "extension" when _isStrict:
                return TypeModel.Type("Extension") is { } extension ? new([extension]) : Types.Unknown;
        }
        var isLambda = call.Name is "where" or "select" or "all" or "exists" or "repeat" or "repeatAll" or "sort" or "aggregate" or "iif" or "defineVariable";
        var results = call.Arguments.Select(argument => Follow(argument, isLambda ? input with { IsUnordered = false } : outer, true)).ToList();
        if (call.Name == "repeat" || call.Name == "defineVariable")
        {
            return call.Name == "repeat" ? Types.Unknown : input;
        }
        return call.Name == "select" ? results[0] : KeepsType.Contains(call.Name) ? input : GivesBoolean.Contains(call.Name) ? new(null, "Boolean") : Types.Unknown;
    }

    Types Ordered(Types items, string what, int position) => items.IsUnordered && _isStrict
        ? throw new FhirPathException(FhirPathFault.Semantic, $"{what} asks for an order, which children have none of", position)
        : items;

    static Types Of(TypeSpecifier type) => type.Namespace is null or "FHIR" && TypeModel.Type(type.Name) is { IsAbstract: false } known ? new([known]) : Types.Unknown;
}

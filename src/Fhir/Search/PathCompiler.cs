using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Salus.Fhir.Definitions;

namespace Salus.Fhir.Search;

/// <summary>Compiles the part of FHIRPath that R4's search parameters are written in.</summary>
sealed partial class PathCompiler
{
    readonly FhirDefinitions _definitions;
    readonly TypeDefinition _boolean;
    readonly string _resourceType;
    readonly List<string> _tokens;
    int _at;

    PathCompiler(FhirDefinitions definitions, string resourceType, string expression)
    {
        _definitions = definitions;
        _boolean = definitions.Type("boolean")!;
        _resourceType = resourceType;
        _tokens = [.. Tokens().Matches(expression).Select(match => match.Value)];
    }

    /// <summary>The compiled expression, as far as it concerns one resource type; false with a reason when it uses what is not known here.</summary>
    public static bool TryCompile(
        FhirDefinitions definitions, string resourceType, string expression, [NotNullWhen(true)] out PathNode? node, [NotNullWhen(false)] out string? reason)
    {
        var compiler = new PathCompiler(definitions, resourceType, expression);
        node = compiler.Union();
        reason = compiler._at < compiler._tokens.Count ? $"'{compiler._tokens[compiler._at]}' is not understood" : null;
        if (node is null || reason is not null)
        {
            node = null;
            reason ??= "the expression ends too early or names a function not known here";
            return false;
        }
        return true;
    }

    string Peek => _at < _tokens.Count ? _tokens[_at] : "";

    bool Take(string token)
    {
        if (Peek != token)
        {
            return false;
        }
        _at++;
        return true;
    }

    PathNode? Union()
    {
        var parts = new List<PathNode>();
        do
        {
            if (Conjunction() is not { } part)
            {
                return null;
            }
            if (part is not NothingNode)
            {
                parts.Add(part);
            }
        }
        while (Take("|"));
        return parts.Count == 1 ? parts[0] : new UnionNode(parts);
    }

    PathNode? Conjunction()
    {
        var left = Comparison();
        while (left is not null && Take("and"))
        {
            var right = Comparison();
            left = right is null ? null : left is NothingNode || right is NothingNode ? NothingNode.Instance : new AndNode(left, right, _boolean);
        }
        return left;
    }

    PathNode? Comparison()
    {
        var left = Path();
        if (left is not null && Peek is "=" or "!=")
        {
            var negated = Take("!=") || !Take("=");
            var literal = _at < _tokens.Count ? _tokens[_at++].Trim('\'') : null;
            return literal is null ? null : left is NothingNode ? left : new EqualsNode(left!, literal, negated, _boolean);
        }
        if (left is not null && Take("as"))
        {
            return _at < _tokens.Count ? Wrap(left, inner => new AsNode(inner, _tokens[_at++])) ?? Skip() : null;
        }
        return left;
    }

    NothingNode Skip()
    {
        _at++;
        return NothingNode.Instance;
    }

    PathNode? Path()
    {
        var node = Head();
        while (node is not null)
        {
            if (Take("["))
            {
                var position = int.Parse(_tokens[_at++]);
                node = Take("]") ? Wrap(node, inner => new PositionNode(inner, position)) ?? node : null;
            }
            else if (Take("."))
            {
                node = Step(node);
            }
            else
            {
                break;
            }
        }
        return node;
    }

    PathNode? Head()
    {
        if (Take("("))
        {
            var inner = Union();
            return inner is not null && Take(")") ? inner : null;
        }
        if (Peek.Length > 0 && char.IsAsciiLetterUpper(Peek[0]))
        {
            return IsA(_tokens[_at++]) ? new FocusNode() : NothingNode.Instance;
        }
        return Peek.Length > 0 && char.IsAsciiLetterLower(Peek[0]) ? Step(new FocusNode()) : null;
    }

    PathNode? Step(PathNode source)
    {
        if (Peek.Length == 0 || !char.IsAsciiLetter(Peek[0]))
        {
            return null;
        }
        var name = _tokens[_at++];
        if (!Take("("))
        {
            return Wrap(source, inner => new MemberNode(inner, name, _definitions)) ?? source;
        }
        switch (name)
        {
            case "where":
                var condition = Union();
                return condition is not null && Take(")") ? Wrap(source, inner => new WhereNode(inner, condition)) ?? source : null;
            case "as" or "ofType" when _at + 1 < _tokens.Count:
                var type = _tokens[_at++];
                return Take(")") ? Wrap(source, inner => new AsNode(inner, type)) ?? source : null;
            case "exists" when Take(")"):
                return Wrap(source, inner => new ExistsNode(inner, _boolean)) ?? source;
            case "resolve" when Take(")") && Take("is") && _at < _tokens.Count:
                return new RefersToNode(source, _tokens[_at++], _boolean);
            case "extension" or "hasExtension" when _at + 1 < _tokens.Count:
                var url = _tokens[_at++].Trim('\'');
                var found = new ExtensionNode(source, url, _definitions.Type("Extension")!);
                return !Take(")") ? null : source is NothingNode ? source : name == "extension" ? found : new ExistsNode(found, _boolean);
            default:
                return null;
        }
    }

    /// <summary>Null when the source concerns another resource type, so that nothing is built on it.</summary>
    static PathNode? Wrap(PathNode source, Func<PathNode, PathNode> build) => source is NothingNode ? null : build(source);

    bool IsA(string name)
    {
        for (var type = _definitions.Type(_resourceType); type is not null; type = type.Parent is null ? null : _definitions.Type(type.Parent))
        {
            if (type.Name == name)
            {
                return true;
            }
        }
        return false;
    }

    [GeneratedRegex(@"'[^']*'|[A-Za-z_]\w*|\d+|!=|[^\s\w]")]
    private static partial Regex Tokens();

    /// <summary>A branch for another resource type.</summary>
    sealed class NothingNode : PathNode
    {
        public static NothingNode Instance { get; } = new();

        public override void Evaluate(PathItem focus, PathResults into)
        {
        }
    }
}

using System.Text;
using Salus.Fhir.Bundles;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>The shape of literal references (R4 section 2.3.0).</summary>
static class References
{
    /// <summary>Checks a Reference's text, whether a fragment leads anywhere, and whether its type is one the element may point to.</summary>
    public static void Check(ValidationRun run, Element reference, IReadOnlyList<string> targets, Element owner)
    {
        var literal = reference["reference"u8];
        var stated = reference["type"u8];
        if (stated.Kind == ElementKind.Text && targets.Count > 0 && run.Definitions.Resource(stated.Raw) is { } named && !targets.Contains(named.Name))
        {
            run.Add(stated, "invalid", $"The reference is said to be to a {named.Name}; it may be to {string.Join(", ", targets)}.");
        }
        if (literal.Kind != ElementKind.Text || literal.Raw.IsEmpty)
        {
            return;
        }
        if (literal.Raw.StartsWith("urn:"u8))
        {
            CheckUrn(run, literal, targets, owner);
            return;
        }
        var text = literal.IsEscaped ? Encoding.UTF8.GetBytes(literal.Text!) : literal.Raw;
        if (text[0] == '#')
        {
            CheckFragment(run, literal, text[1..], targets, owner);
            return;
        }
        var isAbsolute = text.IndexOf("://"u8) > 0;
        if (run.Options.RequiresTargets && !isAbsolute && run.Scope.Resolve(literal.Text!, literal, owner).IsMissing)
        {
            run.Add(literal, "not-found", $"'{ValidationRun.Short(literal)}' leads to nothing in this text.");
        }
        if (!isAbsolute && IsConditional(text))
        {
            return;
        }
        var type = TargetType(text, isAbsolute, run.Definitions);
        if (type is null && !isAbsolute)
        {
            run.Add(literal, "value", $"'{literal.Text}' is not a reference: expected Type/id, an absolute URL, urn:uuid:…, or #id of a contained resource.");
        }
        else if (type is not null && stated.Kind == ElementKind.Text && stated.Raw.IndexOf((byte)':') < 0 && !stated.Is(Encoding.UTF8.GetBytes(type.Name)))
        {
            run.Add(stated, "invalid", $"The reference is said to be to a {ValidationRun.Short(stated)}, but it names a {type.Name}.");
        }
        else if (type is not null && targets.Count > 0 && !targets.Contains(type.Name))
        {
            run.Add(literal, "invalid", $"This reference is to a {type.Name}; it may be to {string.Join(", ", targets)}.");
        }
    }

    /// <summary>A urn tells no type; what it leads to in the same text does.</summary>
    static void CheckUrn(ValidationRun run, Element literal, IReadOnlyList<string> targets, Element owner)
    {
        if (!run.Scope.IsBundle)
        {
            return;
        }
        var target = run.Scope.Resolve(literal.Text!, literal, owner);
        if (target["resourceType"u8].Text is { } type && targets.Count > 0 && !targets.Contains(type))
        {
            run.Add(literal, "invalid", $"This reference is to a {type}; it may be to {string.Join(", ", targets)}.");
        }
    }

    static bool IsConditional(ReadOnlySpan<byte> text) => text.Contains((byte)'?') && BundleReferences.IsConditional(Encoding.UTF8.GetString(text));

    static void CheckFragment(ValidationRun run, Element literal, ReadOnlySpan<byte> id, IReadOnlyList<string> targets, Element owner)
    {
        if (id.IsEmpty)
        {
            return;
        }
        foreach (var contained in owner["contained"u8].Items)
        {
            if (contained["id"u8].Is(id))
            {
                if (targets.Count > 0 && contained["resourceType"u8].Text is { } type && !targets.Contains(type))
                {
                    run.Add(literal, "invalid", $"This reference is to a {type}; it may be to {string.Join(", ", targets)}.");
                }
                return;
            }
        }
        run.Add(literal, "not-found", $"No contained resource has the id '{Encoding.UTF8.GetString(id)}'.");
    }

    /// <summary>The type a reference names: of <c>Type/id</c>, or the last such pair of an absolute URL; with or without a version.</summary>
    static TypeDefinition? TargetType(ReadOnlySpan<byte> text, bool isAbsolute, FhirDefinitions definitions)
    {
        var history = text.IndexOf("/_history/"u8);
        if (history > 0)
        {
            if (!Primitives.IsId(text[(history + 10)..]))
            {
                return null;
            }
            text = text[..history];
        }
        var slash = text.LastIndexOf((byte)'/');
        if (slash <= 0 || !Primitives.IsId(text[(slash + 1)..]))
        {
            return null;
        }
        var before = text[..slash];
        return definitions.Resource(isAbsolute ? before[(before.LastIndexOf((byte)'/') + 1)..] : before);
    }
}

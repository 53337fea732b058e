using Salus.Fhir.Elements;

namespace Salus.Fhir.FhirPath;

/// <summary>The functions that FHIR adds (R4 section 2.9.1).</summary>
static class ResourceFunctions
{
    const string TypeUrl = "http://hl7.org/fhir/StructureDefinition/";

    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("extension", 1, 1, Extension);
        add("hasExtension", 1, 1, (call, frame, input) => Compiler.Result(!Extension(call, frame, input).IsEmpty));
        add("hasValue", 0, 0, (_, _, input) => Compiler.Result(ValueOf(input) is not null));
        add("getValue", 0, 0, (_, _, input) => ValueOf(input) is { } value ? new(value) : default);
        add("resolve", 0, 0, Resolve);
        add("memberOf", 1, 1, MemberOf);
        add("conformsTo", 1, 1, ConformsTo);
        add("htmlChecks", 0, 0, (_, _, input) => input.OnlyItem is ElementItem { Type.Name: "xhtml" } html ? Compiler.Result(Narratives.IsAllowed(html.Text ?? "")) : default);
        add("checkModifiers", 0, 16, CheckModifiers);
        add("subsumes", 1, 1, (call, frame, input) => Subsumption(call, frame, input, isBelow: false));
        add("subsumedBy", 1, 1, (call, frame, input) => Subsumption(call, frame, input, isBelow: true));
    }

    static FhirPathItem? ValueOf(FhirPathCollection input) => input.OnlyItem is ElementItem { IsPrimitive: true } item ? item.System : null;

    static FhirPathCollection Extension(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Text(frame, 0) is not { } url)
        {
            return default;
        }
        var type = TypeModel.Type("Extension")!;
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in input)
        {
            frame.Run.Spend();
            foreach (var extension in (item is ElementItem { IsPrimitive: true } ? item.Shadow : item.Element)["extension"u8].Items)
            {
                if (extension["url"u8].Text == url)
                {
                    into.Add(new ElementItem(extension, default, type));
                }
            }
        }
        return into.Build();
    }

    static FhirPathCollection Resolve(Call call, Frame frame, FhirPathCollection input)
    {
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in input)
        {
            frame.Run.Spend();
            var reference = item.Text ?? item.Element["reference"u8].Text;
            if (reference is not null && Find(frame.Run, reference) is { } found)
            {
                into.Add(found);
            }
        }
        return into.Build();
    }

    static FhirPathItem? Find(Evaluation run, string reference)
    {
        var root = run.RootResource.Element;
        if (reference.StartsWith('#'))
        {
            return reference.Length == 1 ? run.RootResource : Contained(run, root, reference[1..]);
        }
        foreach (var entry in root["resourceType"u8].Is("Bundle"u8) ? root["entry"u8].Items : default)
        {
            run.Spend();
            if (entry["fullUrl"u8].Text is { } url && entry["resource"u8] is { Kind: ElementKind.Complex } resource
                && (url == reference || url.EndsWith("/" + reference, StringComparison.Ordinal)))
            {
                return TypeModel.ResourceItem(resource);
            }
        }
        return run.Context.Resolve?.Invoke(reference);
    }

    static ElementItem? Contained(Evaluation run, Element root, string id)
    {
        foreach (var contained in root["contained"u8].Items)
        {
            run.Spend();
            if (contained["id"u8].Text == id)
            {
                return TypeModel.ResourceItem(contained);
            }
        }
        return null;
    }

    static FhirPathCollection MemberOf(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Single(input) is not { } coded || call.Text(frame, 0) is not { } valueSet)
        {
            return default;
        }
        if (frame.Run.Context.Terminology is not { } terminology)
        {
            throw call.Fail("needs a terminology, of which there is none here");
        }
        return Compiler.Result(terminology.IsMember(coded, valueSet) ?? throw call.Fail($"cannot tell what the value set {valueSet} holds"));
    }

    /// <summary>The input, where it has no modifying extensions but those named.</summary>
    static FhirPathCollection CheckModifiers(Call call, Frame frame, FhirPathCollection input)
    {
        var known = Enumerable.Range(0, call.Count).SelectMany(index => call.Argument(frame, index)).Select(url => url.Text).ToHashSet();
        foreach (var item in input)
        {
            frame.Run.Spend();
            foreach (var extension in item.Element["modifierExtension"u8].Items)
            {
                if (extension["url"u8].Text is not { } url || !known.Contains(url))
                {
                    throw call.Fail($"finds the modifying extension {extension["url"u8].Text}");
                }
            }
        }
        return input;
    }

    /// <summary>Whether a concept of the input is one of the argument's or stands over it; or under it.</summary>
    static FhirPathCollection Subsumption(Call call, Frame frame, FhirPathCollection input, bool isBelow)
    {
        var argument = call.Argument(frame, 0);
        if (call.Single(input) is not { } own || call.Single(argument) is not { } given)
        {
            return default;
        }
        bool? answer = false;
        foreach (var one in Codings(call, own))
        {
            foreach (var other in Codings(call, given))
            {
                frame.Run.Spend();
                var (above, below) = isBelow ? (other, one) : (one, other);
                switch (one == other ? true : Subsumes(call, frame.Run, above, below))
                {
                    case true:
                        return Compiler.Result(true);
                    case null:
                        answer = null;
                        break;
                }
            }
        }
        return answer is null ? throw call.Fail("does not know how these codes stand to each other") : Compiler.Result(false);
    }

    static bool? Subsumes(Call call, Evaluation run, (string? System, string? Code) above, (string? System, string? Code) below)
    {
        if (run.Context.Terminology is not { } terminology)
        {
            throw call.Fail("needs a terminology, of which there is none here");
        }
        return above.System is not null && above.System == below.System && above.Code is not null && below.Code is not null
            ? terminology.Subsumes(above.System, above.Code, below.Code)
            : null;
    }

    static IEnumerable<(string? System, string? Code)> Codings(Call call, FhirPathItem item)
    {
        var codings = item.TypeName switch
        {
            "Coding" => new Element[] { item.Element },
            "CodeableConcept" => Each(item.Element["coding"u8].Items),
            _ => throw call.Fail($"is for a Coding or a CodeableConcept; here is {item.TypeName}"),
        };
        return codings.Select(coding => (coding["system"u8].Text, coding["code"u8].Text));
    }

    static Element[] Each(ElementList items)
    {
        List<Element> all = [];
        foreach (var item in items)
        {
            all.Add(item);
        }
        return [.. all];
    }

    /// <summary>A base type's definition is met by what is of that type; other profiles are for the validator.</summary>
    static FhirPathCollection ConformsTo(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Single(input) is not { } item || call.Text(frame, 0) is not { } url)
        {
            return default;
        }
        if (url.StartsWith(TypeUrl, StringComparison.Ordinal) && TypeModel.Type(url[TypeUrl.Length..]) is { } type && !TypeModel.Is(item, new("FHIR", type.Name)))
        {
            return Compiler.Result(false);
        }
        if (frame.Run.Context.Profiles?.Conforms(item, url) is { } conforms)
        {
            return Compiler.Result(conforms);
        }
        return url.StartsWith(TypeUrl, StringComparison.Ordinal) && TypeModel.Type(url[TypeUrl.Length..]) is not null
            ? Compiler.Result(true)
            : throw call.Fail($"knows no profile {url}");
    }
}

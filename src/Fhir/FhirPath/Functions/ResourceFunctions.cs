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
        add("htmlChecks", 0, 0, (_, _, input) => Compiler.Result(input.All(item => Narratives.IsAllowed(item.Text ?? ""))));
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
        return Compiler.Result(terminology.IsMember(coded, valueSet));
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

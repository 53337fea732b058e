namespace Salus.Fhir.FhirPath;

/// <summary>The keys by which rows of views are joined (SQL on FHIR v2): a resource's logical id, and that id where a reference points to it.</summary>
static class KeyFunctions
{
    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("getResourceKey", 0, 0, (_, _, input) => Text(input.OnlyItem is { } item && IsResource(item) ? item.Element["id"u8].Text : null));
        add("getReferenceKey", 0, 1, ReferenceKey);
    }

    static FhirPathCollection Text(string? key) => key is null ? default : new(new StringItem(key));

    static bool IsResource(FhirPathItem item) => !item.Element["resourceType"u8].IsMissing;

    /// <summary>Of <c>Patient/7</c> or <c>Patient/7/_history/2</c> the id; of other references that of what they resolve to.</summary>
    static FhirPathCollection ReferenceKey(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Single(input) is not { } item || (item.Element["reference"u8].Text ?? item.Text) is not { } reference || reference.StartsWith('#'))
        {
            return default;
        }
        var wanted = call.Count == 0 && call.Type.Name is { } name ? name : null;
        var parts = reference.Split('/');
        if (parts.Length is 2 or 4 && TypeModel.Type(parts[0]) is not null && (parts.Length == 2 || parts[2] == "_history"))
        {
            return wanted is null || wanted == parts[0] ? Text(parts[1]) : default;
        }
        var found = frame.Run.Context.Resolve?.Invoke(reference);
        return found is not null && IsResource(found) && (wanted is null || found.TypeName == wanted) ? Text(found.Element["id"u8].Text) : default;
    }
}

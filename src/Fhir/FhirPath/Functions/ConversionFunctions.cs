namespace Salus.Fhir.FhirPath;

/// <summary>Conversion and types (FHIRPath sections 5.5 and 6.3, reflection in 10).</summary>
static class ConversionFunctions
{
    public static void AddTo(Action<string, int, int, Function> add)
    {
        foreach (var type in (string[])["Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time"])
        {
            add("to" + type, 0, 0, (call, _, input) => Converted(type, call.Single(input)));
            add("convertsTo" + type, 0, 0, (call, _, input) => call.Single(input) is { } item ? Compiler.Result(Conversion.To(type, item) is not null) : default);
        }
        add("toQuantity", 0, 1, (call, frame, input) => ToQuantity(call, frame, input) is { } quantity ? new(quantity) : default);
        add("convertsToQuantity", 0, 1, (call, frame, input) => input.IsEmpty ? default : Compiler.Result(ToQuantity(call, frame, input) is not null));
        add("type", 0, 0, Types);
        add("iif", 2, 3, Iif);
    }

    static FhirPathCollection Converted(string type, FhirPathItem? item) =>
        item is not null && Conversion.To(type, item) is { } value ? new(value) : default;

    static QuantityItem? ToQuantity(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Single(input) is not { } item || Conversion.To("Quantity", item) is not QuantityItem quantity)
        {
            return null;
        }
        return call.Count == 0 ? quantity : call.Text(frame, 0) is { } unit ? Conversion.InUnit(quantity, unit) : null;
    }

    static FhirPathCollection Types(Call call, Frame frame, FhirPathCollection input)
    {
        var into = new FhirPathCollection.Builder(frame.Run);
        foreach (var item in input)
        {
            var parent = item is ElementItem element ? TypeModel.ParentOf(element.Type) : "Any";
            into.Add(new TypeInfoItem(item.TypeNamespace, item.TypeName, parent is null ? "System.Any" : $"{item.TypeNamespace}.{parent}"));
        }
        return into.Build();
    }

    /// <summary>Only the branch that is chosen is evaluated.</summary>
    static FhirPathCollection Iif(Call call, Frame frame, FhirPathCollection input)
    {
        if (input.Count > 1)
        {
            throw call.Fail($"is for one item; here are {input.Count}");
        }
        var inner = frame.Inner();
        inner.This = input.IsEmpty ? default : input;
        var criterion = Logic.Truth(call.On(inner, inner.This, 0), call.Position);
        if (criterion == true)
        {
            return call.On(frame, input, 1);
        }
        return call.Count > 2 ? call.On(frame, input, 2) : default;
    }
}

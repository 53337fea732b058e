namespace Salus.Fhir.FhirPath;

/// <summary>Utilities and aggregation (FHIRPath sections 5.9 and 7).</summary>
static class UtilityFunctions
{
    const int TracedItemsMax = 20;
    const int TracedCharactersMax = 2_000;

    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("trace", 1, 2, Trace);
        add("now", 0, 0, (_, frame, _) => new(new TemporalItem(Temporal.Now(frame.Run.Now))));
        add("today", 0, 0, (_, frame, _) => new(new TemporalItem(new(TemporalKind.Date, frame.Run.Now.Date, TemporalPrecision.Day))));
        add("timeOfDay", 0, 0, (_, frame, _) =>
            new(new TemporalItem(Temporal.Now(frame.Run.Now) with { Kind = TemporalKind.Time, Start = new DateTime(1, 1, 1) + Temporal.Now(frame.Run.Now).Start.TimeOfDay, Offset = null })));
        add("aggregate", 1, 2, Aggregate);
        add("defineVariable", 1, 2, Define);
        add("coalesce", 1, 16, Coalesce);
    }

    static FhirPathCollection Trace(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Text(frame, 0) is not { } name)
        {
            throw call.Fail("takes the name that it is told under");
        }
        if (frame.Run.Context.Trace is { } trace)
        {
            var inner = frame.Inner();
            var shown = input.Take(TracedItemsMax).Select((item, index) => call.Count > 1 ? call.Each(inner, item, index, 1).ToString() : item.ToString());
            var text = string.Join(", ", shown);
            trace(name, text.Length <= TracedCharactersMax ? text : text[..TracedCharactersMax] + "…");
        }
        return input;
    }

    static FhirPathCollection Aggregate(Call call, Frame frame, FhirPathCollection input)
    {
        var inner = frame.Inner();
        inner.Total = call.Count > 1 ? call.Argument(frame, 1) : FhirPathCollection.Empty;
        for (var index = 0; index < input.Count; index++)
        {
            inner.Total = call.Each(inner, input[index], index);
        }
        return inner.Total.Value;
    }

    /// <summary>The rest of the path sees the variable; what stands beside or around it does not.</summary>
    static FhirPathCollection Define(Call call, Frame frame, FhirPathCollection input)
    {
        var name = call.Text(frame, 0) ?? throw call.Fail("takes the variable's name");
        var isTaken = Compiler.IsReserved(name) || frame.Run.Context.Variables.ContainsKey(name);
        for (var variable = frame.Variables; variable is not null && !isTaken; variable = variable.Outer)
        {
            isTaken = variable.Name == name;
        }
        if (isTaken)
        {
            throw call.Fail($"cannot give %{name} another value");
        }
        frame.Variables = new(name, call.Count > 1 ? call.On(frame, input, 1) : input, frame.Variables);
        return input;
    }

    static FhirPathCollection Coalesce(Call call, Frame frame, FhirPathCollection input)
    {
        for (var index = 0; index < call.Count; index++)
        {
            if (call.Argument(frame, index) is { IsEmpty: false } found)
            {
                return found;
            }
        }
        return default;
    }
}

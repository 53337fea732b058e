namespace Salus.Fhir.FhirPath;

/// <summary>Existence (FHIRPath section 5.1).</summary>
static class ExistenceFunctions
{
    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("empty", 0, 0, (_, _, input) => Compiler.Result(input.IsEmpty));
        add("exists", 0, 1, Exists);
        add("all", 1, 1, All);
        add("not", 0, 0, (call, _, input) => Compiler.Result(!Logic.Truth(input, call.Position)));
        add("allTrue", 0, 0, (call, _, input) => Compiler.Result(!Any(call, input, false)));
        add("anyTrue", 0, 0, (call, _, input) => Compiler.Result(Any(call, input, true)));
        add("allFalse", 0, 0, (call, _, input) => Compiler.Result(!Any(call, input, true)));
        add("anyFalse", 0, 0, (call, _, input) => Compiler.Result(Any(call, input, false)));
        add("subsetOf", 1, 1, (call, frame, input) => Subset(frame, input, call.Argument(frame, 0)));
        add("supersetOf", 1, 1, (call, frame, input) => Subset(frame, call.Argument(frame, 0), input));
        add("count", 0, 0, (_, _, input) => new(new IntegerItem(input.Count)));
        add("distinct", 0, 0, (_, frame, input) => ItemSet.Union(frame.Run, input, default));
        add("isDistinct", 0, 0, (_, frame, input) => Compiler.Result(ItemSet.Union(frame.Run, input, default).Count == input.Count));
    }

    static FhirPathCollection Exists(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Count == 0)
        {
            return Compiler.Result(!input.IsEmpty);
        }
        var inner = frame.Inner();
        for (var index = 0; index < input.Count; index++)
        {
            if (call.Test(inner, input[index], index) == true)
            {
                return Compiler.Result(true);
            }
        }
        return Compiler.Result(false);
    }

    static FhirPathCollection All(Call call, Frame frame, FhirPathCollection input)
    {
        var inner = frame.Inner();
        for (var index = 0; index < input.Count; index++)
        {
            if (call.Test(inner, input[index], index) != true)
            {
                return Compiler.Result(false);
            }
        }
        return Compiler.Result(true);
    }

    static bool Any(Call call, FhirPathCollection input, bool sought)
    {
        var found = false;
        foreach (var item in input)
        {
            found |= (item.Boolean ?? throw call.Fail($"is for booleans; here is {item.TypeName}")) == sought;
        }
        return found;
    }

    static FhirPathCollection Subset(Frame frame, FhirPathCollection part, FhirPathCollection whole)
    {
        var set = ItemSet.Of(frame.Run, whole);
        foreach (var item in part)
        {
            if (!set.Contains(item))
            {
                return Compiler.Result(false);
            }
        }
        return Compiler.Result(true);
    }
}

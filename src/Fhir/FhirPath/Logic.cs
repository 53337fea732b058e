namespace Salus.Fhir.FhirPath;

/// <summary>The three-valued logic of FHIRPath, and what counts as true.</summary>
static class Logic
{
    public static Evaluator Compile(string name, Evaluator left, Evaluator right, int position) => name switch
    {
        "and" => (frame, _) => Truth(frame, left, position) switch
        {
            false => Compiler.Result(false),
            true => Compiler.Result(Truth(frame, right, position)),
            null => Compiler.Result(Truth(frame, right, position) == false ? false : null),
        },
        "or" => (frame, _) => Truth(frame, left, position) switch
        {
            true => Compiler.Result(true),
            false => Compiler.Result(Truth(frame, right, position)),
            null => Compiler.Result(Truth(frame, right, position) == true ? true : null),
        },
        "xor" => (frame, _) => Compiler.Result(Truth(frame, left, position) ^ Truth(frame, right, position)),
        _ => (frame, _) => Truth(frame, left, position) switch
        {
            false => Compiler.Result(true),
            true => Compiler.Result(Truth(frame, right, position)),
            null => Compiler.Result(Truth(frame, right, position) == true ? true : null),
        },
    };

    static bool? Truth(Frame frame, Evaluator operand, int position)
    {
        frame.Run.Spend();
        return Truth(Compiler.Operand(operand, frame), position);
    }

    /// <summary>A collection where a boolean is expected: a single item that is none counts as true (FHIRPath section 4.5).</summary>
    public static bool? Truth(FhirPathCollection items, int position)
    {
        if (items.OnlyItem is { } item)
        {
            return item switch
            {
                BooleanItem known => known.Value,
                ElementItem { Type.Name: "boolean" } element => element.Boolean,
                _ => true,
            };
        }
        return items.IsEmpty
            ? null
            : throw new FhirPathException(FhirPathFault.Execution, $"A boolean is expected; here are {items.Count} items", position);
    }
}

namespace Salus.Fhir.FhirPath;

/// <summary>A function and how many arguments it takes.</summary>
sealed record FunctionDefinition(int CountMin, int CountMax, Function Function);

/// <summary>All functions by their names.</summary>
static class FunctionTable
{
    static readonly Dictionary<string, FunctionDefinition> Functions = Build();

    public static FunctionDefinition? Find(string name) => Functions.GetValueOrDefault(name);

    static Dictionary<string, FunctionDefinition> Build()
    {
        var table = new Dictionary<string, FunctionDefinition>();
        void Add(string name, int min, int max, Function function) => table.Add(name, new(min, max, function));
        ExistenceFunctions.AddTo(Add);
        CollectionFunctions.AddTo(Add);
        ConversionFunctions.AddTo(Add);
        StringFunctions.AddTo(Add);
        TextCodeFunctions.AddTo(Add);
        MathFunctions.AddTo(Add);
        BoundaryFunctions.AddTo(Add);
        ComponentFunctions.AddTo(Add);
        UtilityFunctions.AddTo(Add);
        ResourceFunctions.AddTo(Add);
        KeyFunctions.AddTo(Add);
        return table;
    }
}

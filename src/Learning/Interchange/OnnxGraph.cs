namespace Salus.Learning.Interchange;

/// <summary>A graph in the schema of ONNX (onnx.proto): field numbers and type codes stand here and nowhere else.</summary>
sealed class OnnxGraph(string name)
{
    const int IrVersion = 8;
    const int OpsetVersion = 15;
    const int MlOpsetVersion = 3;

    /// <summary>The operator set of classical models.</summary>
    public const string Ml = "ai.onnx.ml";

    readonly List<ProtoWriter> nodes = [];
    readonly List<ProtoWriter> initializers = [];
    readonly List<ProtoWriter> inputs = [];
    readonly List<ProtoWriter> outputs = [];

    public enum Element
    {
        Float = 1,
        Int64 = 7,
    }

    public void Input(string value, Element element, int width) => inputs.Add(Value(value, element, width));

    /// <summary>An output of one row for each of the input's; without a width it is a plain list.</summary>
    public void Output(string value, Element element, int? width) => outputs.Add(Value(value, element, width));

    public void Constant(string value, IReadOnlyCollection<long> numbers)
    {
        var tensor = new ProtoWriter();
        tensor.Ints(1, [numbers.Count]);
        tensor.Int(2, (int)Element.Int64);
        tensor.Ints(7, numbers);
        tensor.String(8, value);
        initializers.Add(tensor);
    }

    public void Node(string operation, string domain, IEnumerable<string> from, IEnumerable<string> to, OnnxAttributes attributes)
    {
        var node = new ProtoWriter();
        foreach (var input in from)
            node.String(1, input);
        foreach (var output in to)
            node.String(2, output);
        node.String(4, operation);
        attributes.WriteTo(node);
        node.String(7, domain);
        nodes.Add(node);
    }

    public void Write(Stream stream, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var graph = new ProtoWriter();
        nodes.ForEach(node => graph.Message(1, node));
        graph.String(2, name);
        initializers.ForEach(tensor => graph.Message(5, tensor));
        inputs.ForEach(input => graph.Message(11, input));
        outputs.ForEach(output => graph.Message(12, output));
        var model = new ProtoWriter();
        model.Int(1, IrVersion);
        model.String(2, "salus");
        model.Message(7, graph);
        model.Message(8, Opset("", OpsetVersion));
        model.Message(8, Opset(Ml, MlOpsetVersion));
        foreach (var (key, value) in metadata)
        {
            var entry = new ProtoWriter();
            entry.String(1, key);
            entry.String(2, value);
            model.Message(14, entry);
        }
        model.CopyTo(stream);
    }

    static ProtoWriter Opset(string domain, int version)
    {
        var opset = new ProtoWriter();
        opset.String(1, domain);
        opset.Int(2, version);
        return opset;
    }

    static ProtoWriter Value(string value, Element element, int? width)
    {
        var shape = new ProtoWriter();
        var rows = new ProtoWriter();
        rows.String(2, "rows");
        shape.Message(1, rows);
        if (width is { } columns)
        {
            var dimension = new ProtoWriter();
            dimension.Int(1, columns);
            shape.Message(1, dimension);
        }
        var tensor = new ProtoWriter();
        tensor.Int(1, (int)element);
        tensor.Message(2, shape);
        var type = new ProtoWriter();
        type.Message(1, tensor);
        var info = new ProtoWriter();
        info.String(1, value);
        info.Message(2, type);
        return info;
    }
}

/// <summary>The attributes of one node.</summary>
sealed class OnnxAttributes
{
    const int Type = 20;

    readonly List<ProtoWriter> attributes = [];

    public OnnxAttributes Int(string name, long value) => Add(name, 2, attribute => attribute.Int(3, value));

    public OnnxAttributes Float(string name, float value) => Add(name, 1, attribute => attribute.Fixed(2, value));

    public OnnxAttributes String(string name, string value) => Add(name, 3, attribute => attribute.String(4, value));

    public OnnxAttributes Floats(string name, IReadOnlyCollection<float> values) => Add(name, 6, attribute => attribute.Floats(7, values));

    public OnnxAttributes Ints(string name, IEnumerable<long> values) => Add(name, 7, attribute => attribute.Ints(8, values));

    public OnnxAttributes Strings(string name, IEnumerable<string> values) => Add(name, 8, attribute =>
    {
        foreach (var value in values)
            attribute.String(9, value);
    });

    public void WriteTo(ProtoWriter node) => attributes.ForEach(attribute => node.Message(5, attribute));

    OnnxAttributes Add(string name, int type, Action<ProtoWriter> write)
    {
        var attribute = new ProtoWriter();
        attribute.String(1, name);
        write(attribute);
        attribute.Int(Type, type);
        attributes.Add(attribute);
        return this;
    }
}

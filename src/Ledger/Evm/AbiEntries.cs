using System.Globalization;
using System.Text.Json;

namespace Salus.Ledger.Evm;

/// <summary>A named parameter; an event's may be indexed.</summary>
public sealed record AbiParameter(string Name, AbiType Type, bool IsIndexed)
{
    internal static AbiParameter[] List(JsonElement entry, string member) =>
        entry.TryGetProperty(member, out var list) ? [.. list.EnumerateArray().Select(Read)] : [];

    static AbiParameter Read(JsonElement json) => new(
        json.GetProperty("name").GetString()!,
        AbiType.Parse(json),
        json.TryGetProperty("indexed", out var indexed) && indexed.GetBoolean());

    internal static string Signature(string name, IEnumerable<AbiParameter> parameters) =>
        $"{name}({string.Join(',', parameters.Select(parameter => parameter.Type.Name))})";

    internal static AbiType[] Types(IEnumerable<AbiParameter> parameters) => [.. parameters.Select(parameter => parameter.Type)];
}

/// <summary>A contract's function.</summary>
public sealed record AbiFunction(string Name, IReadOnlyList<AbiParameter> Inputs, IReadOnlyList<AbiParameter> Outputs)
{
    /// <summary>Length of a selector, in bytes.</summary>
    public const int SelectorBytes = 4;

    readonly byte[] selector = Keccak256.Hash(AbiParameter.Signature(Name, Inputs))[..SelectorBytes];

    /// <summary>The first four bytes of the hash of the signature.</summary>
    public ReadOnlyMemory<byte> Selector => selector;

    /// <summary>The calldata of a call.</summary>
    /// <exception cref="ArgumentException">A value does not fit its parameter.</exception>
    public byte[] Encode(params IReadOnlyList<object> values) => [.. selector, .. AbiEncoder.Encode(AbiParameter.Types(Inputs), values)];

    /// <summary>What the call returned, one value for each output.</summary>
    /// <exception cref="FormatException">Not that function's result.</exception>
    public object[] DecodeResult(ReadOnlySpan<byte> data) => AbiDecoder.Decode(AbiParameter.Types(Outputs), data);
}

/// <summary>A contract's event.</summary>
public sealed record AbiEvent(string Name, IReadOnlyList<AbiParameter> Inputs)
{
    readonly byte[] topic = Keccak256.Hash(AbiParameter.Signature(Name, Inputs));

    /// <summary>The hash of the signature: the log's first topic.</summary>
    public ReadOnlyMemory<byte> Topic => topic;

    /// <summary>
    /// The event's values in the order of its declaration; null where the log is of another event. An indexed value of
    /// dynamic type is given as its hash, which is all that the log holds.
    /// </summary>
    /// <exception cref="FormatException">The log has this event's topic and not its shape.</exception>
    public object[]? TryDecode(EventLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        if (log.Topics.Count == 0 || !log.Topics[0].AsSpan().SequenceEqual(topic))
            return null;
        if (log.Topics.Count != 1 + Inputs.Count(input => input.IsIndexed))
            throw new FormatException($"A log of {Name} has {log.Topics.Count} topics.");
        var data = AbiDecoder.Decode(AbiParameter.Types(Inputs.Where(input => !input.IsIndexed)), log.Data);
        var (nextTopic, nextData) = (1, 0);
        return [.. Inputs.Select(input => input.IsIndexed ? Indexed(input.Type, log.Topics[nextTopic++]) : data[nextData++])];
    }

    static object Indexed(AbiType type, byte[] topic) =>
        type.IsDynamic || type is AbiType.Array or AbiType.Tuple ? topic : AbiDecoder.Decode([type], topic)[0];
}

/// <summary>A contract's custom error.</summary>
public sealed record AbiError(string Name, IReadOnlyList<AbiParameter> Inputs)
{
    readonly byte[] selector = Keccak256.Hash(AbiParameter.Signature(Name, Inputs))[..AbiFunction.SelectorBytes];

    /// <summary>The error that revert data spells; null where it is another.</summary>
    public RevertReason? TryDecode(ReadOnlySpan<byte> revertData)
    {
        if (!revertData.StartsWith(selector))
            return null;
        try
        {
            return new RevertReason(this, AbiDecoder.Decode(AbiParameter.Types(Inputs), revertData[selector.Length..]));
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

/// <summary>Why a contract reverted. Prints as "StaleSize(expected: 4, given: 3)".</summary>
public sealed record RevertReason(AbiError Error, IReadOnlyList<object> Values)
{
    /// <summary>The error's name.</summary>
    public string Name => Error.Name;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Error.Name}({string.Join(", ", Error.Inputs.Zip(Values, (input, value) => input.Name.Length == 0 ? Text(value) : $"{input.Name}: {Text(value)}"))})";

    static string Text(object value) => value switch
    {
        byte[] bytes => Hex.Of(bytes),
        bool flag => flag ? "true" : "false",
        object[] list => $"[{string.Join(", ", list.Select(Text))}]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}

using System.Globalization;
using System.Text.Json;

namespace Salus.Ledger.Evm;

/// <summary>
/// A type of the Solidity contract ABI. Values are: BigInteger (or any integer when encoding) for numbers,
/// <see cref="Evm.Address"/>, bool, byte[] for bytes and bytesN, string, and object[] for arrays and tuples.
/// </summary>
public abstract record AbiType
{
    AbiType() { }

    /// <summary>The type's name as selectors spell it, tuples in parentheses.</summary>
    public abstract string Name { get; }

    /// <summary>Whether the value stands in the tail and only its offset in the head.</summary>
    public virtual bool IsDynamic => false;

    /// <summary>Length of the head, in bytes.</summary>
    internal virtual int HeadBytes => 32;

    /// <summary>uintN or intN.</summary>
    public sealed record Number(int Bits, bool IsSigned) : AbiType
    {
        /// <inheritdoc/>
        public override string Name => (IsSigned ? "int" : "uint") + Bits.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>address.</summary>
    public sealed record Account : AbiType
    {
        /// <inheritdoc/>
        public override string Name => "address";
    }

    /// <summary>bool.</summary>
    public sealed record Boolean : AbiType
    {
        /// <inheritdoc/>
        public override string Name => "bool";
    }

    /// <summary>bytesN, 1 to 32.</summary>
    public sealed record FixedBytes(int Length) : AbiType
    {
        /// <inheritdoc/>
        public override string Name => $"bytes{Length}";
    }

    /// <summary>bytes, or string (UTF-8).</summary>
    public sealed record Blob(bool IsText) : AbiType
    {
        /// <inheritdoc/>
        public override string Name => IsText ? "string" : "bytes";

        /// <inheritdoc/>
        public override bool IsDynamic => true;
    }

    /// <summary>T[] where <paramref name="Length"/> is null, else T[Length].</summary>
    public sealed record Array(AbiType Element, int? Length) : AbiType
    {
        /// <inheritdoc/>
        public override string Name => $"{Element.Name}[{Length}]";

        /// <inheritdoc/>
        public override bool IsDynamic => Length is null || Element.IsDynamic;

        internal override int HeadBytes => IsDynamic ? 32 : checked(Length!.Value * Element.HeadBytes);
    }

    /// <summary>A tuple: a Solidity struct, or a function's arguments.</summary>
    public sealed record Tuple(params IReadOnlyList<AbiType> Components) : AbiType
    {
        /// <inheritdoc/>
        public override string Name => $"({string.Join(',', Components.Select(component => component.Name))})";

        /// <inheritdoc/>
        public override bool IsDynamic => Components.Any(component => component.IsDynamic);

        internal override int HeadBytes => IsDynamic ? 32 : Components.Sum(component => component.HeadBytes);
    }

    /// <summary>Reads a type's name, tuples excepted.</summary>
    /// <exception cref="FormatException">Not a type of the ABI.</exception>
    public static AbiType Parse(string name) => Parse(name, []);

    /// <summary>Reads the type of one entry of an ABI's "inputs", "outputs" or "components".</summary>
    /// <exception cref="FormatException">Not a type of the ABI.</exception>
    public static AbiType Parse(JsonElement parameter)
    {
        var components = parameter.TryGetProperty("components", out var found)
            ? [.. found.EnumerateArray().Select(Parse)]
            : System.Array.Empty<AbiType>();
        return Parse(parameter.GetProperty("type").GetString()!, components);
    }

    static AbiType Parse(string name, AbiType[] components)
    {
        if (name.EndsWith(']'))
        {
            var open = name.LastIndexOf('[');
            if (open <= 0)
                throw new FormatException($"'{name}' is not an ABI type.");
            var length = name[(open + 1)..^1];
            return new Array(Parse(name[..open], components), length.Length == 0 ? null : NumberIn(length, 1, 65536, name));
        }
        return name switch
        {
            "address" => new Account(),
            "bool" => new Boolean(),
            "bytes" => new Blob(IsText: false),
            "string" => new Blob(IsText: true),
            "tuple" => new Tuple(components),
            "uint" or "int" => new Number(256, IsSigned: name == "int"),
            _ when name.StartsWith("uint", StringComparison.Ordinal) => new Number(WholeBytes(name[4..], name), IsSigned: false),
            _ when name.StartsWith("int", StringComparison.Ordinal) => new Number(WholeBytes(name[3..], name), IsSigned: true),
            _ when name.StartsWith("bytes", StringComparison.Ordinal) => new FixedBytes(NumberIn(name[5..], 1, 32, name)),
            _ => throw new FormatException($"'{name}' is not an ABI type."),
        };
    }

    static int WholeBytes(string digits, string name)
    {
        var bits = NumberIn(digits, 8, 256, name);
        return bits % 8 == 0 ? bits : throw new FormatException($"'{name}' is not an ABI type.");
    }

    static int NumberIn(string digits, int least, int most, string name) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most && digits[0] != '0'
            ? value
            : throw new FormatException($"'{name}' is not an ABI type.");
}

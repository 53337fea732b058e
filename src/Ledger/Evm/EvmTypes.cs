using System.Numerics;
using System.Text.Json;

namespace Salus.Ledger.Evm;

/// <summary>A block, as far as Salus reads it. Hashes are 32 bytes; the base fee is null before London.</summary>
public sealed record Block(
    ulong Number, byte[] Hash, byte[] ParentHash, ulong UnixTimeSeconds, ulong GasUsed, BigInteger? BaseFee, IReadOnlyList<byte[]> TransactionHashes)
{
    internal static Block Read(JsonElement json) => new(
        Hex.Quantity64(json.Text("number")),
        Hex.Data(json.Text("hash"), 32),
        Hex.Data(json.Text("parentHash"), 32),
        Hex.Quantity64(json.Text("timestamp")),
        Hex.Quantity64(json.Text("gasUsed")),
        json.OptionalText("baseFeePerGas") is { } fee ? Hex.Quantity(fee) : null,
        [.. json.Member("transactions").EnumerateArray().Select(hash => Hex.Data(hash.GetString(), 32))]);
}

/// <summary>An event that a contract emitted.</summary>
public sealed record EventLog(
    Address Address, IReadOnlyList<byte[]> Topics, byte[] Data, ulong BlockNumber, byte[] BlockHash, byte[] TransactionHash, ulong LogIndex, bool IsRemoved)
{
    const int TopicsMax = 4;

    internal static EventLog Read(JsonElement json)
    {
        byte[][] topics = [.. json.Member("topics").EnumerateArray().Select(topic => Hex.Data(topic.GetString(), 32))];
        return new EventLog(
            Address.Parse(json.Text("address")),
            topics.Length <= TopicsMax ? topics : throw new FormatException($"A log has {topics.Length} topics, more than {TopicsMax}."),
            Hex.Data(json.Text("data")),
            Hex.Quantity64(json.Text("blockNumber")),
            Hex.Data(json.Text("blockHash"), 32),
            Hex.Data(json.Text("transactionHash"), 32),
            Hex.Quantity64(json.Text("logIndex")),
            json.TryGetProperty("removed", out var removed) && removed.ValueKind == JsonValueKind.True);
    }
}

/// <summary>What became of a transaction that is in a block.</summary>
public sealed record Receipt(
    byte[] TransactionHash, bool Succeeded, ulong BlockNumber, byte[] BlockHash, ulong GasUsed, BigInteger EffectiveGasPrice, Address? ContractAddress, IReadOnlyList<EventLog> Logs)
{
    internal static Receipt Read(JsonElement json) => new(
        Hex.Data(json.Text("transactionHash"), 32),
        Hex.Quantity64(json.Text("status")) switch { 0 => false, 1 => true, var status => throw new FormatException($"A receipt's status is 0 or 1, not {status}.") },
        Hex.Quantity64(json.Text("blockNumber")),
        Hex.Data(json.Text("blockHash"), 32),
        Hex.Quantity64(json.Text("gasUsed")),
        json.OptionalText("effectiveGasPrice") is { } price ? Hex.Quantity(price) : 0,
        json.OptionalText("contractAddress") is { } created ? Address.Parse(created) : null,
        [.. json.Member("logs").EnumerateArray().Select(EventLog.Read)]);
}

/// <summary>Which logs to look for: contracts, blocks (both ends included), and for each topic place the values allowed (null: any).</summary>
public sealed record LogFilter(
    IReadOnlyList<Address> Addresses, ulong FromBlock, ulong ToBlock, IReadOnlyList<IReadOnlyList<byte[]>?>? Topics = null)
{
    internal object ToJson() => new
    {
        address = Addresses.Select(address => address.ToString()),
        fromBlock = Hex.Of(FromBlock),
        toBlock = Hex.Of(ToBlock),
        topics = (Topics ?? []).Select(choices => choices?.Select(topic => Hex.Of(topic))),
    };
}

/// <summary>A message call: a view's question, or a transaction to estimate.</summary>
public sealed record EvmCall(Address? To, ReadOnlyMemory<byte> Data, Address? From = null, BigInteger? Value = null)
{
    internal object ToJson()
    {
        var json = new Dictionary<string, string> { ["data"] = Hex.Of(Data.Span) };
        if (To is { } to)
            json["to"] = to.ToString();
        if (From is { } from)
            json["from"] = from.ToString();
        if (Value is { IsZero: false } value)
            json["value"] = Hex.Of(value);
        return json;
    }
}

/// <summary>Which state a question is asked of: the latest, the pending one, or that of a block.</summary>
public readonly record struct BlockTag
{
    readonly string? name;

    BlockTag(string name) => this.name = name;

    /// <summary>The newest block.</summary>
    public static BlockTag Latest => default;

    /// <summary>The newest block and what waits to follow it.</summary>
    public static BlockTag Pending => new("pending");

    /// <summary>The block of a number.</summary>
    public static BlockTag At(ulong number) => new(Hex.Of(number));

    /// <inheritdoc/>
    public override string ToString() => name ?? "latest";
}

static class JsonMembers
{
    public static JsonElement Member(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member)
            ? member
            : throw new FormatException($"The answer lacks '{name}'.");

    public static string Text(this JsonElement json, string name) =>
        json.OptionalText(name) ?? throw new FormatException($"The answer's '{name}' is missing or not text.");

    public static string? OptionalText(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
            ? member.GetString()
            : null;
}

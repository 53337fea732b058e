using System.Text.Json;

namespace Salus.Ledger.Evm;

/// <summary>Receipts as a block's trie holds them (EIP-2718): status, gas, bloom and logs in RLP, after the transaction's type.</summary>
public static class ReceiptEncoding
{
    const byte TypeMax = 0x7F;

    /// <summary>The encoding of a receipt's JSON.</summary>
    /// <exception cref="FormatException">A field is missing or malformed.</exception>
    public static byte[] Encode(JsonElement receipt)
    {
        var list = Rlp.Encode(new RlpItem.List(
            RlpItem.Of(Hex.Quantity(receipt.Text("status"))),
            RlpItem.Of(Hex.Quantity(receipt.Text("cumulativeGasUsed"))),
            RlpItem.Of(Hex.Data(receipt.Text("logsBloom"))),
            new RlpItem.List([.. receipt.Member("logs").EnumerateArray().Select(Log)])));
        var type = receipt.OptionalText("type") is { } text ? Hex.Quantity64(text) : 0;
        return type switch
        {
            0 => list,
            <= TypeMax => [(byte)type, .. list],
            _ => throw new FormatException($"A transaction's type is at most {TypeMax}, not {type}."),
        };
    }

    /// <summary>What a receipt says: whether the transaction succeeded, and its logs in order.</summary>
    /// <exception cref="FormatException">Not a receipt.</exception>
    public static (bool Succeeded, IReadOnlyList<ReceiptLog> Logs) Decode(ReadOnlySpan<byte> encoded)
    {
        if (!encoded.IsEmpty && encoded[0] <= TypeMax)
            encoded = encoded[1..];
        if (Rlp.Decode(encoded) is not RlpItem.List { Items: [RlpItem.Bytes status, RlpItem.Bytes, RlpItem.Bytes, RlpItem.List logs] })
            throw new FormatException("A receipt is a list of status, gas, bloom and logs.");
        return (status.Value is [1], [.. logs.Items.Select(Log)]);
    }

    static RlpItem.List Log(JsonElement log) => new(
        RlpItem.Of(Address.Parse(log.Text("address")).ToArray()),
        new RlpItem.List([.. log.Member("topics").EnumerateArray().Select(topic => RlpItem.Of(Hex.Data(topic.GetString(), Keccak256.Size)))]),
        RlpItem.Of(Hex.Data(log.Text("data"))));

    static ReceiptLog Log(RlpItem item) =>
        item is RlpItem.List { Items: [RlpItem.Bytes { Value.Length: Address.Size } address, RlpItem.List topics, RlpItem.Bytes data] }
            ? new ReceiptLog(new Address(address.Value), [.. topics.Items.Select(Topic)], data.Value)
            : throw new FormatException("A log is a list of address, topics and data.");

    static byte[] Topic(RlpItem item) =>
        item is RlpItem.Bytes { Value.Length: Keccak256.Size } topic ? topic.Value : throw new FormatException("A topic is 32 bytes long.");
}

/// <summary>An event as a receipt holds it, without its place on the chain.</summary>
public sealed record ReceiptLog(Address Address, IReadOnlyList<byte[]> Topics, byte[] Data);

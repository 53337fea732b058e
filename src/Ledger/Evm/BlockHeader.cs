using System.Numerics;
using System.Text.Json;

namespace Salus.Ledger.Evm;

/// <summary>A block's header by its RLP encoding, whose hash is the block's; of a QBFT block, without round and seals.</summary>
/// <remarks>Rebuilt from the fields of eth_getBlockByNumber, since few nodes give the encoding itself.</remarks>
public sealed record BlockHeader
{
    // In the order of the encoding; those of later forks are left out together with all that follow
    static readonly (string Name, bool IsQuantity)[] Fields =
    [
        ("parentHash", false), ("sha3Uncles", false), ("miner", false), ("stateRoot", false), ("transactionsRoot", false), ("receiptsRoot", false),
        ("logsBloom", false), ("difficulty", true), ("number", true), ("gasLimit", true), ("gasUsed", true), ("timestamp", true), ("extraData", false),
        ("mixHash", false), ("nonce", false), ("baseFeePerGas", true), ("withdrawalsRoot", false), ("blobGasUsed", true), ("excessBlobGas", true),
        ("parentBeaconBlockRoot", false), ("requestsHash", false),
    ];

    const int FirstOptional = 15;
    const int StateRootField = 3;
    const int ReceiptsRootField = 5;
    const int NumberField = 8;
    const int TimeField = 11;
    const int ExtraDataField = 12;
    const int MixHashField = 13;

    BlockHeader(byte[] encoded, IReadOnlyList<byte[]> fields)
    {
        Encoded = encoded;
        var qbft = QbftExtraData.TryRead(fields[MixHashField], fields[ExtraDataField]);
        Hash = qbft is null ? Keccak256.Hash(encoded) : HashWith(fields, qbft.ForHash());
        sealers = new Lazy<IReadOnlyList<Address>>(() => qbft is null ? [] : Sealers(HashWith(fields, qbft.ForSeals()), qbft.Seals));
        StateRoot = Root(fields[StateRootField]);
        ReceiptsRoot = Root(fields[ReceiptsRootField]);
        Number = Number64(fields[NumberField]);
        UnixTimeSeconds = Number64(fields[TimeField]);
    }

    readonly Lazy<IReadOnlyList<Address>> sealers;

    /// <summary>Who has sealed the block, each once: validators where consensus is QBFT, nobody elsewhere. Whether they are validators is not said here.</summary>
    public IReadOnlyList<Address> SealedBy => sealers.Value;

    /// <summary>The RLP encoding.</summary>
    public byte[] Encoded { get; }

    /// <summary>The block's hash.</summary>
    public byte[] Hash { get; }

    /// <summary>The root of the accounts' trie after this block.</summary>
    public byte[] StateRoot { get; }

    /// <summary>The root of the trie of this block's receipts.</summary>
    public byte[] ReceiptsRoot { get; }

    /// <summary>The block's number.</summary>
    public ulong Number { get; }

    /// <summary>The block's time.</summary>
    public ulong UnixTimeSeconds { get; }

    /// <summary>Reads a header's encoding.</summary>
    /// <exception cref="FormatException">Not a header.</exception>
    public static BlockHeader Decode(byte[] encoded)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        if (Rlp.Decode(encoded) is not RlpItem.List { Items.Count: >= FirstOptional } list)
            throw new FormatException($"A block's header is a list of at least {FirstOptional} fields.");
        return new BlockHeader(encoded, [.. list.Items.Select(item => item is RlpItem.Bytes bytes ? bytes.Value : throw new FormatException("A field of the header is a list."))]);
    }

    /// <summary>Builds the header from a block's JSON.</summary>
    /// <exception cref="FormatException">A field is missing, or the fields do not make the hash that the block is said to have.</exception>
    public static BlockHeader Read(JsonElement block)
    {
        var fields = new List<RlpItem>();
        foreach (var (name, isQuantity) in Fields)
        {
            var text = block.OptionalText(name);
            if (text is null && fields.Count >= FirstOptional)
                break;
            fields.Add(isQuantity ? RlpItem.Of(Hex.Quantity(text)) : RlpItem.Of(Hex.Data(text)));
        }
        var header = Decode(Rlp.Encode(new RlpItem.List([.. fields])));
        return header.Hash.AsSpan().SequenceEqual(Hex.Data(block.Text("hash"), Keccak256.Size))
            ? header
            : throw new FormatException($"The fields of block {header.Number} do not make its hash: the chain has a kind of header that is not known here.");
    }

    static byte[] HashWith(IReadOnlyList<byte[]> fields, byte[] extraData) =>
        Keccak256.Hash(Rlp.Encode(new RlpItem.List([.. fields.Select((field, i) => RlpItem.Of(i == ExtraDataField ? extraData : field))])));

    static List<Address> Sealers(byte[] hash, IReadOnlyList<RecoverableSignature> seals) => [.. seals.Select(seal => seal.Signer(hash)).OfType<Address>().Distinct()];

    static byte[] Root(byte[] field) => field.Length == Keccak256.Size ? field : throw new FormatException("A root in the header is not 32 bytes long.");

    static ulong Number64(byte[] field) =>
        field.Length <= sizeof(ulong) ? (ulong)new BigInteger(field, isUnsigned: true, isBigEndian: true) : throw new FormatException("A number in the header is too long.");
}

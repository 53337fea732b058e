using Salus.Ledger.Evm;

namespace Salus.Ledger.Evidence;

/// <summary>How evidence of an anchor is written: hashes and addresses in hexadecimal, RLP in base64.</summary>
sealed record AnchorEvidenceJson(
    ulong ChainId, string? Contract, string? Log, byte[]? Header, string? Transaction, int Index, byte[][]? Receipt, byte[][]? Account,
    byte[][]? SizeSlot, byte[][]? RootSlot)
{
    const int NodesMax = 65;

    public static AnchorEvidenceJson Of(AnchorEvidence anchor) => new(
        anchor.ChainId, anchor.Contract.ToString(), Hex.Of(anchor.Log), anchor.Header, Hex.Of(anchor.TransactionHash), anchor.TransactionIndex,
        [.. anchor.Receipt], [.. anchor.Account], [.. anchor.SizeSlot], [.. anchor.RootSlot]);

    public AnchorEvidence ToEvidence() => new(
        ChainId, Address.Parse(Contract), Hex.Data(Log, Keccak256.Size), Header ?? throw new FormatException("The header is missing."),
        Hex.Data(Transaction, Keccak256.Size), Index >= 0 ? Index : throw new FormatException("The transaction's index is negative."),
        Nodes(Receipt), Nodes(Account), Nodes(SizeSlot), Nodes(RootSlot));

    static byte[][] Nodes(byte[][]? nodes) =>
        nodes is { Length: <= NodesMax } && nodes.All(node => node is not null)
            ? nodes
            : throw new FormatException($"A proof's nodes are missing, or more than {NodesMax}.");
}

using System.Numerics;
using System.Text.Json;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Ledger.Evm.Tries;

namespace Salus.Ledger.Evidence;

/// <summary>
/// That a contract accepted a log's head, shown by one block of the chain: the receipt with its event, and the contract's storage after
/// that block. Whoever trusts the block's hash needs nothing else. Captured when the head is anchored, for nodes forget old states.
/// </summary>
/// <param name="ChainId">The chain that the block is said to be of; a header does not tell.</param>
/// <param name="Contract">The anchor contract.</param>
/// <param name="Log">The log's id there, 32 bytes.</param>
/// <param name="Header">The block's header in RLP.</param>
/// <param name="TransactionHash">The anchoring transaction, for who looks it up.</param>
/// <param name="TransactionIndex">Its place in the block.</param>
/// <param name="Receipt">The nodes that lead from the header's root of receipts to the receipt at that index.</param>
/// <param name="Account">The nodes that lead from the header's root of accounts to the contract.</param>
/// <param name="SizeSlot">The nodes that lead from the contract's root of storage to the slot with the head's owner, size and block.</param>
/// <param name="RootSlot">Those that lead to the slot with the head's root.</param>
public sealed record AnchorEvidence(
    ulong ChainId, Address Contract, byte[] Log, byte[] Header, byte[] TransactionHash, int TransactionIndex, IReadOnlyList<byte[]> Receipt,
    IReadOnlyList<byte[]> Account, IReadOnlyList<byte[]> SizeSlot, IReadOnlyList<byte[]> RootSlot)
{
    const int ReceiptsPerBatchMax = 100;

    /// <summary>Asks a node for the evidence of an anchoring transaction, and checks it before giving it.</summary>
    /// <exception cref="FormatException">The node's answers do not fit together, or the block is of a kind not known here.</exception>
    public static async Task<AnchorEvidence> CaptureAsync(
        EvmRpc rpc, ulong chainId, Address contract, byte[] log, Receipt receipt, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rpc);
        ArgumentNullException.ThrowIfNull(receipt);
        var slot = AnchorContract.HeadSlot(log);
        var number = Hex.Of(receipt.BlockNumber);
        var answers = await rpc.BatchAsync(
        [
            new RpcCall("eth_getBlockByHash", Hex.Of(receipt.BlockHash), false),
            new RpcCall("eth_getProof", contract.ToString(), new[] { Hex.Of(slot), Hex.Of(AnchorContract.Next(slot)) }, number),
        ], cancellationToken);
        var header = BlockHeader.Read(answers[0]);
        var all = await ReceiptsAsync(rpc, number, answers[0], cancellationToken);
        var receipts = PatriciaTrie.Of(all.Select((each, index) => (PatriciaTrie.IndexKey(index), ReceiptEncoding.Encode(each))));
        if (!receipts.Root.AsSpan().SequenceEqual(header.ReceiptsRoot))
            throw new FormatException($"The receipts of block {header.Number} do not make the root in its header.");
        var place = all.FindIndex(each => Hex.Data(each.Text("transactionHash"), Keccak256.Size).AsSpan().SequenceEqual(receipt.TransactionHash));
        if (place < 0)
            throw new FormatException($"Block {header.Number} no longer holds the anchoring transaction.");
        var storage = answers[1].Member("storageProof").EnumerateArray().Select(each => Nodes(each.Member("proof"))).ToList();
        if (storage is not [var size, var root])
            throw new FormatException("The node proved another number of storage slots than two.");
        var evidence = new AnchorEvidence(chainId, contract, log, header.Encoded, receipt.TransactionHash, place, receipts.Prove(PatriciaTrie.IndexKey(place)),
            Nodes(answers[1].Member("accountProof")), size, root);
        // A node that is asked while it makes the next block may prove that one's state.
        return evidence.Accepted(receipt) is { } head && evidence.Check((long)head.NewSize, head.NewRoot, out _) is { } fault
            ? throw new FormatException(fault.Reason)
            : evidence;
    }

    /// <summary>The event by which the contract took a head of the log.</summary>
    AnchorEvent.Anchored? Accepted(Receipt receipt) =>
        receipt.Logs.Where(log => log.Address == Contract).Select(AnchorContract.TryDecode).OfType<AnchorEvent.Anchored>().LastOrDefault(anchored => anchored.Log.AsSpan().SequenceEqual(Log));

    /// <summary>A block's receipts in their order; one by one where the node does not give them all at once.</summary>
    static async Task<List<JsonElement>> ReceiptsAsync(EvmRpc rpc, string number, JsonElement block, CancellationToken cancellationToken)
    {
        try
        {
            return await rpc.CallAsync("eth_getBlockReceipts", json => json.EnumerateArray().Select(each => each.Clone()).ToList(), cancellationToken, number);
        }
        catch (EvmRpcException)
        {
            var hashes = block.Member("transactions").EnumerateArray().Select(hash => hash.GetString()).ToList();
            List<JsonElement> receipts = [];
            foreach (var chunk in hashes.Chunk(ReceiptsPerBatchMax))
                receipts.AddRange(await rpc.BatchAsync([.. chunk.Select(hash => new RpcCall("eth_getTransactionReceipt", hash))], cancellationToken));
            return receipts;
        }
    }

    /// <summary>The evidence as JSON in UTF-8.</summary>
    public byte[] ToBytes() => StrictJson.Write(AnchorEvidenceJson.Of(this));

    /// <summary>Reads evidence.</summary>
    /// <exception cref="FormatException">Not evidence of an anchor.</exception>
    public static AnchorEvidence Read(ReadOnlySpan<byte> bytes) => StrictJson.Read<AnchorEvidenceJson>(bytes, ProofFile.BytesMax, "evidence of an anchor").ToEvidence();

    /// <summary>Whether the evidence shows that the contract accepted this head and held it after the block.</summary>
    /// <returns>Null when all of it holds; otherwise the first step that does not.</returns>
    public ProofFault? Check(long size, ReadOnlySpan<byte> root, out BlockHeader? header)
    {
        header = null;
        try
        {
            header = BlockHeader.Decode(Header);
            return CheckReceipt(header, size, root) ?? CheckState(header, size, root);
        }
        catch (FormatException malformed)
        {
            return new ProofFault(header is null ? ProofStep.Header : ProofStep.Receipt, malformed.Message);
        }
    }

    ProofFault? CheckReceipt(BlockHeader header, long size, ReadOnlySpan<byte> root)
    {
        if (!TrieProof.TryVerify(header.ReceiptsRoot, PatriciaTrie.IndexKey(TransactionIndex), Receipt, out var encoded) || encoded is null)
            return new ProofFault(ProofStep.Receipt, "The receipt does not lead to the root of receipts in the block's header.");
        var (succeeded, logs) = ReceiptEncoding.Decode(encoded);
        if (!succeeded)
            return new ProofFault(ProofStep.Receipt, "The receipt is of a transaction that failed.");
        foreach (var log in logs.Where(log => log.Address == Contract))
        {
            var entry = new EventLog(log.Address, log.Topics, log.Data, header.Number, header.Hash, TransactionHash, 0, false);
            if (AnchorContract.TryDecode(entry) is AnchorEvent.Anchored anchored && anchored.Log.AsSpan().SequenceEqual(Log)
                && anchored.NewSize == (ulong)size && anchored.NewRoot.AsSpan().SequenceEqual(root))
                return null;
        }
        return new ProofFault(ProofStep.Event, $"The receipt holds no event by which {Contract} accepted the head of size {size} with this root.");
    }

    ProofFault? CheckState(BlockHeader header, long size, ReadOnlySpan<byte> root)
    {
        if (!TrieProof.TryVerify(header.StateRoot, Keccak256.Hash(Contract.ToArray()), Account, out var account) || account is null)
            return new ProofFault(ProofStep.Account, "The contract's account does not lead to the root of accounts in the block's header.");
        if (Rlp.Decode(account) is not RlpItem.List { Items: [_, _, RlpItem.Bytes storageRoot, _] })
            return new ProofFault(ProofStep.Account, "The contract's account is not one.");
        var slot = AnchorContract.HeadSlot(Log);
        if (!TrySlot(storageRoot.Value, slot, SizeSlot, out var packed) || !TrySlot(storageRoot.Value, AnchorContract.Next(slot), RootSlot, out var held))
            return new ProofFault(ProofStep.Storage, "The contract's storage does not lead to the root in its account.");
        // A later head of the same block stands where this one stood.
        var heldSize = AnchorContract.SizeIn(packed);
        if (heldSize < (ulong)size)
            return new ProofFault(ProofStep.Storage, $"After the block the contract held a head of size {heldSize}, not {size}.");
        return heldSize > (ulong)size || held.AsSpan().SequenceEqual(root)
            ? null
            : new ProofFault(ProofStep.Storage, $"After the block the contract held another root at size {size}.");
    }

    static bool TrySlot(byte[] storageRoot, byte[] slot, IReadOnlyList<byte[]> proof, out byte[] word)
    {
        word = new byte[Keccak256.Size];
        if (!TrieProof.TryVerify(storageRoot, Keccak256.Hash(slot), proof, out var value))
            return false;
        if (value is null)
            return true;
        if (Rlp.Decode(value) is not RlpItem.Bytes { Value.Length: <= Keccak256.Size } number)
            return false;
        number.Value.CopyTo(word, word.Length - number.Value.Length);
        return true;
    }

    static byte[][] Nodes(JsonElement proof) => [.. proof.EnumerateArray().Select(node => Hex.Data(node.GetString()))];
}

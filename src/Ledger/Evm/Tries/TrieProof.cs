namespace Salus.Ledger.Evm.Tries;

/// <summary>Checks proofs from a trie's root: of eth_getProof (EIP-1186), or of a block's own tries.</summary>
public static class TrieProof
{
    const int NodesMax = 65;

    /// <summary>What stands under a key.</summary>
    /// <param name="root">The trie's root hash.</param>
    /// <param name="key">The key as the trie has it: hashed already where the trie hashes its keys.</param>
    /// <param name="proof">The nodes from the root on, each by its RLP encoding.</param>
    /// <param name="value">The value; null where the proof shows that the key is absent.</param>
    /// <returns>False where the nodes are no proof from this root.</returns>
    public static bool TryVerify(ReadOnlySpan<byte> root, ReadOnlySpan<byte> key, IReadOnlyList<byte[]> proof, out byte[]? value)
    {
        ArgumentNullException.ThrowIfNull(proof);
        value = null;
        try
        {
            return Walk(root, Nibbles.Of(key), proof, out value);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    static bool Walk(ReadOnlySpan<byte> root, byte[] path, IReadOnlyList<byte[]> proof, out byte[]? value)
    {
        value = null;
        if (proof.Count is 0 or > NodesMax || !Keccak256.Hash(proof[0]).AsSpan().SequenceEqual(root))
            return false;
        var (used, depth) = (1, 0);
        var node = Rlp.Decode(proof[0]);
        while (true)
        {
            var at = depth;
            if (TrieNode.Next(node, path, ref depth) is not { } next)
            {
                value = TrieNode.Value(node, path, at);
                return used == proof.Count;
            }
            if (next is RlpItem.Bytes hash)
            {
                if (used == proof.Count || hash.Value.Length != Keccak256.Size || !Keccak256.Hash(proof[used]).AsSpan().SequenceEqual(hash.Value))
                    return false;
                next = Rlp.Decode(proof[used++]);
            }
            node = next;
        }
    }
}

using System.Buffers.Binary;
using Salus.Ledger.Evm;
using Salus.Ledger.Evm.Tries;
using Xunit;

namespace Salus.Tests.Ledger;

public sealed class TrieTests
{
    // The yellow paper's own example, and go-ethereum's
    [Fact]
    public void Known_tries_have_their_known_roots()
    {
        Assert.Equal("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421", Hex.Of(PatriciaTrie.Of([]).Root));
        Assert.Equal("0x8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3", Hex.Of(PatriciaTrie.Of(
            [("doe"u8.ToArray(), "reindeer"u8.ToArray()), ("dog"u8.ToArray(), "puppy"u8.ToArray()), ("dogglesworth"u8.ToArray(), "cat"u8.ToArray())]).Root));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 40)]
    [InlineData(200, 3)]
    [InlineData(1000, 40)]
    public void Every_entry_is_proven_and_an_absent_key_is_proven_absent(int count, int valueBytes)
    {
        var entries = Enumerable.Range(0, count).Select(i => (Key: PatriciaTrie.IndexKey(i), Value: Value(i, valueBytes))).ToList();
        var trie = PatriciaTrie.Of(entries);
        foreach (var (key, value) in entries)
        {
            Assert.True(TrieProof.TryVerify(trie.Root, key, trie.Prove(key), out var proven));
            Assert.Equal(value, proven);
        }
        var absent = PatriciaTrie.IndexKey(count + 7);
        Assert.True(TrieProof.TryVerify(trie.Root, absent, trie.Prove(absent), out var nothing));
        Assert.Null(nothing);
    }

    [Fact]
    public void A_bent_proof_proves_nothing()
    {
        var entries = Enumerable.Range(0, 300).Select(i => (PatriciaTrie.IndexKey(i), Value(i, 50))).ToList();
        var trie = PatriciaTrie.Of(entries);
        var key = PatriciaTrie.IndexKey(131);
        var proof = trie.Prove(key);
        Assert.True(proof.Count >= 3);
        for (var node = 0; node < proof.Count; node++)
        {
            byte[][] bent = [.. proof.Select(each => (byte[])each.Clone())];
            bent[node][^1] ^= 1;
            Assert.False(TrieProof.TryVerify(trie.Root, key, bent, out _));
            Assert.False(TrieProof.TryVerify(trie.Root, key, [.. proof.Take(node)], out _));
        }
        Assert.False(TrieProof.TryVerify(trie.Root, key, [.. proof, proof[0]], out _));
        Assert.False(TrieProof.TryVerify(new byte[32], key, proof, out _));
        Assert.False(TrieProof.TryVerify(trie.Root, PatriciaTrie.IndexKey(130), proof, out var other) && other is not null && other.AsSpan().SequenceEqual(Value(131, 50)));
        Assert.False(TrieProof.TryVerify(trie.Root, key, [], out _));
    }

    static byte[] Value(int i, int length)
    {
        var value = new byte[Math.Max(length, sizeof(int))];
        BinaryPrimitives.WriteInt32BigEndian(value, i + 1);
        return value;
    }
}

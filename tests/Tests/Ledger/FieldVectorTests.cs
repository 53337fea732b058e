using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Salus.Ledger.Evm;
using Salus.Ledger.Evm.Tries;
using Salus.Ledger.Proofs;
using Xunit;

namespace Salus.Tests.Ledger;

[Trait("Data", "field")]
public sealed class FieldVectorTests
{
    static IEnumerable<(string Name, JsonElement Json)> Files(string folder, string pattern, int leastCount) =>
        FieldData.Files(folder, pattern, leastCount).Select(file => (Path.GetFileName(file), JsonDocument.Parse(File.ReadAllBytes(file)).RootElement));

    [Fact]
    public void Rlp_reads_and_writes_ethereums_vectors()
    {
        foreach (var (_, file) in Files("vectors/ethereum/RLPTests", "rlptest.json", 1))
        {
            foreach (var test in file.EnumerateObject())
            {
                var encoding = test.Value.GetProperty("out").GetString()!.ToLowerInvariant();
                Assert.Equal(encoding, Hex.Of(Rlp.Encode(Item(test.Value.GetProperty("in")))));
                Assert.Equal(encoding, Hex.Of(Rlp.Encode(Rlp.Decode(Hex.Data(encoding)))));
            }
        }
    }

    static RlpItem Item(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => new RlpItem.List([.. json.EnumerateArray().Select(Item)]),
        JsonValueKind.Number => RlpItem.Of(BigInteger.Parse(json.GetRawText())),
        _ when json.GetString()!.StartsWith('#') => RlpItem.Of(BigInteger.Parse(json.GetString()![1..])),
        _ => RlpItem.Of(System.Text.Encoding.UTF8.GetBytes(json.GetString()!)),
    };

    [Fact]
    public void Rlp_refuses_ethereums_invalid_vectors()
    {
        foreach (var (_, file) in Files("vectors/ethereum/RLPTests", "invalidRLPTest.json", 1))
        {
            foreach (var test in file.EnumerateObject())
            {
                var bytes = Convert.FromHexString(test.Value.GetProperty("out").GetString()!.Replace("0x", "", StringComparison.Ordinal));
                Assert.True(Refused(() => Rlp.Decode(bytes)), test.Name);
            }
        }
    }

    [Theory]
    [InlineData("trieanyorder.json", false)]
    [InlineData("trietest.json", false)]
    [InlineData("trieanyorder_secureTrie.json", true)]
    [InlineData("trietest_secureTrie.json", true)]
    [InlineData("hex_encoded_securetrie_test.json", true)]
    public void Tries_have_the_roots_of_ethereums_vectors_and_prove_their_entries(string vectors, bool hashesKeys)
    {
        foreach (var (_, file) in Files("vectors/ethereum/TrieTests", vectors, 1))
        {
            foreach (var test in file.EnumerateObject())
            {
                var entries = new Dictionary<string, (byte[] Key, byte[] Value)>();
                foreach (var (name, value) in Pairs(test.Value.GetProperty("in")))
                {
                    var key = hashesKeys ? Keccak256.Hash(Text(name)) : Text(name);
                    if (value is null)
                        entries.Remove(name);
                    else
                        entries[name] = (key, Text(value));
                }
                var trie = PatriciaTrie.Of(entries.Values);
                Assert.Equal(test.Value.GetProperty("root").GetString(), Hex.Of(trie.Root));
                foreach (var (key, value) in entries.Values)
                    Assert.True(TrieProof.TryVerify(trie.Root, key, trie.Prove(key), out var proven) && proven.AsSpan().SequenceEqual(value), test.Name);
            }
        }
    }

    static IEnumerable<(string Name, string? Value)> Pairs(JsonElement json) => json.ValueKind == JsonValueKind.Object
        ? json.EnumerateObject().Select(pair => (pair.Name, pair.Value.GetString()))
        : json.EnumerateArray().Select(pair => (pair[0].GetString()!, pair[1].GetString()));

    static byte[] Text(string text) => text.StartsWith("0x", StringComparison.Ordinal) ? Hex.Data(text) : System.Text.Encoding.UTF8.GetBytes(text);

    [Fact]
    public void Abi_encodes_and_decodes_ethereums_vectors()
    {
        foreach (var (_, file) in Files("vectors/ethereum/ABITests", "*.json", 1))
        {
            foreach (var test in file.EnumerateObject())
            {
                AbiType[] types = [.. test.Value.GetProperty("types").EnumerateArray().Select(type => AbiType.Parse(type.GetString()!))];
                object[] values = [.. types.Zip(test.Value.GetProperty("args").EnumerateArray(), Value)];
                var result = test.Value.GetProperty("result").GetString();
                Assert.Equal(result, Convert.ToHexStringLower(AbiEncoder.Encode(types, values)));
                Assert.Equal(result, Convert.ToHexStringLower(AbiEncoder.Encode(types, AbiDecoder.Decode(types, Convert.FromHexString(result!)))));
            }
        }
    }

    static object Value(AbiType type, JsonElement json) => type switch
    {
        AbiType.Number => BigInteger.Parse(json.GetRawText()),
        AbiType.Account => Address.Parse(json.GetString()),
        AbiType.Array array => json.EnumerateArray().Select(element => Value(array.Element, element)).ToArray(),
        _ => System.Text.Encoding.UTF8.GetBytes(json.GetString()!),
    };

    [Fact]
    public void Transactions_of_our_types_are_read_with_their_sender_and_malformed_ones_refused()
    {
        var (read, refused) = (0, 0);
        foreach (var (name, file) in Files("vectors/ethereum/TransactionTests", "*.json", 200))
        {
            foreach (var test in file.EnumerateObject())
            {
                var expected = test.Value.GetProperty("result").GetProperty("London");
                var raw = Convert.FromHexString(test.Value.GetProperty("txbytes").GetString()![2..]);
                if (expected.TryGetProperty("sender", out var sender))
                {
                    if (TryDecode(raw) is not { } decoded)
                        continue;
                    read++;
                    Assert.True(decoded.From == Address.Parse(sender.GetString()) && Hex.Of(decoded.Hash.Span) == expected.GetProperty("hash").GetString(), name);
                }
                else if (!IsAboutGasSchedule(expected.GetProperty("exception").GetString()!))
                {
                    refused++;
                    Assert.True(Refused(() => TransactionDecoder.Decode(raw)), $"{name}: {expected.GetProperty("exception")}");
                }
            }
        }
        Assert.True(read >= 1 && refused >= 100, $"{read} transactions were read and {refused} refused.");
    }

    // What execution costs is the chain's to judge, not a decoder's
    static bool IsAboutGasSchedule(string exception) =>
        exception.Contains("INTRINSIC", StringComparison.OrdinalIgnoreCase) || exception.Contains("INITCODE", StringComparison.OrdinalIgnoreCase)
        || exception.Contains("GASLIMIT_PRICE", StringComparison.OrdinalIgnoreCase) || exception.Contains("INVALID_CHAINID", StringComparison.OrdinalIgnoreCase);

    static SignedTransaction? TryDecode(byte[] raw)
    {
        try
        {
            return TransactionDecoder.Decode(raw);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    static bool Refused(Action act)
    {
        try
        {
            act();
            return false;
        }
        catch (FormatException)
        {
            return true;
        }
    }

    [Fact]
    public void Valid_secp256k1_signatures_recover_their_key_and_invalid_ones_do_not()
    {
        foreach (var (test, key, hash) in Wycheproof("ecdsa_secp256k1_sha256_bitcoin_test.json"))
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(key, out _);
            var point = ecdsa.ExportParameters(false).Q;
            var signer = new Address(Keccak256.Hash([.. point.X!, .. point.Y!]).AsSpan(12));
            var recovered = Numbers(test) is { } numbers
                && Enumerable.Range(0, 2).Any(parity => new RecoverableSignature(numbers.R, numbers.S, parity).Signer(hash) == signer);
            var (isValid, comment) = (test.GetProperty("result").GetString() == "valid", test.GetProperty("comment").GetString()!);
            // R's x above the order has no parity bit of its own and is never made by a signer here
            if (isValid && !recovered)
                Assert.Contains("k*G has a large x-coordinate", comment, StringComparison.Ordinal);
            else
                Assert.True(recovered == isValid, $"{test.GetProperty("tcId")}: {comment}");
        }
    }

    static IEnumerable<(JsonElement Test, byte[] Key, byte[] Hash)> Wycheproof(string file) =>
        from found in Files("vectors/wycheproof", file, 1)
        from testGroup in found.Json.GetProperty("testGroups").EnumerateArray()
        from test in testGroup.GetProperty("tests").EnumerateArray()
        select (test, Convert.FromHexString(testGroup.GetProperty("publicKeyDer").GetString()!), SHA256.HashData(Convert.FromHexString(test.GetProperty("msg").GetString()!)));

    static (BigInteger R, BigInteger S)? Numbers(JsonElement test)
    {
        try
        {
            var reader = new System.Formats.Asn1.AsnReader(Convert.FromHexString(test.GetProperty("sig").GetString()!), System.Formats.Asn1.AsnEncodingRules.DER);
            var sequence = reader.ReadSequence();
            var numbers = (sequence.ReadInteger(), sequence.ReadInteger());
            sequence.ThrowIfNotEmpty();
            reader.ThrowIfNotEmpty();
            return numbers;
        }
        catch (System.Formats.Asn1.AsnContentException)
        {
            return null;
        }
    }

    [Fact]
    public void P256_takes_valid_signatures_and_no_others()
    {
        foreach (var (test, key, hash) in Wycheproof("ecdsa_secp256r1_sha256_test.json"))
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(key, out _);
            var signature = Convert.FromHexString(test.GetProperty("sig").GetString()!);
            var accepted = P256Signature.Verify(ecdsa, hash, signature);
            Assert.True(accepted == (test.GetProperty("result").GetString() == "valid"), $"{test.GetProperty("tcId")}: {test.GetProperty("comment")}");
        }
    }
}

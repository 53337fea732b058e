using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Salus.Ledger.Evm;
using Salus.Ledger.Evm.Tries;

namespace Salus.Tests.Ledger;

/// <summary>Public vectors of keys, signed transactions, tries, and of the derivations and codes that the platform's own classes give.</summary>
[Trait("Data", "field")]
public sealed class FieldKeyVectorTests
{
    static JsonElement Json(string folder, string name) => JsonDocument.Parse(File.ReadAllBytes(FieldData.File(folder, name))).RootElement;

    static IEnumerable<(JsonElement Group, JsonElement Test)> Wycheproof(string name) =>
        from testGroup in Json("vectors/wycheproof", name).GetProperty("testGroups").EnumerateArray()
        from test in testGroup.GetProperty("tests").EnumerateArray()
        select (testGroup, test);

    [Fact]
    public void Keys_have_the_addresses_of_ethereums_vectors()
    {
        var tests = Json("vectors/ethereum/BasicTests", "keyaddrtest.json").EnumerateArray().ToList();
        Assert.NotEmpty(tests);
        foreach (var test in tests)
        {
            using var key = Secp256k1Key.FromPrivate(Bytes(test, "key"));
            Assert.Equal(Address.Parse("0x" + test.GetProperty("addr").GetString()), key.Address);
            Assert.Equal(Keccak256.Hash(System.Text.Encoding.UTF8.GetBytes(test.GetProperty("seed").GetString()!)), Bytes(test, "key"));
        }
    }

    // These are older than the rule that s is at most half the order: the other one of the pair is the same signature.
    static RecoverableSignature Low(BigInteger r, BigInteger s, int parity) =>
        s > Secp256k1.HalfN ? new RecoverableSignature(r, Secp256k1.N - s, 1 - parity) : new RecoverableSignature(r, s, parity);

    [Fact]
    public void Transactions_are_encoded_and_their_signers_recovered_as_in_ethereums_vectors()
    {
        var tests = Json("vectors/ethereum/BasicTests", "txtest.json").EnumerateArray().ToList();
        Assert.NotEmpty(tests);
        foreach (var test in tests)
        {
            RlpItem Number(string name) => RlpItem.Of(BigInteger.Parse(test.GetProperty(name).GetRawText()));
            RlpItem[] call = [Number("nonce"), Number("gasprice"), Number("startgas"), RlpItem.Of(Bytes(test, "to")), Number("value"), RlpItem.Of(Bytes(test, "data"))];
            Assert.Equal(test.GetProperty("unsigned").GetString(), Convert.ToHexStringLower(Rlp.Encode(new RlpItem.List([.. call, RlpItem.Of(0), RlpItem.Of(0), RlpItem.Of(0)]))));
            var signed = Assert.IsType<RlpItem.List>(Rlp.Decode(Bytes(test, "signed")));
            Assert.Equal(call.Select(Rlp.Encode), signed.Items.Take(call.Length).Select(Rlp.Encode));
            var numbers = signed.Items.Skip(call.Length).Select(item => new BigInteger(((RlpItem.Bytes)item).Value, isUnsigned: true, isBigEndian: true)).ToList();
            using var key = Secp256k1Key.FromPrivate(Bytes(test, "key"));
            Assert.Equal(key.Address, Low(numbers[1], numbers[2], (int)numbers[0] - 27).Signer(Keccak256.Hash(Rlp.Encode(new RlpItem.List([.. call])))));
        }
    }

    [Fact]
    public void Paths_of_nibbles_are_packed_and_unpacked_as_in_ethereums_vectors()
    {
        var tests = Json("vectors/ethereum/BasicTests", "hexencodetest.json").EnumerateObject().ToList();
        Assert.NotEmpty(tests);
        foreach (var test in tests)
        {
            byte[] nibbles = [.. test.Value.GetProperty("seq").EnumerateArray().Select(nibble => nibble.GetByte())];
            var isLeaf = test.Value.GetProperty("term").GetBoolean();
            var packed = Convert.FromHexString(test.Value.GetProperty("out").GetString()!);
            Assert.Equal(packed, Nibbles.Pack(nibbles, isLeaf));
            Assert.Equal(nibbles, Nibbles.Unpack(packed, out var wasLeaf));
            Assert.Equal(isLeaf, wasLeaf);
        }
    }

    [Fact]
    public void Random_rlp_that_is_valid_is_read_and_written_the_same()
    {
        foreach (var file in FieldData.Files("vectors/ethereum/RLPTests/RandomRLPTests", "*.json", 1))
        {
            foreach (var test in JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.EnumerateObject().Where(test => test.Value.GetProperty("in").GetString() == "VALID"))
            {
                var encoding = test.Value.GetProperty("out").GetString()!;
                Assert.Equal(encoding, Hex.Of(Rlp.Encode(Rlp.Decode(Hex.Data(encoding)))));
            }
        }
    }

    [Fact]
    public void Derived_keys_are_wycheproofs()
    {
        var (valid, invalid) = (0, 0);
        foreach (var (_, test) in Wycheproof("hkdf_sha256_test.json"))
        {
            byte[] Derive() => HKDF.DeriveKey(HashAlgorithmName.SHA256, Bytes(test, "ikm"), test.GetProperty("size").GetInt32(), Bytes(test, "salt"), Bytes(test, "info"));
            if (IsValid(test))
            {
                valid++;
                Assert.Equal(Bytes(test, "okm"), Derive());
            }
            else
            {
                invalid++;
                Assert.Throws<ArgumentOutOfRangeException>(Derive);
            }
        }
        Assert.True(valid >= 50 && invalid >= 1, $"{valid} valid and {invalid} invalid cases were found");
    }

    [Fact]
    public void Authentication_codes_are_wycheproofs()
    {
        var (valid, invalid) = (0, 0);
        foreach (var (testGroup, test) in Wycheproof("hmac_sha256_test.json"))
        {
            var bytes = testGroup.GetProperty("tagSize").GetInt32() / 8;
            var holds = CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(Bytes(test, "key"), Bytes(test, "msg")).AsSpan(0, bytes), Bytes(test, "tag"));
            Assert.True(holds == IsValid(test), $"{test.GetProperty("tcId")}: {test.GetProperty("comment")}");
            _ = holds ? valid++ : invalid++;
        }
        Assert.True(valid >= 50 && invalid >= 50, $"{valid} valid and {invalid} invalid cases were found");
    }

    static byte[] Bytes(JsonElement json, string name) => Convert.FromHexString(json.GetProperty(name).GetString()!);

    static bool IsValid(JsonElement test) => test.GetProperty("result").GetString() == "valid";
}

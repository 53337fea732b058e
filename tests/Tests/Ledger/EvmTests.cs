using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Xunit;

namespace Salus.Tests.Ledger;

public sealed class EvmTests
{
    [Theory]
    [InlineData("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")]
    [InlineData("abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "45d3b367a6904e6e8d502ee04999a7c27647f91fa845d456525fd352ae3d7371")]
    [InlineData("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", "f519747ed599024f3882238e5ab43960132572b7345fbeb9a90769dafd21ad67")]
    public void Keccak_256_gives_the_published_hashes(string text, string hash) =>
        Assert.Equal(hash, Convert.ToHexStringLower(Keccak256.Hash(text)));

    [Fact]
    public void Keccak_256_takes_a_million_bytes_and_whole_blocks()
    {
        Assert.Equal("fadae6b49f129bbb812be8407b7b2894f34aecf6dbd1f9b0f0c7e9853098fc96", Convert.ToHexStringLower(Keccak256.Hash(new string('a', 1_000_000))));
        Assert.NotEqual(Keccak256.Hash(new byte[135]), Keccak256.Hash(new byte[136]));
    }

    [Theory]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")]
    [InlineData("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")]
    [InlineData("0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb")]
    public void An_address_keeps_its_checksum(string text)
    {
        Assert.Equal(text, Address.Parse(text).ToString());
        Assert.Equal(text, Address.Parse(text.ToLowerInvariant()).ToString());
        var letter = text.AsSpan().LastIndexOfAnyInRange('A', 'F');
        var bent = text[..letter] + char.ToLowerInvariant(text[letter]) + text[(letter + 1)..];
        Assert.Throws<FormatException>(() => Address.Parse(bent));
        Assert.Throws<FormatException>(() => Address.Parse(text[..^2]));
    }

    [Theory]
    [InlineData("0x")]
    [InlineData("0x00")]
    [InlineData("0x01")]
    [InlineData("1")]
    [InlineData("0x-1")]
    [InlineData("0xg")]
    [InlineData("0x 1")]
    [InlineData("0x10000000000000000")]
    [InlineData(null)]
    public void A_quantity_that_is_not_written_as_one_is_refused(string? text) =>
        Assert.Throws<FormatException>(() => Hex.Quantity64(text));

    [Fact]
    public void A_quantity_is_read_and_written_without_leading_zeros()
    {
        Assert.Equal(ulong.MaxValue, Hex.Quantity64("0xffffffffffffffff"));
        Assert.Equal(0UL, Hex.Quantity64("0x0"));
        Assert.Equal("0x0", Hex.Of(BigInteger.Zero));
        Assert.Equal("0xff", Hex.Of(new BigInteger(255)));
    }

    [Fact]
    public void Rlp_gives_the_published_encodings_and_reads_them_back()
    {
        RlpItem cat = RlpItem.Of("cat"u8.ToArray()), dog = RlpItem.Of("dog"u8.ToArray());
        foreach (var (item, encoding) in new (RlpItem, string)[]
        {
            (dog, "83646f67"),
            (new RlpItem.List(cat, dog), "c88363617483646f67"),
            (RlpItem.Of(0), "80"),
            (RlpItem.Of(1024), "820400"),
            (RlpItem.Of(new byte[] { 0 }), "00"),
            (new RlpItem.List(new RlpItem.List(), new RlpItem.List(new RlpItem.List())), "c3c0c1c0"),
            (RlpItem.Of("Lorem ipsum dolor sit amet, consectetur adipisicing elit"u8.ToArray()), "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c6974"),
        })
        {
            Assert.Equal(encoding, Convert.ToHexStringLower(Rlp.Encode(item)));
            Assert.Equal(encoding, Convert.ToHexStringLower(Rlp.Encode(Rlp.Decode(Convert.FromHexString(encoding)))));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("8100")]
    [InlineData("817f")]
    [InlineData("b800")]
    [InlineData("b90001ff")]
    [InlineData("bfffffffffffffffff")]
    [InlineData("83646f")]
    [InlineData("83646f6700")]
    [InlineData("c583646f67")]
    [InlineData("f800")]
    public void Rlp_that_is_not_canonical_is_refused(string hex) =>
        Assert.Throws<FormatException>(() => Rlp.Decode(Convert.FromHexString(hex)));

    [Fact]
    public void Rlp_nested_without_end_is_refused_before_the_stack_is_used_up()
    {
        var nested = RlpItem.Of(0);
        for (var i = 0; i < 200; i++)
            nested = new RlpItem.List(nested);
        Assert.Throws<FormatException>(() => Rlp.Decode(Rlp.Encode(nested)));
    }

    [Fact]
    public void The_transaction_of_eip_155_is_signed_to_its_published_hash()
    {
        using var key = Secp256k1Key.FromPrivate(Enumerable.Repeat((byte)0x46, 32).ToArray());
        var transaction = new Transaction(1, 9, new GasPrice.Legacy(20_000_000_000), 21_000, Address.Parse("0x" + string.Concat(Enumerable.Repeat("35", 20))), BigInteger.Pow(10, 18), default);
        Assert.Equal("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53", Convert.ToHexStringLower(transaction.SigningHash()));
        const string published = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
        var decoded = TransactionDecoder.Decode(Convert.FromHexString(published));
        Assert.Equal(key.Address, decoded.From);
        Assert.Equal(published, Convert.ToHexStringLower(decoded.Raw.Span));
        Assert.Equal(transaction.SigningHash(), decoded.Transaction.SigningHash());
    }

    [Fact]
    public void A_signed_transaction_of_either_type_is_read_back_with_its_sender_and_no_bent_one_is()
    {
        using var key = Secp256k1Key.Create();
        foreach (var price in new GasPrice[] { new GasPrice.Legacy(7), new GasPrice.Dynamic(1, 9) })
        {
            var signed = new Transaction(31337, 3, price, 50_000, key.Address, 5, new byte[] { 1, 2, 3 }).Sign(key);
            var raw = signed.Raw.ToArray();
            var decoded = TransactionDecoder.Decode(raw);
            Assert.Equal(key.Address, decoded.From);
            Assert.Equal(raw, decoded.Raw.ToArray());
            Assert.Throws<FormatException>(() => TransactionDecoder.Decode(raw.AsSpan(0, raw.Length - 1)));
            raw[^40] ^= 1;
            Assert.NotEqual(key.Address, SenderOrNull(raw));
        }
    }

    static Address? SenderOrNull(byte[] raw)
    {
        try
        {
            return TransactionDecoder.Decode(raw).From;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    [Fact]
    public void Typed_data_hashes_to_the_words_of_eip_712()
    {
        var domain = new Eip712Domain("Ether Mail", "1", 1, Address.Parse("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"));
        Assert.Equal("f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f", Convert.ToHexStringLower(domain.Separator()));
        Assert.Equal("fc71e5fa27ff56c350aa531bc129ebdf613b772b6604664f5d8dbe21b85eb0c8",
            Convert.ToHexStringLower(Eip712.StructHash("Person(string name,address wallet)", "Cow", Address.Parse("0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"))));
    }

    [Fact]
    public void A_private_key_outside_the_group_is_refused()
    {
        Assert.Throws<CryptographicException>(() => Secp256k1Key.FromPrivate(new byte[32]));
        Assert.Throws<CryptographicException>(() => Secp256k1Key.FromPrivate(Convert.FromHexString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")));
        using var one = Secp256k1Key.FromPrivate(Convert.FromHexString("1".PadLeft(64, '0')));
        Assert.Equal("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", one.Address.ToString());
    }

    [Fact]
    public void A_signature_has_a_low_s_and_names_its_signer()
    {
        using var key = Secp256k1Key.Create();
        var half = BigInteger.Parse("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0", NumberStyles.AllowHexSpecifier);
        for (var i = 0; i < 16; i++)
        {
            var hash = SHA256.HashData([(byte)i]);
            var signature = key.Sign(hash);
            Assert.True(signature.S <= half);
            Assert.Equal(key.Address, signature.Signer(hash));
            Assert.NotEqual(key.Address, signature.Signer(SHA256.HashData(hash)));
            Assert.NotEqual(key.Address, (signature with { YParity = 1 - signature.YParity }).Signer(hash));
            Assert.Null((signature with { S = 2 * half + 1 - signature.S }).Signer(hash));
        }
    }

    [Fact]
    public void Gas_is_a_quarter_above_the_estimate_and_within_the_limit()
    {
        var policy = new FeePolicy();
        Assert.Equal(125_000UL, policy.Gas(100_000));
        Assert.Equal(16_777_216UL, policy.Gas(16_000_000));
        Assert.Throws<InvalidOperationException>(() => policy.Gas(16_777_217));
        Assert.IsType<GasPrice.Legacy>(policy.Price(null, 3));
        Assert.IsType<GasPrice.Legacy>(policy.Price(0, 3));
        Assert.Equal(1_000_000_014, Assert.IsType<GasPrice.Dynamic>(policy.Price(7, 3)).Max);
    }

    [Fact]
    public void An_assertion_counts_for_its_challenge_its_relying_party_and_its_key_alone()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (challenge, party) = (RandomNumberGenerator.GetBytes(32), WebAuthnAssertion.RelyingPartyIdHash("hospital.example"));
        var assertion = WebAuthnAssertion.Sign(key, "hospital.example", "https://hospital.example", challenge);
        Assert.True(assertion.Verify(key, party, challenge));
        Assert.False(assertion.Verify(other, party, challenge));
        Assert.False(assertion.Verify(key, WebAuthnAssertion.RelyingPartyIdHash("other.example"), challenge));
        Assert.False(assertion.Verify(key, party, RandomNumberGenerator.GetBytes(32)));
        byte[] unverified = [.. assertion.AuthenticatorData];
        unverified[32] = 1;
        Assert.False((assertion with { AuthenticatorData = unverified }).Verify(key, party, challenge));

        var der = key.SignData([.. assertion.AuthenticatorData, .. SHA256.HashData(assertion.ClientDataJson)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        Assert.True(WebAuthnAssertion.FromBrowser(assertion.AuthenticatorData, assertion.ClientDataJson, der, challenge).Verify(key, party, challenge));
        Assert.Throws<FormatException>(() => WebAuthnAssertion.FromBrowser(assertion.AuthenticatorData, assertion.ClientDataJson, der.AsSpan(1), challenge));
        Assert.Throws<FormatException>(() => WebAuthnAssertion.FromBrowser(assertion.AuthenticatorData, "{}"u8, der, challenge));
    }
}

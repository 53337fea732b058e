using System.Numerics;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Xunit;

namespace Salus.Tests.Ledger;

public sealed class AbiTests
{
    static string Hexed(byte[] bytes) => Convert.ToHexStringLower(bytes);

    static string Words(params string[] words) => string.Concat(words.Select(word => word.PadLeft(64, '0')));

    static string Right(string word) => word.PadRight(64, '0');

    // The worked examples of the Solidity ABI specification
    [Fact]
    public void The_specifications_examples_come_out_byte_for_byte()
    {
        var sam = new AbiFunction("sam", [Parameter("bytes"), Parameter("bool"), Parameter("uint256[]")], []);
        Assert.Equal(
            "a5643bf2" + Words("60", "1", "a0", "4") + Right("64617665") + Words("3", "1", "2", "3"),
            Hexed(sam.Encode("dave"u8.ToArray(), true, new object[] { 1, 2, 3 })));

        var f = new AbiFunction("g", [Parameter("uint256[][]"), Parameter("string[]")], []);
        Assert.Equal(
            "2289b18c" + Words("40", "140", "2", "40", "a0", "2", "1", "2", "1", "3", "3", "60", "a0", "e0", "3") + Right("6f6e65")
            + Words("3") + Right("74776f") + Words("5") + Right("7468726565"),
            Hexed(f.Encode(new object[] { new object[] { 1, 2 }, new object[] { 3 } }, new object[] { "one", "two", "three" })));
    }

    static AbiParameter Parameter(string type) => new("", AbiType.Parse(type), IsIndexed: false);

    [Theory]
    [InlineData("uint8", "100")]
    [InlineData("int8", "80")]
    [InlineData("bool", "2")]
    [InlineData("address", "10000000000000000000000000000000000000000")]
    [InlineData("bytes", "40")]
    [InlineData("string[]", "ffffffffffffffff")]
    public void A_word_that_its_type_cannot_hold_is_refused(string type, string word) =>
        Assert.Throws<FormatException>(() => AbiDecoder.Decode([AbiType.Parse(type)], Convert.FromHexString(Words(word))));

    [Fact]
    public void Dirty_padding_short_data_bad_text_and_offsets_beyond_the_data_are_refused()
    {
        AbiType[] text = [AbiType.Parse("string")], four = [AbiType.Parse("bytes4")];
        Assert.Equal("ab", AbiDecoder.Decode(text, Convert.FromHexString(Words("20", "2") + Right("6162")))[0]);
        foreach (var (types, hex) in new[]
        {
            (text, Words("20", "2") + Right("616263")),
            (text, Words("20", "2") + Right("ff62")),
            (text, Words("20", "21") + Right("61")),
            (text, Words("20", "2") + "6162"),
            (text, Words("40", "2") + Right("6162")),
            (four, Right("0102030405")),
            (four, "01020304"),
        })
            Assert.Throws<FormatException>(() => AbiDecoder.Decode(types, Convert.FromHexString(hex)));
    }

    [Fact]
    public void Offsets_that_fold_a_million_values_into_few_bytes_are_refused()
    {
        var level = Words("20") + string.Concat(Enumerable.Repeat(Words("400"), 32));
        var hex = Words("20") + level + level + level + Words("20") + string.Concat(Enumerable.Repeat(Words("1"), 32));
        var failure = Assert.Throws<FormatException>(() => AbiDecoder.Decode([AbiType.Parse("uint256[][][][]")], Convert.FromHexString(hex)));
        Assert.Contains("more than", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("uint7")]
    [InlineData("uint264")]
    [InlineData("uint08")]
    [InlineData("bytes33")]
    [InlineData("bytes0")]
    [InlineData("uint256[0]")]
    [InlineData("[]")]
    [InlineData("float")]
    public void A_type_that_the_abi_does_not_have_is_refused(string name) => Assert.Throws<FormatException>(() => AbiType.Parse(name));

    [Fact]
    public void Values_that_do_not_fit_their_types_are_refused_when_encoding()
    {
        foreach (var (type, value) in new (string, object)[] { ("uint8", 256), ("uint8", -1), ("int8", 128), ("bytes4", new byte[3]), ("uint256[2]", new object[] { 1 }), ("bool", 1), ("address", "0x00"), ("uint256", BigInteger.One << 256) })
            Assert.Throws<ArgumentException>(() => AbiEncoder.Encode([AbiType.Parse(type)], value));
        Assert.Equal(new string('f', 64), Hexed(AbiEncoder.Encode([AbiType.Parse("int8")], -1)));
    }

    [Fact]
    public void A_revert_is_told_by_its_errors_name_and_values_and_a_message_too()
    {
        var selector = Keccak256.Hash("StaleSize(uint64,uint64)")[..4];
        Assert.Equal("StaleSize(expected: 4, given: 3)", AnchorContract.Artifact.Reason([.. selector, .. Convert.FromHexString(Words("4", "3"))])?.ToString());
        Assert.Equal("Error(message: no)", AnchorContract.Artifact.Reason(Convert.FromHexString("08c379a0" + Words("20", "2") + Right("6e6f")))?.ToString());
        Assert.Null(AnchorContract.Artifact.Reason([.. selector, 1]));
        Assert.Null(AnchorContract.Artifact.Reason([1, 2, 3]));
    }
}

using Salus.Ledger.Proofs;
using Xunit;

namespace Salus.Tests.Ledger;

public sealed class LeafEnvelopeTests
{
    static readonly byte[] Content = [.. Enumerable.Repeat((byte)0xC0, 32)];
    static readonly byte[] Sealed = [.. Enumerable.Repeat((byte)0x5E, 32)];
    static readonly LeafEnvelope Envelope = new(LeafKind.Record, "Condition/é7", 3, 1_700_000_000_123_456, Content, Sealed);

    [Fact]
    public void The_encoding_is_fixed_byte_for_byte()
    {
        const string head = "0101000d" + "436f6e646974696f6e2fc3a937" + "00000003" + "00060a2418202240";
        Assert.Equal(head + Convert.ToHexStringLower(Content) + Convert.ToHexStringLower(Sealed), Convert.ToHexStringLower(Envelope.Encode()));
    }

    [Fact]
    public void What_was_encoded_is_read_back()
    {
        Assert.Equal(Envelope, LeafEnvelope.Decode(Envelope.Encode()));
        Assert.Equal(32, Envelope.LeafHash().Length);
    }

    [Fact]
    public void Every_truncation_and_any_trailing_byte_is_refused()
    {
        var bytes = Envelope.Encode();
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<FormatException>(() => LeafEnvelope.Decode(bytes.AsSpan(0, length)));
        Assert.Throws<FormatException>(() => LeafEnvelope.Decode([.. bytes, 0]));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 0)]
    [InlineData(1, 8)]
    [InlineData(3, 0)]
    [InlineData(4, 0xFF)]
    public void A_version_kind_length_or_text_that_is_not_known_is_refused(int position, byte value)
    {
        var bytes = Envelope.Encode();
        bytes[position] = value;
        Assert.Throws<FormatException>(() => LeafEnvelope.Decode(bytes));
    }

    [Fact]
    public void Fields_that_have_no_encoding_are_refused()
    {
        Assert.Throws<ArgumentException>(() => (Envelope with { Id = "" }).Encode());
        Assert.Throws<ArgumentException>(() => (Envelope with { Id = new string('a', 65536) }).Encode());
        Assert.Throws<ArgumentException>(() => (Envelope with { Content = new byte[31] }).Encode());
        Assert.Throws<ArgumentException>(() => (Envelope with { Kind = LeafKind.None }).Encode());
    }
}

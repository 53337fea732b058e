using System.Security.Cryptography;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;

namespace Salus.Tests.Erasure;

public sealed class NoticeTests
{
    static readonly DateTimeOffset At = new(2030, 4, 5, 6, 7, 8, TimeSpan.Zero);

    static readonly LogNotice[] All =
    [
        new LogNotice.Erasure("hospital.example/log", At, "Administrator", Guid.Parse("0195f0a0-0000-7000-8000-000000000001"), "gdpr-17-1-b", LeafRanges.Of([3, 4, 5, 9])),
        new LogNotice.Gap("hospital.example/log", At, LeafRanges.Parse("7-12")),
        new LogNotice.Succession("hospital.example/log/2", At, "hospital.example/log", 90, new byte[32], 40),
    ];

    [Fact]
    public void A_notice_reads_back_under_the_key_that_signed_it_whatever_the_logs_name()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var verifier = NoteVerifier.Of("hospital.example/log/7", key);
        foreach (var notice in All)
        {
            var read = LogNotice.Read(SignedNote.Sign(notice.ToText(), new NoteSigner(notice.Origin, key)).ToString(), verifier.ToString());
            Assert.Equal(notice.ToText(), read!.ToText());
            Assert.IsType(notice.GetType(), read);
        }
    }

    [Fact]
    public void Another_key_and_each_changed_character_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (mine, theirs) = (NoteVerifier.Of("x", key).ToString(), NoteVerifier.Of("x", other).ToString());
        foreach (var notice in All)
        {
            var note = SignedNote.Sign(notice.ToText(), new NoteSigner(notice.Origin, key)).ToString();
            Assert.NotNull(LogNotice.Read(note, mine));
            Assert.Null(LogNotice.Read(note, theirs));
            for (var i = 0; i < notice.ToText().Length; i++)
            {
                Assert.Null(LogNotice.Read(note.Remove(i, 1).Insert(i, note[i] == '1' ? "2" : "1"), mine));
            }
        }
        Assert.Null(LogNotice.Read("", mine));
        Assert.Null(LogNotice.Read(new Checkpoint("hospital.example/log", 4, new byte[32]).Sign(new NoteSigner("hospital.example/log", key)).ToString(), mine));
    }

    [Fact]
    public void Ranges_hold_what_they_were_made_of()
    {
        long[] positions = [0, 1, 2, 7, 9, 10, 4000000000];
        var ranges = LeafRanges.Of(positions);
        Assert.Equal("0-2,7,9-10,4000000000", ranges.ToString());
        Assert.Equal("{[0,3),[7,8),[9,11),[4000000000,4000000001)}", ranges.ToMultirange());
        Assert.Equal(positions.Length, ranges.Count);
        Assert.Equal(ranges.ToString(), LeafRanges.Parse(ranges.ToString()).ToString());
        Assert.Equal([0, 1, 2, 7, 9, 10], Enumerable.Range(0, 20).Where(position => ranges.Contains(position)));
        Assert.Equal(0, LeafRanges.Parse(LeafRanges.Of([]).ToString()).Count);
        foreach (var wrong in (string[])["", "3-1", "1,1", "2,1", "1-2-3", "-1", "a", "1, 2", "1-"])
        {
            Assert.ThrowsAny<FormatException>(() => LeafRanges.Parse(wrong));
        }
    }
}

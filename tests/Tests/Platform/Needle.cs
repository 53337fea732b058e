using System.Text;

namespace Salus.Tests.Platform;

/// <summary>A text to be looked for in every form it could lie in: UTF-8, UTF-16, hexadecimal of either case, base64 at each of its three alignments.</summary>
sealed class Needle
{
    const int FormMin = 6; // shorter forms would be found by chance

    public Needle(string text)
    {
        Text = text;
        var utf8 = Encoding.UTF8.GetBytes(text);
        List<(string, byte[])> forms =
        [
            ("UTF-8", utf8), ("UTF-16", Encoding.Unicode.GetBytes(text)), ("UTF-16BE", Encoding.BigEndianUnicode.GetBytes(text)),
            ("hex", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(utf8))), ("HEX", Encoding.ASCII.GetBytes(Convert.ToHexString(utf8))),
        ];
        for (var shift = 0; shift < 3; shift++)
        {
            // The characters at either end also tell of bytes that are not the text's; what lies between is the same wherever it stands.
            var base64 = Convert.ToBase64String([.. new byte[shift], .. utf8]);
            var from = (shift * 8 + 5) / 6;
            var to = (shift + utf8.Length) * 8 / 6;
            forms.Add(($"base64+{shift}", Encoding.ASCII.GetBytes(base64[from..to])));
            forms.Add(($"base64url+{shift}", Encoding.ASCII.GetBytes(base64[from..to].Replace('+', '-').Replace('/', '_'))));
        }
        if (Guid.TryParse(text, out var id))
        {
            forms.Add(("uuid", id.ToByteArray(bigEndian: true)));
            forms.Add(("uuid digits", Encoding.ASCII.GetBytes(id.ToString("n"))));
            forms.Add(("uuid hex", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(Encoding.ASCII.GetBytes(id.ToString("n"))))));
        }
        Forms = forms.Where(form => form.Item2.Length >= FormMin).DistinctBy(form => Convert.ToHexString(form.Item2)).ToList();
    }

    public string Text { get; }

    public IReadOnlyList<(string Name, byte[] Bytes)> Forms { get; }

    /// <summary>The name of the first form in which the text lies there; null where it does not.</summary>
    public string? FindIn(ReadOnlySpan<byte> haystack)
    {
        foreach (var (name, bytes) in Forms)
        {
            if (haystack.IndexOf(bytes) >= 0)
            {
                return name;
            }
        }
        return null;
    }
}

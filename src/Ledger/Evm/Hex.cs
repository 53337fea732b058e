using System.Globalization;
using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>The two hexadecimal notations of Ethereum's JSON-RPC: data (whole bytes) and quantities (no leading zero).</summary>
public static class Hex
{
    /// <summary>Bytes as "0x…", lower case.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    /// <summary>A quantity as "0x…" without leading zeros; zero is "0x0".</summary>
    public static string Of(ulong quantity) => $"0x{quantity:x}";

    /// <summary>A non-negative quantity as "0x…" without leading zeros.</summary>
    public static string Of(BigInteger quantity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(quantity);
        var digits = quantity.ToString("x").TrimStart('0');
        return digits.Length == 0 ? "0x0" : "0x" + digits;
    }

    /// <summary>Reads "0x" followed by whole bytes.</summary>
    /// <exception cref="FormatException">Not that.</exception>
    public static byte[] Data(string? text) =>
        text is not null && text.StartsWith("0x", StringComparison.Ordinal) && text.Length % 2 == 0 && IsHex(text.AsSpan(2))
            ? Convert.FromHexString(text.AsSpan(2))
            : throw new FormatException($"'{Shortened(text)}' is not 0x-prefixed data.");

    /// <summary>Reads data of an exact length.</summary>
    /// <exception cref="FormatException">Not data, or another length.</exception>
    public static byte[] Data(string? text, int lengthBytes)
    {
        var data = Data(text);
        return data.Length == lengthBytes ? data : throw new FormatException($"Data of {lengthBytes} bytes was expected, not of {data.Length}.");
    }

    /// <summary>Reads a quantity of at most 256 bits: "0x0", or "0x" and a digit other than zero first.</summary>
    /// <exception cref="FormatException">Not that.</exception>
    public static BigInteger Quantity(string? text) =>
        text is not null && text.StartsWith("0x", StringComparison.Ordinal) && text.Length is >= 3 and <= 66
        && (text.Length == 3 || text[2] != '0') && IsHex(text.AsSpan(2))
            ? BigInteger.Parse("0" + text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
            : throw new FormatException($"'{Shortened(text)}' is not a 0x-prefixed quantity.");

    /// <summary>Reads a quantity of at most 64 bits.</summary>
    /// <exception cref="FormatException">Not that.</exception>
    public static ulong Quantity64(string? text)
    {
        var quantity = Quantity(text);
        return quantity <= ulong.MaxValue ? (ulong)quantity : throw new FormatException($"'{text}' is more than 64 bits.");
    }

    static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var character in text)
        {
            if (!char.IsAsciiHexDigit(character))
                return false;
        }
        return true;
    }

    static string? Shortened(string? text) => text?.Length > 80 ? text[..80] + "…" : text;
}

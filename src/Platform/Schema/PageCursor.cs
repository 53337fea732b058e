using System.Globalization;

namespace Salus.Platform.Schema;

/// <summary>Where a page of rows begins or ends in the order of time and id; it stands in addresses as <c>microseconds-id</c>.</summary>
public sealed record PageCursor(DateTimeOffset At, string Id)
{
    /// <summary>Reads what <see cref="ToString"/> wrote; null when it is nothing of that kind.</summary>
    public static PageCursor? Parse(string? text) =>
        text?.IndexOf('-') is > 0 and var cut
            && long.TryParse(text.AsSpan(0, cut), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds)
            && microseconds <= (DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond
            && Guid.TryParse(text.AsSpan(cut + 1), out var id)
            ? new PageCursor(DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond), id.ToString())
            : null;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(At.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond}-{Id}");
}

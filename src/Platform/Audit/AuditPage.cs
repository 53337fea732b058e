using Salus.Platform.Schema;

namespace Salus.Platform.Audit;

/// <summary>A page of the trail, newest first.</summary>
/// <param name="Lines">Its facts.</param>
/// <param name="Newer">From where newer ones go on; null at the newest.</param>
/// <param name="Older">From where older ones go on; null at the oldest.</param>
/// <param name="IsPartial">Whether the search was cut short: what goes on from the cursor was not looked at yet.</param>
public sealed record AuditPage(IReadOnlyList<AuditLine> Lines, PageCursor? Newer, PageCursor? Older, bool IsPartial);

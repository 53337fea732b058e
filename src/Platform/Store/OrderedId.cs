namespace Salus.Platform.Store;

/// <summary>
/// Random ids in the order of the time at which they were given: UUIDs of version 7 with the part of the millisecond in place of the first random bits
/// (RFC 9562 section 6.2, method 3), so that two of one millisecond are in order too.
/// </summary>
static class OrderedId
{
    const int PartBits = 12;
    const int VersionByte = 6;

    /// <summary>An id of this moment.</summary>
    public static Guid New() => New(TimeProvider.System.GetUtcNow());

    /// <summary>An id of a moment.</summary>
    public static Guid New(DateTimeOffset moment)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(moment).TryWriteBytes(bytes, bigEndian: true, out _);
        var part = (moment.UtcTicks % TimeSpan.TicksPerMillisecond << PartBits) / TimeSpan.TicksPerMillisecond;
        bytes[VersionByte] = (byte)(0x70 | part >> 8);
        bytes[VersionByte + 1] = (byte)part;
        return new Guid(bytes, bigEndian: true);
    }
}

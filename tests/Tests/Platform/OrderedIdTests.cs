using Salus.Platform.Store;

namespace Salus.Tests.Platform;

public sealed class OrderedIdTests
{
    [Fact]
    public void Ids_are_in_the_order_of_their_moments_a_microsecond_apart_across_milliseconds_and_random_otherwise()
    {
        var moment = new DateTimeOffset(2026, 2, 28, 23, 59, 59, 998, TimeSpan.Zero);
        var ids = Enumerable.Range(0, 5_000).Select(i => OrderedId.New(moment.AddMicroseconds(i)).ToString()).ToList();
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Equal(100, Enumerable.Range(0, 100).Select(_ => OrderedId.New(moment)).Distinct().Count());
    }

    [Fact]
    public void An_id_is_a_version_7_UUID_of_its_millisecond()
    {
        var moment = new DateTimeOffset(2022, 2, 22, 19, 22, 22, TimeSpan.Zero).AddTicks(9_999);
        var id = OrderedId.New(moment);
        Assert.Equal((7, 0b10), (id.Version, id.Variant >> 2));
        // The example of RFC 9562, appendix A.6, a ten-thousandth of a millisecond before the next
        Assert.StartsWith("017f22e2-79b0-7fff-", id.ToString(), StringComparison.Ordinal);
    }
}

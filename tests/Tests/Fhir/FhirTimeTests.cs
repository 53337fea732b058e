using System.Text;
using Salus.Fhir.Elements;

namespace Salus.Tests.Fhir;

public sealed class FhirTimeTests
{
    [Theory]
    [InlineData("2024", "2024-01-01T00:00:00.0000000", "2024-12-31T23:59:59.9999999", TimePrecision.Year)]
    [InlineData("2024-02", "2024-02-01T00:00:00.0000000", "2024-02-29T23:59:59.9999999", TimePrecision.Month)]
    [InlineData("2024-12", "2024-12-01T00:00:00.0000000", "2024-12-31T23:59:59.9999999", TimePrecision.Month)]
    [InlineData("2024-02-29", "2024-02-29T00:00:00.0000000", "2024-02-29T23:59:59.9999999", TimePrecision.Day)]
    [InlineData("9999-12-31", "9999-12-31T00:00:00.0000000", "9999-12-31T23:59:59.9999999", TimePrecision.Day)]
    [InlineData("9999", "9999-01-01T00:00:00.0000000", "9999-12-31T23:59:59.9999999", TimePrecision.Year)]
    [InlineData("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.0000000", "9999-12-31T23:59:59.9999999", TimePrecision.Second)]
    [InlineData("2024-02-29T12:30Z", "2024-02-29T12:30:00.0000000", "2024-02-29T12:30:59.9999999", TimePrecision.Minute)]
    [InlineData("2024-02-29T12:30:05Z", "2024-02-29T12:30:05.0000000", "2024-02-29T12:30:05.9999999", TimePrecision.Second)]
    [InlineData("2024-02-29T12:30:05+02:00", "2024-02-29T10:30:05.0000000", "2024-02-29T10:30:05.9999999", TimePrecision.Second)]
    [InlineData("2024-03-01T01:00:00+05:30", "2024-02-29T19:30:00.0000000", "2024-02-29T19:30:00.9999999", TimePrecision.Second)]
    [InlineData("2024-02-29T23:30:00-14:00", "2024-03-01T13:30:00.0000000", "2024-03-01T13:30:00.9999999", TimePrecision.Second)]
    [InlineData("2024-02-29T12:30:05.2Z", "2024-02-29T12:30:05.2000000", "2024-02-29T12:30:05.2999999", TimePrecision.Fraction)]
    [InlineData("2024-02-29T12:30:05.123456789Z", "2024-02-29T12:30:05.1234567", "2024-02-29T12:30:05.1234567", TimePrecision.Fraction)]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.0000000", "2017-01-01T00:00:00.9999999", TimePrecision.Second)]
    public void A_date_stands_for_the_range_it_leaves_open(string text, string low, string high, TimePrecision precision)
    {
        Assert.True(FhirTime.TryParse(Encoding.UTF8.GetBytes(text), out var time));
        Assert.Equal((low, high), (time.Low.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff"), time.High.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff")));
        Assert.Equal(precision, time.Precision);
        Assert.Equal(text.Contains('T'), time.HasZone);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    [InlineData("24")]
    [InlineData("02024")]
    [InlineData("2024-")]
    [InlineData("2024-00")]
    [InlineData("2024-13")]
    [InlineData("2024-2-9")]
    [InlineData("2023-02-29")]
    [InlineData("2024-02-30")]
    [InlineData("2024-04-31")]
    [InlineData("2024-02-29 12:30:05Z")]
    [InlineData("2024-02-29T")]
    [InlineData("2024-02-29T12")]
    [InlineData("2024-02-29T24:00:00Z")]
    [InlineData("2024-02-29T12:60:00Z")]
    [InlineData("2024-02-29T12:30:61Z")]
    [InlineData("2024-02-29T12:30:05.Z")]
    [InlineData("2024-02-29T12:30:05z")]
    [InlineData("2024-02-29T12:30:05+2:00")]
    [InlineData("2024-02-29T12:30:05+14:01")]
    [InlineData("2024-02-29T12:30:05+00:60")]
    [InlineData("2024-02-29T12:30:05Zjunk")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:60Z")]
    [InlineData("٢٠٢٤")]
    public void What_is_no_date_is_refused(string text) => Assert.False(FhirTime.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Theory]
    [InlineData("00:00:00", true)]
    [InlineData("23:59:60", true)]
    [InlineData("12:30:05.123", true)]
    [InlineData("12:30", false)]
    [InlineData("24:00:00", false)]
    [InlineData("12:30:05Z", false)]
    [InlineData("12:30:05.", false)]
    public void A_time_of_day_has_hours_minutes_and_seconds(string text, bool expected) =>
        Assert.Equal(expected, FhirTime.IsTimeOfDay(Encoding.UTF8.GetBytes(text)));
}

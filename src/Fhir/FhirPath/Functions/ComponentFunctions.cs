namespace Salus.Fhir.FhirPath;

/// <summary>The parts of a Date, DateTime or Time (FHIRPath, additional functions); a part that is not given is empty.</summary>
static class ComponentFunctions
{
    const decimal MinutesPerHour = 60;

    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("yearOf", 0, 0, Part(TemporalPrecision.Year, moment => moment.Start.Year));
        add("monthOf", 0, 0, Part(TemporalPrecision.Month, moment => moment.Start.Month));
        add("dayOf", 0, 0, Part(TemporalPrecision.Day, moment => moment.Start.Day));
        add("hourOf", 0, 0, Part(TemporalPrecision.Hour, moment => moment.Start.Hour));
        add("minuteOf", 0, 0, Part(TemporalPrecision.Minute, moment => moment.Start.Minute));
        add("secondOf", 0, 0, Part(TemporalPrecision.Second, moment => moment.Start.Second));
        add("millisecondOf", 0, 0, Part(TemporalPrecision.Fraction, moment => moment.Start.Millisecond));
        add("timezoneOffsetOf", 0, 0, Of(moment => moment.Offset is { } minutes ? new DecimalItem(minutes / MinutesPerHour) : null));
        add("dateOf", 0, 0, Of(moment => moment.Kind == TemporalKind.Time ? null : new TemporalItem(Conversion.DateOf(moment))));
        add("timeOf", 0, 0, Of(moment => moment.Precision < TemporalPrecision.Hour
            ? null
            : new TemporalItem(moment with { Kind = TemporalKind.Time, Start = new DateTime(1, 1, 1) + moment.Start.TimeOfDay, Offset = null })));
    }

    static Function Part(TemporalPrecision precision, Func<Temporal, int> part) =>
        Of(moment => moment.Precision < precision || (moment.Kind == TemporalKind.Time && precision <= TemporalPrecision.Day) ? null : new IntegerItem(part(moment)));

    static Function Of(Func<Temporal, FhirPathItem?> part) => (call, _, input) => call.Single(input) switch
    {
        null => default,
        { System: TemporalItem moment } => part(moment.Value) is { } found ? new(found) : default,
        { } other => throw call.Fail($"is for dates and times; here is {other.TypeName}"),
    };
}

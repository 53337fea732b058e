using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>Turns elements into index values, by the tables of R4 section 3.1.1.4.</summary>
static class IndexValues
{
    static readonly string[] NameParts = ["family", "given", "prefix", "suffix", "text"];
    static readonly string[] AddressParts = ["line", "city", "district", "state", "postalCode", "country", "text"];

    public static void Add(List<IndexValue> values, SearchParameterDefinition parameter, PathItem item, PathResults from, bool withTexts = false)
    {
        switch (parameter.Type)
        {
            case SearchType.Token:
                AddToken(values, parameter.Code, item);
                if (withTexts)
                {
                    AddTokenText(values, parameter.Code, item);
                }
                break;
            case SearchType.Text:
                AddText(values, parameter.Code, item);
                break;
            case SearchType.Reference when item.Type.Kind == TypeKind.Primitive:
                AddUri(values, parameter.Code, item.Element);
                break;
            case SearchType.Reference:
                AddReference(values, parameter.Code, item.Element, from);
                break;
            case SearchType.Date:
                AddDate(values, parameter.Code, item);
                break;
            case SearchType.Quantity:
                AddQuantity(values, parameter.Code, item);
                break;
            case SearchType.Number:
                AddNumber(values, parameter.Code, item);
                break;
            case SearchType.Uri:
                AddUri(values, parameter.Code, item.Element);
                break;
        }
    }

    static void AddReference(List<IndexValue> values, string code, Element element, PathResults from)
    {
        if (from.ReferenceOf(element) is { } reference)
        {
            values.Add(new IndexValue.Reference(code, reference));
        }
        if (element["identifier"u8] is { Kind: ElementKind.Complex } identifier && identifier["value"u8].Text is { Length: > 0 } value)
        {
            values.Add(new IndexValue.ReferenceIdentifier(code, identifier["system"u8].Text, value));
        }
    }

    static void AddTokenText(List<IndexValue> values, string code, PathItem item)
    {
        switch (item.Type.Name)
        {
            case "CodeableConcept":
                AddTokenText(values, code, item.Element["text"u8].Text);
                foreach (var coding in item.Element["coding"u8].Items)
                {
                    AddTokenText(values, code, coding["display"u8].Text);
                }
                break;
            case "Coding":
                AddTokenText(values, code, item.Element["display"u8].Text);
                break;
            case "Identifier":
                AddTokenText(values, code, item.Element["type"u8]["text"u8].Text);
                break;
        }
    }

    static void AddTokenText(List<IndexValue> values, string code, string? text)
    {
        if (!string.IsNullOrWhiteSpace(text))
        {
            values.Add(new IndexValue.TokenText(code, NormalisedText.Of(text)));
        }
    }

    static void AddTypedIdentifier(List<IndexValue> values, string code, Element identifier)
    {
        if (identifier["value"u8].Text is not { Length: > 0 } value)
        {
            return;
        }
        foreach (var coding in identifier["type"u8]["coding"u8].Items)
        {
            if (coding["code"u8].Text is { Length: > 0 } kind)
            {
                values.Add(new IndexValue.TypedIdentifier(code, coding["system"u8].Text, kind, value));
            }
        }
    }

    static void AddToken(List<IndexValue> values, string code, PathItem item)
    {
        if (item.Constant is { } constant)
        {
            values.Add(new IndexValue.Token(code, null, constant ? "true" : "false"));
            return;
        }
        switch (item.Type.Name)
        {
            case "CodeableConcept":
                foreach (var coding in item.Element["coding"u8].Items)
                {
                    AddToken(values, code, coding["system"u8].Text, coding["code"u8].Text);
                }
                break;
            case "Coding":
                AddToken(values, code, item.Element["system"u8].Text, item.Element["code"u8].Text);
                break;
            case "Identifier":
                AddToken(values, code, item.Element["system"u8].Text, item.Element["value"u8].Text);
                AddTypedIdentifier(values, code, item.Element);
                break;
            case "ContactPoint":
                AddToken(values, code, null, item.Element["value"u8].Text);
                break;
            case var _ when item.Type.Kind == TypeKind.Primitive:
                AddToken(values, code, null, item.Element.Text);
                break;
        }
    }

    static void AddToken(List<IndexValue> values, string code, string? system, string? value)
    {
        if (value is { Length: > 0 })
        {
            values.Add(new IndexValue.Token(code, system, value));
        }
    }

    static void AddText(List<IndexValue> values, string code, PathItem item)
    {
        switch (item.Type.Name)
        {
            case "HumanName":
                AddParts(values, code, item.Element, NameParts);
                break;
            case "Address":
                AddParts(values, code, item.Element, AddressParts);
                break;
            case var _ when item.Type.Kind == TypeKind.Primitive:
                AddText(values, code, item.Element.Text);
                break;
        }
    }

    static void AddParts(List<IndexValue> values, string code, Element element, string[] names)
    {
        foreach (var name in names)
        {
            foreach (var part in element[name].Items)
            {
                AddText(values, code, part.Text);
            }
        }
    }

    static void AddText(List<IndexValue> values, string code, string? text)
    {
        if (!string.IsNullOrWhiteSpace(text))
        {
            values.Add(new IndexValue.Text(code, text, NormalisedText.Of(text)));
        }
    }

    static void AddUri(List<IndexValue> values, string code, Element element)
    {
        if (element.Text is { Length: > 0 } uri)
        {
            values.Add(new IndexValue.Uri(code, uri));
        }
    }

    static void AddDate(List<IndexValue> values, string code, PathItem item)
    {
        switch (item.Type.Name)
        {
            case "date" or "dateTime" or "instant":
                if (FhirTime.TryParse(item.Element.Raw, out var time))
                {
                    values.Add(new IndexValue.Date(code, time.Low, time.High));
                }
                break;
            case "Period":
                AddPeriod(values, code, item.Element);
                break;
            case "Timing":
                AddTiming(values, code, item.Element);
                break;
        }
    }

    static void AddPeriod(List<IndexValue> values, string code, Element period)
    {
        var hasStart = FhirTime.TryParse(period["start"u8].Raw, out var start);
        var hasEnd = FhirTime.TryParse(period["end"u8].Raw, out var end);
        if (hasStart || hasEnd)
        {
            values.Add(new IndexValue.Date(code, hasStart ? start.Low : DateTimeOffset.MinValue, hasEnd ? end.High : DateTimeOffset.MaxValue));
        }
    }

    /// <remarks>A schedule is found by its outer bounds: from its first event to its last.</remarks>
    static void AddTiming(List<IndexValue> values, string code, Element timing)
    {
        DateTimeOffset? low = null;
        DateTimeOffset? high = null;
        foreach (var moment in timing["event"u8].Items)
        {
            if (FhirTime.TryParse(moment.Raw, out var time))
            {
                low = low is null || time.Low < low ? time.Low : low;
                high = high is null || time.High > high ? time.High : high;
            }
        }
        if (low is not null && high is not null)
        {
            values.Add(new IndexValue.Date(code, low.Value, high.Value));
        }
        AddPeriod(values, code, timing["repeat"u8]["boundsPeriod"u8]);
    }

    static void AddQuantity(List<IndexValue> values, string code, PathItem item)
    {
        var element = item.Element;
        if (item.Type.Name is "Range")
        {
            var low = element["low"u8];
            var high = element["high"u8];
            if (low["value"u8].Number is not null || high["value"u8].Number is not null)
            {
                var unit = low.IsMissing ? high : low;
                values.Add(new IndexValue.Quantity(code, unit["system"u8].Text, Unit(unit), low["value"u8].Number ?? decimal.MinValue, high["value"u8].Number ?? decimal.MaxValue));
            }
        }
        else if (item.Type.Name == "SampledData")
        {
            var (low, high) = (element["lowerLimit"u8].Number, element["upperLimit"u8].Number);
            if (low is not null || high is not null)
            {
                var origin = element["origin"u8];
                values.Add(new IndexValue.Quantity(code, origin["system"u8].Text, Unit(origin), low ?? decimal.MinValue, high ?? decimal.MaxValue));
            }
        }
        else if (element["value"u8].Number is { } value)
        {
            var isMoney = item.Type.Name == "Money";
            values.Add(new IndexValue.Quantity(code, isMoney ? "urn:iso:std:iso:4217" : element["system"u8].Text, isMoney ? element["currency"u8].Text : Unit(element), value, value));
        }
    }

    static string? Unit(Element quantity) => quantity["code"u8].Text ?? quantity["unit"u8].Text;

    static void AddNumber(List<IndexValue> values, string code, PathItem item)
    {
        if (item.Type.Name == "Range")
        {
            var low = item.Element["low"u8]["value"u8].Number;
            var high = item.Element["high"u8]["value"u8].Number;
            if (low is not null || high is not null)
            {
                values.Add(new IndexValue.Number(code, low ?? decimal.MinValue, high ?? decimal.MaxValue));
            }
        }
        else if (item.Element.Number is { } number)
        {
            values.Add(new IndexValue.Number(code, number, number));
        }
    }
}

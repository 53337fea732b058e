using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Salus.Fhir.Terminology;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>Code systems and value sets: <c>$expand</c>, <c>$lookup</c>, <c>$validate-code</c> (R4 section 4.7) over those that are known here.</summary>
static class TerminologyEndpoints
{
    const int PageMax = 1_000;

    public static void Map(RouteGroupBuilder fhir)
    {
        foreach (var (type, operation, answer) in new (string, string, Func<OperationInput, TerminologyService, TimeProvider, IResult>)[]
        {
            ("ValueSet", "$expand", Expand), ("ValueSet", "$validate-code", ValidateInSet), ("CodeSystem", "$lookup", Lookup), ("CodeSystem", "$validate-code", ValidateInSystem),
        })
        {
            string[] methods = ["GET", "POST"];
            fhir.MapMethods($"/{type}/{operation}", methods, (RecordsDesk desk, TimeProvider time, HttpContext context) => AnswerAsync(answer, type, null, desk, time, context));
            if (operation != "$lookup")
            {
                fhir.MapMethods($"/{type}/{{id}}/{operation}", methods, (string id, RecordsDesk desk, TimeProvider time, HttpContext context) => AnswerAsync(answer, type, id, desk, time, context));
            }
        }
    }

    static async Task<IResult> AnswerAsync(
        Func<OperationInput, TerminologyService, TimeProvider, IResult> answer, string type, string? id, RecordsDesk desk, TimeProvider time, HttpContext context)
    {
        ReadOutcome? read = id is null ? null : await desk.ReadAsync(context.Caller(), type, id, null, FhirRequest.PurposeOf(context), context.RequestAborted);
        if (read is not (null or ReadOutcome.Found))
        {
            return FhirResults.Of(read);
        }
        var (input, refusal) = await OperationInput.ReadAsync(context);
        if (input is null)
        {
            return refusal!;
        }
        if (read is ReadOutcome.Found { Record: var record })
        {
            input.TakeInstance(type == "ValueSet" ? "valueSet" : "codeSystem", record.Bytes);
        }
        return answer(input, await desk.TerminologyAsync(context.Caller(), UrlsOf(input), context.RequestAborted), time);
    }

    static IReadOnlyList<string> UrlsOf(OperationInput input) =>
        [.. new[] { input["url"], input["system"] }.OfType<string>(), .. input.Resource("valueSet") is { } given ? TerminologyService.PartsOf(given) : []];

    static IResult Expand(OperationInput input, TerminologyService terminology, TimeProvider time)
    {
        var (offset, count) = (0, PageMax);
        if ((input["offset"] is { } from && !int.TryParse(from, out offset)) || (input["count"] is { } most && !int.TryParse(most, out count)) || offset < 0 || count is < 0 or > PageMax)
        {
            return FhirResults.Outcome(StatusCodes.Status400BadRequest, "value", $"offset is a number from 0, count one from 0 to {PageMax}.");
        }
        if (input.Resource("valueSet") is null && input["url"] is null)
        {
            return FhirResults.Outcome(StatusCodes.Status400BadRequest, "required", "$expand takes the value set's url, or the value set itself as the part valueSet.");
        }
        switch (input.Resource("valueSet") is { } given ? terminology.Expand(given) : terminology.Expand(input["url"]!))
        {
            case ExpansionOutcome.Ok expanded:
                var filter = input["filter"];
                var codes = expanded.Codes.Where(code => filter is null || code.Code.Contains(filter, StringComparison.OrdinalIgnoreCase) || code.Display?.Contains(filter, StringComparison.OrdinalIgnoreCase) == true).ToList();
                return FhirResults.Raw(Write(json => WriteExpansion(json, expanded, codes, offset, count, time.GetUtcNow())));
            case ExpansionOutcome.TooMany many:
                return FhirResults.Outcome(StatusCodes.Status422UnprocessableEntity, "too-costly", $"The value set has more than {many.CodesMax} codes.");
            case ExpansionOutcome.Impossible impossible:
                return FhirResults.Outcome(StatusCodes.Status404NotFound, "not-found", impossible.Reason);
            default:
                throw new InvalidOperationException("Every outcome has its answer.");
        }
    }

    static IResult ValidateInSet(OperationInput input, TerminologyService terminology, TimeProvider time)
    {
        var given = input.Resource("valueSet");
        if ((given?["url"].Text ?? input["url"] ?? (given is null ? null : "the value set")) is not { } url || input["code"] is not { } code)
        {
            return FhirResults.Outcome(StatusCodes.Status400BadRequest, "required", "$validate-code takes the value set's url, or the value set itself as the part valueSet, a code and, where it has one, its system.");
        }
        return (given is null ? terminology.Contains(url, input["system"], code) : terminology.Contains(given, input["system"], code)) switch
        {
            Membership.Unknown => FhirResults.Outcome(StatusCodes.Status404NotFound, "not-found", $"It cannot be told here whether {url} has a code: the value set or a code system of it is not known."),
            Membership.In => Result(true, null, input["system"] is { } system ? terminology.CodeSystem(system)?.Find(code)?.Display : null),
            _ => Result(false, $"The code {code} is not in {url}.", null),
        };
    }

    static IResult ValidateInSystem(OperationInput input, TerminologyService terminology, TimeProvider time)
    {
        var given = input.Resource("codeSystem");
        terminology = given is null ? terminology : terminology.With([given]);
        if ((given?["url"].Text ?? input["url"] ?? input["system"]) is not { } url || input["code"] is not { } code)
        {
            return FhirResults.Outcome(StatusCodes.Status400BadRequest, "required", "$validate-code takes the code system's url and a code.");
        }
        return terminology.CodeSystem(url) is not { IsComplete: true } system ? UnknownSystem(url)
            : system.Find(code) is { } concept ? Result(true, null, concept.Display)
            : Result(false, $"The code system {url} has no code {code}.", null);
    }

    static IResult Lookup(OperationInput input, TerminologyService terminology, TimeProvider time)
    {
        if (input["system"] is not { } url || input["code"] is not { } code)
        {
            return FhirResults.Outcome(StatusCodes.Status400BadRequest, "required", "$lookup takes system and code, or a coding.");
        }
        if (terminology.CodeSystem(url) is not { } system)
        {
            return UnknownSystem(url);
        }
        return system.Find(code) is { } concept
            ? Parameters(("name", "valueString", system.Name ?? url), ("version", "valueString", system.Version), ("display", "valueString", concept.Display ?? code))
            : FhirResults.Outcome(StatusCodes.Status404NotFound, "not-found", $"The code system {url} has no code {code}{(system.IsComplete ? "" : " that is known here")}.");
    }

    static IResult UnknownSystem(string url) => FhirResults.Outcome(StatusCodes.Status404NotFound, "not-found", $"The code system {url} is not known here.");

    static IResult Result(bool isValid, string? message, string? display) => FhirResults.Raw(Write(json =>
    {
        json.WriteString("resourceType"u8, "Parameters"u8);
        json.WriteStartArray("parameter"u8);
        json.WriteStartObject();
        json.WriteString("name"u8, "result"u8);
        json.WriteBoolean("valueBoolean"u8, isValid);
        json.WriteEndObject();
        WriteParameter(json, "message", "valueString", message);
        WriteParameter(json, "display", "valueString", display);
        json.WriteEndArray();
    }));

    static IResult Parameters(params (string Name, string Kind, string? Value)[] parameters) => FhirResults.Raw(Write(json =>
    {
        json.WriteString("resourceType"u8, "Parameters"u8);
        json.WriteStartArray("parameter"u8);
        foreach (var (name, kind, value) in parameters)
        {
            WriteParameter(json, name, kind, value);
        }
        json.WriteEndArray();
    }));

    static void WriteParameter(Utf8JsonWriter json, string name, string kind, string? value)
    {
        if (value is null)
        {
            return;
        }
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteString(kind, value);
        json.WriteEndObject();
    }

    static void WriteExpansion(Utf8JsonWriter json, ExpansionOutcome.Ok expanded, List<ExpandedCode> codes, int offset, int count, DateTimeOffset now)
    {
        json.WriteString("resourceType"u8, "ValueSet"u8);
        WriteText(json, "url", expanded.Url);
        WriteText(json, "version", expanded.Version);
        json.WriteString("status"u8, "active"u8);
        json.WriteStartObject("expansion"u8);
        json.WriteString("identifier"u8, $"urn:uuid:{Guid.NewGuid()}");
        json.WriteString("timestamp"u8, now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"));
        json.WriteNumber("total"u8, codes.Count);
        json.WriteNumber("offset"u8, offset);
        var page = codes.Skip(offset).Take(count).ToList();
        if (page.Count > 0)
        {
            json.WriteStartArray("contains"u8);
            foreach (var code in page)
            {
                json.WriteStartObject();
                WriteText(json, "system", code.System);
                json.WriteString("code"u8, code.Code);
                WriteText(json, "display", code.Display);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    static void WriteText(Utf8JsonWriter json, string name, string? value)
    {
        if (value is { Length: > 0 })
        {
            json.WriteString(name, value);
        }
    }

    static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }
}

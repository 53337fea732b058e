using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Salus.Fhir.Elements;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>
/// <c>$validate</c> (R4 section 2.28.1): what is right and wrong with a resource that is not to be stored, or with one that is, held to more profiles where they
/// are named; with a mode, also what else would stand against a create, an update or a deletion.
/// </summary>
static class ValidationEndpoints
{
    static readonly string[] Modes = ["create", "update", "delete", "profile"];

    public static void Map(RouteGroupBuilder fhir)
    {
        fhir.MapPost("/{type}/$validate", (string type, RecordsDesk desk, RecordDefinitions definitions, HttpContext context) => AnswerAsync(type, null, desk, definitions, context));
        fhir.MapPost("/{type}/{id}/$validate", (string type, string id, RecordsDesk desk, RecordDefinitions definitions, HttpContext context) => AnswerAsync(type, id, desk, definitions, context));
        fhir.MapGet("/{type}/{id}/$validate", (string type, string id, RecordsDesk desk, RecordDefinitions definitions, HttpContext context) => AnswerAsync(type, id, desk, definitions, context));
    }

    static async Task<IResult> AnswerAsync(string type, string? id, RecordsDesk desk, RecordDefinitions definitions, HttpContext context)
    {
        if (!FhirEndpoints.IsResource(type))
        {
            return FhirEndpoints.Unknown(type);
        }
        var (asked, refusal) = await ReadAsync(type, context);
        if (asked is null)
        {
            return refusal!;
        }
        if (Objection(asked, id) is { } objection)
        {
            return FhirResults.Outcome(StatusCodes.Status400BadRequest, "required", objection);
        }
        if (id is not null)
        {
            var read = await desk.ReadAsync(context.Caller(), type, id, null, FhirRequest.PurposeOf(context), context.RequestAborted);
            if (read is not ReadOutcome.Found { Record: var record })
            {
                return FhirResults.Of(read);
            }
            asked = asked.Resource is null && asked.Mode is null or "profile" && FhirJson.Read(record.Bytes) is FhirReadOutcome.Ok { Resource: var stored } ? asked with { Resource = stored } : asked;
        }
        List<FhirIssue> issues = asked.Resource is null ? [] : [.. Findings(type, asked, definitions)];
        if (asked.Mode == "update" && asked.Resource!.Id != id)
        {
            issues.Add(new FhirIssue(IssueSeverity.Error, "invalid", $"{type}.id", $"The resource's id is '{asked.Resource.Id}', the address names '{id}'. They must be the same."));
        }
        if (VerbOf(asked.Mode) is { } verb && await desk.ObjectionAsync(context.Caller(), verb, type, id, context.RequestAborted) is { } against)
        {
            issues.AddRange(FhirResults.IssuesOf(against));
        }
        return FhirResults.Outcome(StatusCodes.Status200OK, issues);
    }

    /// <summary>What is to be validated.</summary>
    sealed record Question(Resource? Resource, string? Mode, IReadOnlyList<string> Profiles);

    static async Task<(Question? Asked, IResult? Refusal)> ReadAsync(string type, HttpContext context)
    {
        var asked = new Question(null, context.Request.Query["mode"] is [{ } mode] ? mode : null, [.. context.Request.Query["profile"].OfType<string>()]);
        if (await FhirRequest.ReadBodyAsync(context) is not { } body)
        {
            return (null, FhirEndpoints.TooLarge());
        }
        if (body.Length == 0)
        {
            return (asked, null);
        }
        if (FhirJson.Read(body) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return (null, FhirResults.Outcome(StatusCodes.Status400BadRequest, ((FhirReadOutcome.Refused)FhirJson.Read(body)).Issues));
        }
        if (resource.ResourceType != "Parameters" || type == "Parameters")
        {
            return (asked with { Resource = resource }, null);
        }
        var input = OperationInput.Of(resource);
        return (new Question(input.Resource("resource"), input["mode"] ?? asked.Mode, input["profile"] is { } profile ? [.. asked.Profiles, profile] : asked.Profiles), null);
    }

    /// <summary>Why a question cannot be answered; null when it can.</summary>
    static string? Objection(Question asked, string? id) => asked switch
    {
        { Mode: { } mode } when !Modes.Contains(mode) => $"'{mode}' is no mode; those are {string.Join(", ", Modes)}.",
        { Mode: "update" or "delete" or "profile" } when id is null => $"The mode {asked.Mode} is about a record: ask at [type]/[id]/$validate.",
        { Mode: "create" } when id is not null => "The mode create is about a resource that is not there yet: ask at [type]/$validate.",
        { Mode: "profile", Profiles: [] } => "The mode profile needs the profile to which the record is held.",
        { Mode: "profile", Resource: not null } => "In the mode profile the record that is stored is held to the profile; leave the resource away.",
        { Mode: "delete", Resource: not null } => "A deletion has no content; leave the resource away.",
        { Mode: not "delete", Resource: null } when id is null || asked.Mode == "update" => "Send the resource, by itself or as the part 'resource' of Parameters.",
        _ => null,
    };

    static IEnumerable<FhirIssue> Findings(string type, Question asked, RecordDefinitions definitions)
    {
        if (asked.Resource!.ResourceType != type)
        {
            return [new FhirIssue(IssueSeverity.Error, "invalid", asked.Resource.ResourceType, $"The body is a {asked.Resource.ResourceType}, the address names {type}.")];
        }
        var known = asked.Profiles.ToLookup(profile => definitions.Fhir.Profile(profile) is not null);
        return
        [
            .. known[false].Select(profile => new FhirIssue(IssueSeverity.Error, "not-found", "", $"The profile {profile} is not known here.")),
            .. definitions.Asked.Validate(asked.Resource, [.. known[true]]),
        ];
    }

    static WriteVerb? VerbOf(string? mode) => mode switch
    {
        "create" => WriteVerb.Create,
        "update" => WriteVerb.Update,
        "delete" => WriteVerb.Delete,
        _ => null,
    };
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Salus.Platform.Identity;

namespace Salus.Platform.Consent.Emergencies;

/// <summary>The HTTP surface of openings in an emergency: practitioners open, patients and auditors are told.</summary>
public static class EmergencyFeature
{
    /// <summary>The wish to open a record.</summary>
    /// <param name="Patient">The patient's logical id.</param>
    /// <param name="Reason">Why it cannot wait for consent; the patient and the auditor read it.</param>
    /// <param name="Minutes">For how long; an hour when absent.</param>
    public sealed record EmergencyRequest(string? Patient, string? Reason, int? Minutes);

    const int MinutesDefault = 60;

    /// <summary>Maps the routes.</summary>
    public static void MapEmergencies(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/emergencies").WithTags("Emergencies");
        group.MapGet("/", ListAsync);
        group.MapPost("/", OpenAsync).RequireAuthorization(Policies.Practitioner);
        group.MapPost("/{id}/end", EndAsync);
        group.MapPost("/seen", AcknowledgeAsync);
    }

    static async Task<Results<Ok<IReadOnlyList<EmergencyView>>, ForbidHttpResult>> ListAsync(EmergencyDesk desk, HttpContext context) =>
        context.Caller().Role is Role.Patient or Role.Practitioner or Role.Auditor
            ? TypedResults.Ok(await desk.ListAsync(context.Caller(), context.RequestAborted))
            : TypedResults.Forbid();

    static async Task<Results<Created<EmergencyOutcome.Opened>, ForbidHttpResult, ProblemHttpResult>> OpenAsync(EmergencyRequest request, EmergencyDesk desk, HttpContext context) =>
        await desk.OpenAsync(context.Caller(), request.Patient ?? "", request.Reason, request.Minutes ?? MinutesDefault, context.RequestAborted) switch
        {
            EmergencyOutcome.Opened opened => TypedResults.Created($"/api/emergencies/{opened.Id}", opened),
            EmergencyOutcome.Invalid invalid => Problems.BadField(invalid.Field, invalid.Wrong, invalid.Right),
            EmergencyOutcome.UnknownPatient => Problems.Field(StatusCodes.Status404NotFound, "patient", "No patient has this id here.", "Give the logical id of the Patient; POST /api/patients/find finds it by an identifier."),
            EmergencyOutcome.TooMany many => Problems.Field(StatusCodes.Status429TooManyRequests, "patient", $"You have opened {many.CountMax} records within a day.", "Ask a colleague, or the patient for consent; the auditor looks at what you opened."),
            _ => TypedResults.Forbid(),
        };

    static async Task<Results<NoContent, NotFound>> EndAsync(string id, EmergencyDesk desk, HttpContext context) =>
        await desk.EndAsync(context.Caller(), id, context.RequestAborted) ? TypedResults.NoContent() : TypedResults.NotFound();

    static async Task<Results<NoContent, ForbidHttpResult>> AcknowledgeAsync(EmergencyDesk desk, HttpContext context)
    {
        if (context.Caller().Role is not (Role.Patient or Role.Auditor))
        {
            return TypedResults.Forbid();
        }
        await desk.AcknowledgeAsync(context.Caller(), context.RequestAborted);
        return TypedResults.NoContent();
    }
}

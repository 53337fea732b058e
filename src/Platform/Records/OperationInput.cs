using Microsoft.AspNetCore.Http;
using Salus.Fhir.Elements;

namespace Salus.Platform.Records;

/// <summary>The parameters of an operation, from the query or from a Parameters resource.</summary>
sealed class OperationInput
{
    readonly Dictionary<string, string> texts = [];
    readonly Dictionary<string, Resource> resources = [];

    /// <summary>A parameter's value as text; null when it is not given.</summary>
    public string? this[string name] => texts.GetValueOrDefault(name);

    /// <summary>A parameter that is a resource; null when it is not given.</summary>
    public Resource? Resource(string name) => resources.GetValueOrDefault(name);

    /// <summary>Those of a Parameters resource.</summary>
    public static OperationInput Of(Resource parameters)
    {
        var input = new OperationInput();
        input.Take(parameters);
        return input;
    }

    /// <summary>Those of a request; null with the reason when its body cannot be read.</summary>
    public static async Task<(OperationInput? Input, IResult? Refusal)> ReadAsync(HttpContext context)
    {
        var input = new OperationInput();
        foreach (var (name, value) in FhirRequest.ParametersOf(context))
        {
            input.texts[name] = value;
        }
        if (HttpMethods.IsPost(context.Request.Method) && await FhirRequest.ReadBodyAsync(context) is { Length: > 0 } body)
        {
            if (FhirJson.Read(body) is not FhirReadOutcome.Ok { Resource: var parameters })
            {
                return (null, FhirResults.Outcome(StatusCodes.Status400BadRequest, ((FhirReadOutcome.Refused)FhirJson.Read(body)).Issues));
            }
            if (parameters.ResourceType != "Parameters")
            {
                return (null, FhirResults.Outcome(StatusCodes.Status400BadRequest, "invalid", $"An operation takes Parameters, not {parameters.ResourceType}."));
            }
            input.Take(parameters);
        }
        return (input, null);
    }

    /// <summary>Takes the stored resource that the operation is asked of, as if it had been sent.</summary>
    public void TakeInstance(string name, byte[] stored)
    {
        if (FhirJson.Read(stored) is FhirReadOutcome.Ok { Resource: var resource })
        {
            resources[name] = resource;
        }
    }

    void Take(Resource parameters)
    {
        foreach (var part in parameters.Root["parameter"u8].Items)
        {
            if (part["name"u8].Text is not { } name)
            {
                continue;
            }
            if (Salus.Fhir.Elements.Resource.From(part["resource"u8]) is { } resource)
            {
                resources[name] = resource;
            }
            foreach (var child in part.Children)
            {
                if (!child.NameUtf8.StartsWith("value"u8))
                {
                    continue;
                }
                if (child.Text is { } text)
                {
                    texts[name] = text;
                }
                else if (child["code"u8].Text is { } code)
                {
                    // A Coding brings its code and its system
                    texts["code"] = code;
                    texts["system"] = child["system"u8].Text ?? "";
                }
            }
        }
    }
}

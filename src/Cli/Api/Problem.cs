using System.Net;
using System.Text.Json;

namespace Salus.Cli.Api;

/// <summary>Reasons of refusals in one line.</summary>
static class Problem
{
    /// <summary>The reason in a ProblemDetails or an OperationOutcome, or the status where there is neither.</summary>
    public static string Read(HttpStatusCode status, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var reason = OfOutcome(document.RootElement) ?? OfProblem(document.RootElement);
            if (!string.IsNullOrWhiteSpace(reason))
            {
                return $"{reason} ({(int)status})";
            }
        }
        catch (JsonException)
        {
            // Not JSON: the status says what there is to say.
        }
        return $"The node answered {(int)status} {status}.";
    }

    static string? OfOutcome(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("issue", out var issues) || issues.ValueKind != JsonValueKind.Array)
        {
            return null;
        }
        const int issuesShownMax = 3;
        var shown = issues.EnumerateArray().Take(issuesShownMax).Select(issue =>
        {
            var text = Text(issue, "diagnostics") ?? (issue.TryGetProperty("details", out var details) ? Text(details, "text") : null) ?? Text(issue, "code");
            var place = issue.TryGetProperty("expression", out var expression) && expression is { ValueKind: JsonValueKind.Array } && expression.GetArrayLength() > 0
                ? expression[0].GetString()
                : null;
            return string.IsNullOrEmpty(place) ? text : $"{place}: {text}";
        });
        var more = issues.GetArrayLength() - issuesShownMax;
        return string.Join(" ", shown) + (more > 0 ? $" And {more} more." : "");
    }

    static string? OfProblem(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        var fields = root.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Object
            ? string.Join(" ", errors.EnumerateObject().Select(field => $"{field.Name}: {string.Join(" ", field.Value.EnumerateArray().Select(value => value.GetString()))}"))
            : null;
        var title = Text(root, "title");
        var rest = string.Join(" ", new[] { Text(root, "detail"), fields }.Where(part => !string.IsNullOrWhiteSpace(part)));
        return title is null || rest.Length == 0 ? title ?? rest : $"{title.TrimEnd('.', ' ')}: {rest}";
    }

    static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

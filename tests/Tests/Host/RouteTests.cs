using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Host;

public sealed class RouteTests
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    [Fact]
    public async Task Every_route_of_the_host_stands_in_the_table_and_the_table_names_no_other()
    {
        await using var node = await TestNode.StartAsync();
        var routes = RoutesOf(node);
        Assert.Equal([], routes.Except(RouteTable.Rows.Keys).Order());
        Assert.Equal([], RouteTable.Rows.Keys.Except(routes).Order());
    }

    [Fact]
    public async Task Each_route_lets_in_the_roles_of_the_table_and_nobody_else()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor, TestNode.EncounterOf(RouteTable.KnownIdentifier));
        var observation = records.First(record => record.Type == "Observation").Id;
        var clients = new Dictionary<Role, HttpClient>();
        foreach (var role in Enum.GetValues<Role>())
        {
            clients[role] = await node.ClientAsync(await node.AddAsync(role));
        }
        using var nobody = await node.ClientAsync();

        List<string> wrong = [];
        foreach (var route in RoutesOf(node).Intersect(RouteTable.Rows.Keys).Order())
        {
            var (anonymous, letIn) = RouteTable.Rows[route];
            var met = await AskAsync(nobody, route, patient, observation);
            if (met.Answer != anonymous)
            {
                wrong.Add($"{route}: nobody should meet {anonymous}, but met {met.Answer} ({met.Status})");
            }
            foreach (var (role, client) in clients.Where(_ => route is not ("DELETE /api/token" or "POST /api/sign-out" or "POST /api/sign-out/everywhere")))
            {
                var expected = letIn.Contains(role) ? Answer.Yes : Answer.No;
                met = await AskAsync(client, route, patient, observation);
                if ((met.Answer is Answer.Redirect ? Answer.Yes : met.Answer) != expected)
                {
                    wrong.Add($"{route}: {role} should meet {expected}, but met {met.Answer} ({met.Status})");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Theory]
    [InlineData("GET", "/api/account")]
    [InlineData("DELETE", "/api/token")]
    public async Task A_token_opens_nothing_once_it_is_revoked_or_made_up(string method, string path)
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("/api/token", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), TestContext.Current.CancellationToken)).StatusCode);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "salus_made-up");
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), TestContext.Current.CancellationToken)).StatusCode);
    }

    static SortedSet<string> RoutesOf(TestNode node) =>
        [.. from endpoint in node.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            // A page answers its own forms under the same rule.
            from method in endpoint.Metadata.GetMetadata<ComponentTypeMetadata>() is null ? endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"] : ["GET"]
            select $"{method} /{endpoint.RoutePattern.RawText!.Trim('/')}"];

    static async Task<(Answer Answer, HttpStatusCode Status)> AskAsync(HttpClient client, string route, string patient, string observation)
    {
        var (method, pattern) = (route[..route.IndexOf(' ')], route[(route.IndexOf(' ') + 1)..]);
        var path = pattern.Replace("{Deed:regex(^(approve|disable|reset)$)}", "approve").Replace("{Account:guid}", Guid.NewGuid().ToString()).Replace("{type}", "Observation").Replace("{patient}", patient).Replace("{version:int}", "1")
            .Replace("{level:int}", "0").Replace("{number:int}", "1").Replace("{position:long}", "7").Replace("{from:long}", "7").Replace("{to:long}", "8").Replace("{**path}", "000").Replace("{**rest}", "entries")
            .Replace("{id:guid}", Guid.NewGuid().ToString(), StringComparison.OrdinalIgnoreCase).Replace("{For:guid}", Guid.NewGuid().ToString()).Replace("{Id}", patient)
            .Replace("{id}", pattern.StartsWith("/fhir", StringComparison.Ordinal) ? observation : patient);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (route.EndsWith("/$export", StringComparison.Ordinal))
        {
            request.Headers.Add("Prefer", "respond-async");
        }
        if (route == "POST /api/files")
        {
            request.RequestUri = new Uri($"/api/files?patient={patient}&title=Scan", UriKind.Relative);
            request.Content = new ByteArrayContent("%PDF-1.7 of a test"u8.ToArray()) { Headers = { ContentType = new("application/pdf") } };
        }
        else if (route == "POST /api/data-sets")
        {
            request.RequestUri = new Uri("/api/data-sets?name=Table", UriKind.Relative);
            request.Content = new StringContent("age,sex\n51,female\n48,male\n", new MediaTypeHeaderValue("text/csv"));
        }
        else if (RouteTable.BodyOf(route, patient, observation) is { } body)
        {
            request.Content = new StringContent(JsonSerializer.Serialize(body, Json), new MediaTypeHeaderValue("application/json"));
        }
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode switch
        {
            // Wrong credentials are answered 401 at these doors, which are open to all.
            HttpStatusCode.Unauthorized when route is "POST /api/sign-in" or "POST /api/sign-in/second-factor" or "POST /api/sign-in/passkey" or "POST /api/token" => Answer.Yes,
            // A wrong present password is answered 403, and it is one's own account.
            HttpStatusCode.Forbidden when route is "POST /api/account/password" or "POST /api/account/second-factor" or "POST /api/account/passkeys/prepare" => Answer.Yes,
            // An open door to an empty room: nothing was anchored yet, or there is nothing of that id.
            HttpStatusCode.NotFound when route is "GET /log/checkpoint" or "GET /log/tile/{level:int}/{**path}"
                or "GET /log/proof/{position:long}" or "GET /log/consistency/{from:long}/{to:long}" or "GET /log/{**rest}" or "GET /registered/{Account:guid}" or "GET /problem"
                or "GET /api/models/{model}" or "POST /api/models/{model}/watch" or "POST /api/models/{model}/what-if" or "POST /api/models/{model}/cohort" or "GET /models/{Id}" or "GET /models/{Id}/what-if"
                or "POST /cds-services/{service}" or "POST /cds-services/{service}/feedback" or "POST /api/other-systems/{id:guid}/withdraw" or "GET /other-systems/{Id:guid}/withdraw"
                or "GET /models/{Id}/cohort" or "GET /consents/{Id:guid}/revoke" or "GET /accounts/{Id:guid}/{Deed:regex(^(approve|disable|reset)$)}" => Answer.Yes,
            // The page that tells of a refusal, asked for by itself.
            HttpStatusCode.Forbidden when route is "GET /refused" => Answer.Yes,
            HttpStatusCode.Unauthorized => Answer.SignIn,
            HttpStatusCode.Forbidden or HttpStatusCode.NotFound => Answer.No,
            HttpStatusCode.Redirect => Answer.Redirect,
            >= HttpStatusCode.InternalServerError => Answer.Failed,
            _ => Answer.Yes,
        }, response.StatusCode);
    }
}

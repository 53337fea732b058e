using System.Net;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Host;

public sealed class ProblemTests
{
    const string Heading = "<h1>Something went wrong here</h1>";

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task A_page_that_fails_while_it_is_made_gives_way_to_a_page_that_says_so(string method)
    {
        await using var node = await TestNode.StartAsync();
        using var auditor = await node.ClientAsync(await node.AddAsync(Role.Auditor));
        await node.Database.ExecuteAsync("ALTER TABLE log_head RENAME TO log_head_away");
        using var request = new HttpRequestMessage(new HttpMethod(method), "/blocks");
        var answer = await auditor.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(method == "GET" ? HttpStatusCode.InternalServerError : HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(method == "GET" ? Heading : "<h1>This form has expired</h1>", body, StringComparison.Ordinal);
        // The frame around it is the usual one.
        Assert.Contains("Audit trail", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_the_page_about_the_failure_too_is_told_by_a_file()
    {
        await using var node = await TestNode.StartAsync();
        using var auditor = await node.ClientAsync(await node.AddAsync(Role.Auditor));
        await node.Database.ExecuteAsync("ALTER TABLE account RENAME TO account_away");
        var answer = await auditor.GetAsync("/node", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains("default-src 'none'", string.Join(' ', answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Contains(Heading, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}

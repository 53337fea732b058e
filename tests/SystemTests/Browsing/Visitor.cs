using System.Collections.Concurrent;
using Microsoft.Playwright;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Browsing;

/// <summary>Somebody at a browser: what they do on pages, and what the browser complains of meanwhile.</summary>
sealed class Visitor
{
    public const float WaitMillisecondsMax = 60_000;

    readonly RunningNode node;
    readonly ConcurrentQueue<string> complaints = new();
    readonly ConcurrentDictionary<int, byte> expected = new();

    public Visitor(RunningNode node, IPage page)
    {
        (this.node, Page) = (node, page);
        page.Console += (_, message) => Hear(message);
        page.PageError += (_, error) => complaints.Enqueue($"Script: {error}");
        page.Context.Request += (_, request) => Watch(request.Url);
    }

    /// <summary>The open page.</summary>
    public IPage Page { get; }

    /// <summary>The page's own part.</summary>
    public ILocator Main => Page.GetByRole(AriaRole.Main);

    /// <summary>Answers of this status are part of the journey, not complaints.</summary>
    public void Expect(int status) => expected[status] = 1;

    /// <summary>Opens an address of the node; the status of its answer.</summary>
    public async Task<int> GoAsync(string path) => (await Page.GotoAsync(path))!.Status;

    /// <summary>Signs in on the page for it, as the demonstration's account of a role.</summary>
    public Task SignInAsync(string role) => SignInAsync(node.Account(role).Email, node.Account(role).Password);

    /// <summary>Signs in on the page for it.</summary>
    public async Task SignInAsync(string email, string password)
    {
        await GoAsync("/sign-in");
        await Page.GetByLabel("E-mail").FillAsync(email);
        await Page.GetByLabel("Password").FillAsync(password);
        await PressAsync("Sign in");
        await Assertions.Expect(Button("Sign out")).ToBeVisibleAsync();
    }

    /// <summary>Ends the session by the button on every page.</summary>
    public async Task SignOutAsync()
    {
        await PressAsync("Sign out");
        await SeesAsync("You are signed out");
    }

    /// <summary>A button by its name.</summary>
    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

    /// <summary>Presses a button by its name.</summary>
    public Task PressAsync(string name) => Button(name).ClickAsync();

    /// <summary>Follows a link of the page's own part by its name.</summary>
    public Task FollowAsync(string name) => Main.GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = name }).First.ClickAsync();

    /// <summary>Fills a field by its label.</summary>
    public Task FillAsync(string label, string value) => Main.GetByLabel(label).First.FillAsync(value);

    /// <summary>Waits until the page's own part shows a text.</summary>
    public Task SeesAsync(string text) => Assertions.Expect(Main).ToContainTextAsync(text);

    /// <summary>Waits until the page has this first heading.</summary>
    public Task SeesHeadingAsync(string text) =>
        Assertions.Expect(Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1 })).ToContainTextAsync(text);

    /// <summary>Loads the page again until it shows what the node does in its own time.</summary>
    public Task ReloadUntilAsync(Func<Task<bool>> ask, string what) => Waiting.UntilAsync(async () =>
    {
        if (await ask())
        {
            return true;
        }
        await Page.ReloadAsync();
        return await ask();
    }, what);

    /// <summary>Requires that the browser has not complained, and that nothing was asked of another host.</summary>
    public void RequireQuiet() => Assert.Empty(complaints);

    void Hear(IConsoleMessage message)
    {
        if (message.Type is not "error" || expected.Keys.Any(status => message.Text.Contains($"status of {status} ", StringComparison.Ordinal)))
        {
            return;
        }
        complaints.Enqueue($"Console at {Page.Url}: {message.Text}");
    }

    void Watch(string url)
    {
        // Other schemes (data, blob, the browser's own document viewer) reach no host.
        if (new Uri(url) is { Scheme: "http" or "https" or "ws" or "wss" } address && !url.StartsWith(node.Address + "/", StringComparison.Ordinal))
        {
            complaints.Enqueue($"A request to another host: {address}");
        }
    }
}

using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Salus.SystemTests.Browsing;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Journeys;

/// <summary>Every page that a role can reach by links, looked at with axe-core at a desk and on a phone, by day and by night.</summary>
[Collection(SharedNode.Journeys)]
public sealed partial class AccessibilityTests(SharedNode shared, Chromium chromium)
{
    const string Nobody = "";

    /// <summary>The pages by role, with ids left out. A page that is reached and not named here fails too: it belongs in the table.</summary>
    static readonly Dictionary<string, string[]> Pages = new()
    {
        [Nobody] = ["/", "/sign-in", "/sign-up", "/sign-out", "/blocks", "/nowhere"],
        ["Patient"] =
        [
            "/", "/account", "/account/passkeys", "/account/password", "/account/second-factor", "/sign-out", "/my-record", "/consents", "/consents/new",
            "/consents/passkeys", "/consents/delegates", "/consents/recovery", "/consents/{id}/revoke", "/who-read", "/emergencies", "/upload", "/blocks", "/data-sets",
        ],
        ["Practitioner"] =
        [
            "/", "/account", "/account/passkeys", "/account/password", "/account/second-factor", "/sign-out", "/patients", "/elsewhere", "/patients/{id}", "/patients/{id}/predictions", "/conditions/new", "/upload",
            "/predictions", "/models/{id}", "/models/{id}/what-if", "/models/{id}/cohort", "/models/compare", "/data-sets", "/data-sets/{id}", "/blocks", "/emergencies", "/patients/{id}/emergency",
        ],
        ["Researcher"] = ["/", "/account", "/account/passkeys", "/account/password", "/account/second-factor", "/sign-out", "/data-sets", "/data-sets/{id}", "/predictions", "/models/{id}", "/blocks"],
        ["Auditor"] = ["/", "/account", "/account/passkeys", "/account/password", "/account/second-factor", "/sign-out", "/audit", "/emergencies", "/erasures", "/node", "/predictions", "/models/{id}", "/blocks"],
        ["Administrator"] =
        [
            "/", "/account", "/account/passkeys", "/account/password", "/account/second-factor", "/sign-out", "/accounts", "/accounts/{id}/approve", "/accounts/{id}/disable",
            "/erasures", "/erasures/new", "/members", "/other-systems", "/other-systems/{id}/withdraw", "/node", "/predictions", "/models/{id}", "/blocks",
        ],
    };

    /// <summary>Addresses that no link of the role leads to.</summary>
    static readonly Dictionary<string, string[]> Unlinked = new()
    {
        [Nobody] = ["/sign-out", "/blocks", "/nowhere"],
        ["Patient"] = ["/data-sets"],
        ["Practitioner"] = ["/emergencies", "/models/compare", "/patients/3d6a1c52-8f0e-4f6b-9d1c-5b7a2e9f4c10/emergency"],
        ["Auditor"] = ["/predictions"],
    };

    /// <summary>Pages that show every role the same: the first role that comes there looks.</summary>
    static readonly HashSet<string> Alike = ["/account", "/account/passkeys", "/account/password", "/account/second-factor", "/sign-out", "/blocks", "/predictions"];

    static readonly ConcurrentDictionary<string, bool> LookedAt = new();

    public static TheoryData<string> Roles => [.. Pages.Keys];

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task Axe_finds_nothing_on_any_page_of_a_role(string role)
    {
        var node = await shared.StartedAsync();
        await FurnishAsync(node, role);
        await chromium.BrowseAsync(node, Look.Desktop, $"axe-{(role == Nobody ? "signed-out" : role)}", async visitor =>
        {
            visitor.Expect(404);
            if (role != Nobody)
            {
                await visitor.SignInAsync(role);
            }
            var (visited, violations) = await VisitAllAsync(visitor, role, ["/", .. Unlinked.GetValueOrDefault(role, [])]);
            Assert.True(violations.Count == 0, string.Join('\n', violations));
            Assert.Equal(Pages[role].Order(StringComparer.Ordinal), visited.Order(StringComparer.Ordinal));
        });
    }

    [Fact]
    public async Task What_is_wrong_on_a_page_is_found_in_every_look()
    {
        await chromium.BrowseAsync(await shared.StartedAsync(), Look.Desktop, "axe-wrong", async visitor =>
        {
            await visitor.GoAsync("/sign-in");
            await visitor.Page.EvaluateAsync(
                "() => { const pale = document.createElement('p'); pale.textContent = 'Hardly seen'; pale.style.color = '#888'; pale.style.backgroundColor = '#999'; "
                + "pale.style.width = '3000px'; document.querySelector('main').append(pale, document.createElement('img')); }");
            var found = await Accessibility.ViolationsAsync(visitor.Page);
            foreach (var wrong in new[] { "1280 px: color-contrast", "390 px: color-contrast", "dark: color-contrast", "1280 px: image-alt", "390 px: image-alt" })
            {
                Assert.Contains(found, line => line.StartsWith(wrong, StringComparison.Ordinal));
            }
            Assert.Equal(2, found.Count(line => line.Contains("scrolls sideways", StringComparison.Ordinal)));
        });
    }

    [Fact]
    public async Task The_sign_in_form_is_walked_by_keyboard_in_the_order_it_is_read()
    {
        await chromium.BrowseAsync(await shared.StartedAsync(), Look.Desktop, "keyboard", async visitor =>
        {
            await visitor.GoAsync("/sign-in");
            await visitor.Page.Keyboard.PressAsync("Tab");
            Assert.Equal("Skip to the content", await FocusedAsync(visitor));
            await RequireVisibleFocusAsync(visitor);
            await visitor.Page.Keyboard.PressAsync("Enter");
            Assert.Equal("main", await visitor.Page.EvaluateAsync<string>("() => document.activeElement.id"));
            foreach (var stop in new[] { "email", "password", "Sign in", "Sign in with a passkey" })
            {
                await visitor.Page.Keyboard.PressAsync("Tab");
                Assert.Equal(stop, await FocusedAsync(visitor));
                await RequireVisibleFocusAsync(visitor);
            }
        });
    }

    /// <summary>Gives the pages something to show.</summary>
    static async Task FurnishAsync(RunningNode node, string role)
    {
        using var client = role == Nobody ? ApiClient.Anonymous(node) : await ApiClient.SignInAsync(node, role);
        if (role is not (Nobody or "Patient"))
        {
            await ReleaseModelAsync(node);
        }
        switch (role)
        {
            case "Practitioner":
                foreach (var patient in (await client.GetAsync("/api/patients")).EnumerateArray())
                {
                    await client.PostAsync($"/api/patients/{patient.GetString()}/predictions", null);
                }
                await LoadTableAsync(client);
                break;
            case "Researcher":
                await LoadTableAsync(client);
                break;
            case "Administrator":
                using (var nobody = ApiClient.Anonymous(node))
                {
                    await nobody.PostAsync("/api/sign-up", new { email = "waits@example.org", displayName = "Will Wait", password = "nine patient otters", role = "Laboratory" });
                }
                using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
                {
                    await client.PostAsync("/api/other-systems", new { name = "Another record", issuer = $"https://{Guid.NewGuid()}.example.org", keys = key.ExportSubjectPublicKeyInfoPem() });
                }
                break;
            default:
                break;
        }
        if (role != Nobody)
        {
            await client.AnchoredAsync();
        }
    }

    static async Task ReleaseModelAsync(RunningNode node)
    {
        using var doctor = await ApiClient.SignInAsync(node, "Practitioner");
        if ((await doctor.GetAsync("/api/models")).GetArrayLength() > 0)
        {
            return;
        }
        var trained = await doctor.PostAsync("/api/models/train", new { });
        await doctor.PostAsync($"/api/models/{trained.GetProperty("summary").GetProperty("id").GetString()}/release", new { statement = "To have something to show." });
    }

    static async Task LoadTableAsync(ApiClient client)
    {
        var answer = await client.AskAsync(HttpMethod.Post, "/api/data-sets?name=Ages&fileName=ages.csv", new StringContent("age,sex\n41,female\n52,male\n63,female\n", new System.Net.Http.Headers.MediaTypeHeaderValue("text/csv")));
        Assert.True(answer.IsSuccess, $"The table was refused: {answer.Status} {answer.Body}");
    }

    /// <summary>Visits one page of each kind, following links from the first.</summary>
    static async Task<(HashSet<string> Visited, List<string> Violations)> VisitAllAsync(Visitor visitor, string role, IEnumerable<string> begin)
    {
        HashSet<string> visited = [];
        List<string> violations = [];
        var later = new Queue<string>(begin);
        Queue<string> ahead = [];
        // What no link leads to comes last: it may show what the role has no access to, under an address of the same kind.
        while (ahead.TryDequeue(out var path) || later.TryDequeue(out path))
        {
            if (!visited.Add(Kind(path)))
            {
                continue;
            }
            await visitor.GoAsync(path);
            var isKnown = role != Nobody && !LookedAt.TryAdd(Kind(path), true);
            if (!isKnown || !Alike.Contains(path))
            {
                await OpenEverythingAsync(visitor.Page);
                // Patients and practitioners do more on their pages than others find there
                violations.AddRange((await Accessibility.ViolationsAsync(visitor.Page, isKnown && role is not ("Patient" or "Practitioner"))).Select(line => $"{path}: {line}"));
            }
            foreach (var link in await LinksAsync(visitor.Page))
            {
                ahead.Enqueue(link);
            }
        }
        return (visited, violations);
    }

    /// <summary>What is folded away is looked at too; documents stay folded, for their viewer is the browser's own page.</summary>
    static async Task OpenEverythingAsync(IPage page) =>
        await page.EvaluateAsync("() => document.querySelectorAll('details:not(:has(iframe))').forEach(details => { details.open = true; })");

    static Task<string[]> LinksAsync(IPage page) => page.EvaluateAsync<string[]>(
        "() => [...document.querySelectorAll('a[href]:not([download]):not([target])')].map(link => new URL(link.href)).filter(url => url.origin === location.origin).map(url => url.pathname)");

    static string Kind(string path) => Identifier().Replace(path, "{id}");

    static Task<string> FocusedAsync(Visitor visitor) =>
        visitor.Page.EvaluateAsync<string>("() => document.activeElement.id || document.activeElement.textContent.trim()");

    static async Task RequireVisibleFocusAsync(Visitor visitor)
    {
        var isSeen = await visitor.Page.EvaluateAsync<bool>(
            "() => { const focused = document.activeElement, style = getComputedStyle(focused), box = focused.getBoundingClientRect(); "
            + "return focused.matches(':focus-visible') && box.width > 1 && box.height > 1 && box.top >= 0 && box.left >= 0 "
            + "&& ((style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none'); }");
        Assert.True(isSeen, $"The focus on '{await FocusedAsync(visitor)}' cannot be seen.");
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Identifier();
}

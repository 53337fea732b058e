using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Salus.SystemTests.Browsing;

/// <summary>What axe-core finds on a page, as it is looked at at a desk and on a phone, by day and by night.</summary>
static class Accessibility
{
    /// <summary>What passes is not listed: telling of every element of a page takes longer than judging it.</summary>
    const string Run =
        """
        async rules => (await axe.run(document, { resultTypes: ['violations'], ...(rules && { runOnly: { type: 'rule', values: rules } }) })).violations
            .flatMap(violation => violation.nodes.map(node => `${violation.id}: ${node.target}: ${node.html} (${violation.help})`))
        """;

    static readonly string[] ContrastOnly = ["color-contrast"];
    static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    /// <summary>The violations, one line each; empty when there are none.</summary>
    /// <param name="page">The page, as it stands.</param>
    /// <param name="isKnown">Whether a page of its kind was looked at in every way before, so that a desk by day is enough for what another role finds on it.</param>
    public static async Task<IReadOnlyList<string>> ViolationsAsync(IPage page, bool isKnown = false)
    {
        List<string> found = [];
        await page.EvaluateAsync(Axe);
        foreach (var look in isKnown ? [Look.Desktop] : new[] { Look.Desktop, Look.Phone })
        {
            await page.SetViewportSizeAsync(look.Width, look.Height);
            await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
            found.AddRange(await RunAsync(page, null, $"{look.Width} px"));
            found.AddRange(await OverflowAsync(page, look));
        }
        if (isKnown)
        {
            return found;
        }
        // Colours are what the dark scheme changes, and the phone shows all of them.
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        found.AddRange(await RunAsync(page, ContrastOnly, "dark"));
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
        return found;
    }

    static async Task<IEnumerable<string>> RunAsync(IPage page, string[]? rules, string look) =>
        (await page.EvaluateAsync<string[]>(Run, rules)).Select(line => $"{look}: {line}");

    /// <summary>A page that scrolls sideways is broken on a phone, though axe does not look.</summary>
    static async Task<IReadOnlyList<string>> OverflowAsync(IPage page, Look look)
    {
        var wide = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
        return wide > look.Width ? [$"{look.Width} px: the page is {wide} px wide and scrolls sideways"] : [];
    }
}

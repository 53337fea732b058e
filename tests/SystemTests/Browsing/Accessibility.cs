using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Salus.SystemTests.Browsing;

/// <summary>What axe-core finds on a page, as it is looked at at a desk and on a phone, by day and by night.</summary>
static class Accessibility
{
    static readonly AxeRunOptions ContrastOnly = new() { RunOnly = RunOnlyOptions.Rules("color-contrast") };

    /// <summary>The violations, one line each; empty when there are none.</summary>
    /// <param name="page">The page, as it stands.</param>
    /// <param name="isKnown">Whether a page of its kind was looked at in every way before, so that a desk by day is enough for what another role finds on it.</param>
    public static async Task<IReadOnlyList<string>> ViolationsAsync(IPage page, bool isKnown = false)
    {
        List<string> found = [];
        foreach (var look in isKnown ? [Look.Desktop] : new[] { Look.Desktop, Look.Phone })
        {
            await page.SetViewportSizeAsync(look.Width, look.Height);
            await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
            found.AddRange(Lines(await page.RunAxe(), $"{look.Width} px"));
            found.AddRange(await OverflowAsync(page, look));
        }
        if (isKnown)
        {
            return found;
        }
        // Colours are what the dark scheme changes, and the phone shows all of them.
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        found.AddRange(Lines(await page.RunAxe(ContrastOnly), "dark"));
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
        return found;
    }

    static IEnumerable<string> Lines(AxeResult result, string look) =>
        from violation in result.Violations
        from node in violation.Nodes
        select $"{look}: {violation.Id}: {node.Target}: {node.Html} ({violation.Help})";

    /// <summary>A page that scrolls sideways is broken on a phone, though axe does not look.</summary>
    static async Task<IReadOnlyList<string>> OverflowAsync(IPage page, Look look)
    {
        var wide = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
        return wide > look.Width ? [$"{look.Width} px: the page is {wide} px wide and scrolls sideways"] : [];
    }
}

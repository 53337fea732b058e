using Microsoft.Playwright;
using Salus.SystemTests.Browsing;
using Salus.SystemTests.Support;

[assembly: AssemblyFixture(typeof(Chromium))]

namespace Salus.SystemTests.Browsing;

/// <summary>How a page is looked at.</summary>
/// <param name="Width">Of the window, in CSS pixels.</param>
/// <param name="Height">Of the window, in CSS pixels.</param>
/// <param name="IsPhone">Whether it is touched rather than pointed at.</param>
sealed record Look(int Width, int Height, bool IsPhone)
{
    public static readonly Look Desktop = new(1280, 900, IsPhone: false);
    public static readonly Look Phone = new(390, 844, IsPhone: true);
}

/// <summary>The real browser, started when the first journey asks for it.</summary>
public sealed class Chromium : IAsyncDisposable
{
    static readonly string[] Arguments = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"];
    static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    readonly Lazy<Task<(IPlaywright Playwright, IBrowser Browser)>> running = new(StartAsync);

    /// <summary>Walks a journey in a browser profile of its own. A failure leaves a picture of the page; errors in the console, and requests to
    /// any other host, are failures too.</summary>
    /// <param name="node">Whose pages.</param>
    /// <param name="look">How they are looked at.</param>
    /// <param name="journey">What is done, for the picture's file name.</param>
    /// <param name="walk">The journey.</param>
    internal async Task BrowseAsync(RunningNode node, Look look, string journey, Func<Visitor, Task> walk)
    {
        await using var context = await (await running.Value).Browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = node.Address, ViewportSize = new ViewportSize { Width = look.Width, Height = look.Height },
            IsMobile = look.IsPhone, HasTouch = look.IsPhone, DeviceScaleFactor = look.IsPhone ? 3 : 1, ColorScheme = ColorScheme.Light,
            // A transition between pages that is cut short by the next step is no fault of the page.
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(Visitor.WaitMillisecondsMax);
        context.SetDefaultNavigationTimeout(Visitor.WaitMillisecondsMax);
        var visitor = new Visitor(node, await context.NewPageAsync());
        try
        {
            await walk(visitor);
            visitor.RequireQuiet();
        }
        catch
        {
            await visitor.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Repository.Artifacts, $"{journey}.png"), FullPage = true });
            throw;
        }
    }

    /// <summary>A picture and a document, drawn by the browser itself.</summary>
    internal async Task<(byte[] Png, byte[] Pdf)> DrawAsync(string text, int width, int height)
    {
        await using var context = await (await running.Value).Browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = height } });
        var page = await context.NewPageAsync();
        await page.SetContentAsync($"<h1>{text}</h1>");
        return (await page.ScreenshotAsync(), await page.PdfAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (running.IsValueCreated && running.Value.IsCompletedSuccessfully)
        {
            var (playwright, browser) = await running.Value;
            await browser.CloseAsync();
            playwright.Dispose();
        }
    }

    static async Task<(IPlaywright, IBrowser)> StartAsync()
    {
        var path = Names.SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        Assert.True(path is not null, "Chromium is missing. Install it: apt-get install chromium");
        Assertions.SetDefaultExpectTimeout(Visitor.WaitMillisecondsMax);
        var playwright = await Playwright.CreateAsync();
        return (playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = path, Args = Arguments }));
    }
}

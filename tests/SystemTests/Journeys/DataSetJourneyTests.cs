using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Salus.SystemTests.Browsing;

namespace Salus.SystemTests.Journeys;

/// <summary>A researcher takes a table of health records from a CSV file to a sealed and anchored data set.</summary>
[Collection(SharedNode.Journeys)]
public sealed class DataSetJourneyTests(SharedNode shared, Chromium chromium)
{
    const int Rows = 40;

    [Fact]
    public Task A_table_is_looked_at_charted_processed_noised_and_sealed() => AsResearcherAsync("data-set", async researcher =>
    {
        await LoadAsync(researcher, "cohort.csv", Table());
        await researcher.SeesAsync($"{Rows} rows, 4 columns, from cohort.csv");
        var columns = researcher.Main.GetByRole(AriaRole.Region, new LocatorGetByRoleOptions { Name = "Columns" });
        await Assertions.Expect(columns.Locator("tr", new LocatorLocatorOptions { HasText = "glucose" })).ToContainTextAsync(new Regex(@"number\s*25\.0 %"));
        await Assertions.Expect(columns.Locator("tr", new LocatorLocatorOptions { HasText = "sex" })).ToContainTextAsync(new Regex(@"category\s*0\.0 %\s*2"));
        await ChartsAreDrawnAsync(researcher, "sex", "age");

        await OpenAsync(researcher, "Process: categories to numbers");
        await researcher.PressAsync("Process");
        await researcher.SeesAsync("What processing learned from 28 training rows");

        await OpenAsync(researcher, "Add privacy noise");
        await researcher.FillAsync("Total ε for each row", "4");
        await BoundAsync(researcher);
        await researcher.PressAsync("Add the noise");
        await researcher.SeesAsync("Privacy noise: ε = 4 for each row");

        await SealAsync(researcher);
        Assert.Matches(@"^[0-9a-f-]{36}$", await FactAsync(researcher, "Data-set id"));
        Assert.Matches(@"^[\d,]+ bytes$", await FactAsync(researcher, "Ciphertext"));
        await researcher.ReloadUntilAsync(async () => Regex.IsMatch(await FactAsync(researcher, "Block"), @"^\d+,"), "the data set in a block");
        var block = (await FactAsync(researcher, "Block")).Split(',')[0];
        Assert.Matches("^0x[0-9a-f]{64}$", await FactAsync(researcher, "Transaction"));
        await researcher.FollowAsync("The block log");
        await researcher.SeesHeadingAsync("Block log");
        await Assertions.Expect(researcher.Main.Locator("tbody tr").Filter(new LocatorFilterOptions { HasText = "Anchored the head" })
            .Filter(new LocatorFilterOptions { Has = researcher.Page.GetByRole(AriaRole.Rowheader, new PageGetByRoleOptions { Name = block, Exact = true }) })).ToHaveCountAsync(1);
    });

    [Fact]
    public Task Zero_noise_leaves_the_values_alone_and_says_so() => AsResearcherAsync("data-set-zero-noise", async researcher =>
    {
        await LoadAsync(researcher, "plain.csv", Table());
        var before = await researcher.Main.Locator("table.data tbody").InnerTextAsync();
        await OpenAsync(researcher, "Add privacy noise");
        foreach (var mechanism in await researcher.Main.GetByLabel("Mechanism of").AllAsync())
        {
            var usual = await mechanism.Locator("option").First.GetAttributeAsync("value");
            await mechanism.SelectOptionAsync(usual!);
        }
        await researcher.PressAsync("Add the noise");
        await researcher.SeesAsync("Zero noise");
        Assert.Equal(before, await researcher.Main.Locator("table.data tbody").InnerTextAsync());
    });

    [Fact]
    public Task A_broken_table_is_refused_with_its_line_and_nothing_of_it_is_kept() => AsResearcherAsync("data-set-broken", async researcher =>
    {
        await LoadAsync(researcher, "broken.csv", "age,sex\n41,female\n52,male,one too many\n");
        await researcher.SeesAsync("broken.csv: nothing of it was kept");
        await researcher.SeesAsync("Line 3, column");
        await Assertions.Expect(researcher.Main.GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = "broken" })).ToHaveCountAsync(0);
    });

    async Task AsResearcherAsync(string journey, Func<Visitor, Task> walk) =>
        await chromium.BrowseAsync(await shared.StartedAsync(), Look.Desktop, journey, async researcher =>
        {
            await researcher.SignInAsync("Researcher");
            await walk(researcher);
        });

    static async Task LoadAsync(Visitor researcher, string name, string csv)
    {
        await researcher.GoAsync("/data-sets");
        await researcher.Main.GetByLabel("CSV file").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(csv) });
        await researcher.PressAsync("Load the data set");
    }

    static async Task ChartsAreDrawnAsync(Visitor researcher, params string[] columns)
    {
        foreach (var column in columns)
        {
            await Assertions.Expect(researcher.Main.Locator("figure.chart", new LocatorLocatorOptions { HasText = $"Rows by {column}" }).Locator("canvas")).Not.ToHaveCountAsync(0);
        }
    }

    static Task OpenAsync(Visitor researcher, string summary) => researcher.Main.Locator("summary", new LocatorLocatorOptions { HasText = summary }).ClickAsync();

    /// <summary>Gives each number the bounds it has in the field, and leaves out what cannot be noised.</summary>
    static async Task BoundAsync(Visitor researcher)
    {
        foreach (var low in await researcher.Main.GetByLabel(new Regex("^From of ")).AllAsync())
        {
            await low.FillAsync("0");
        }
        foreach (var high in await researcher.Main.GetByLabel(new Regex("^To of ")).AllAsync())
        {
            await high.FillAsync("500");
        }
    }

    static async Task SealAsync(Visitor researcher)
    {
        await researcher.PressAsync("Seal and anchor");
        await researcher.SeesAsync("Sealed and logged");
    }

    static async Task<string> FactAsync(Visitor researcher, string name) =>
        (await researcher.Main.Locator($"xpath=.//dt[normalize-space()='{name}']/following-sibling::dd[1]").First.InnerTextAsync()).Trim();

    /// <summary>Ages, sexes, glucose with a quarter missing, and an answer.</summary>
    static string Table()
    {
        var csv = new StringBuilder("age,sex,glucose,abnormal\n");
        for (var i = 0; i < Rows; i++)
        {
            var glucose = i % 4 == 3 ? "" : (80 + (i * 7 % 60)).ToString(CultureInfo.InvariantCulture);
            csv.Append(CultureInfo.InvariantCulture, $"{30 + (i * 13 % 45)},{(i % 2 == 0 ? "female" : "male")},{glucose},{(i % 3 == 0 ? "yes" : "no")}\n");
        }
        return csv.ToString();
    }
}

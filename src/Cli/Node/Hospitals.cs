using Salus.Cli.Api;

namespace Salus.Cli.Node;

/// <summary>A hospital that runs: its node, and what it said when it was ready.</summary>
public sealed record Hospital(NodeSettings Settings, NodeRun Run, NodeEvent Ready)
{
    /// <summary>Its name.</summary>
    public string Name => Ready.Hospital ?? Settings.Name ?? "Hospital";

    /// <summary>Where it serves.</summary>
    public string Address => Ready.Address!;

    /// <summary>Signs in with its demonstration account of a role.</summary>
    public Task<NodeClient> SignInAsync(string role, CancellationToken cancellation) =>
        (Ready.Accounts ?? []).FirstOrDefault(account => account.Role == role) is { } account
            ? NodeClient.SignInAsync(Address, account.Email, account.Password, cancellation)
            : throw new CliException($"{Name} has no demonstration account of the role {role}. Vote on its page of members.");
}

/// <summary>
/// Several hospitals on this machine: a node, a data folder and a database each, and one chain, which the first one's node runs. The others
/// join its consortium and are admitted by the votes of those before them.
/// </summary>
public sealed class Hospitals : IAsyncDisposable
{
    /// <summary>As many as one machine is asked to run.</summary>
    public const int CountMax = 8;

    const int AdmissionSecondsMax = 120;
    const string Asked = "/api/members";

    readonly List<Hospital> all = [];

    /// <summary>The hospitals, in their order.</summary>
    public IReadOnlyList<Hospital> All => all;

    /// <summary>The settings of each hospital.</summary>
    /// <param name="template">What they have in common; its port is the first one's, 0 takes free ones.</param>
    /// <param name="count">How many.</param>
    public static IReadOnlyList<NodeSettings> Settings(NodeSettings template, int count) =>
        [.. Enumerable.Range(1, count).Select(number => template with
        {
            Data = Path.Combine(template.Data, $"hospital-{number}"),
            Keys = Path.Combine(template.Keys, $"hospital-{number}"),
            Port = template.Port is 0 ? 0 : (template.Port ?? NodeSettings.DefaultPort) + number - 1,
            Name = $"Salus Hospital {(char)('A' + number - 1)}",
            Database = "",
            More = new Dictionary<string, string>(template.More) { ["Consortium:Endpoint"] = "local", ["DemonstrationSeed"] = $"{number}" },
        })];

    /// <summary>Starts the next hospital; the first founds the consortium, the others join it.</summary>
    public async Task<Hospital> StartAsync(NodeSettings settings, Action<NodeEvent> told, CancellationToken cancellation)
    {
        if (all.Count > 0)
        {
            var founder = all[0].Ready;
            settings = settings with
            {
                Ledger = founder.Ledger,
                // The chain is one process: its newest block is as durable as the snapshots of it, and what they lose is sent again.
                More = new Dictionary<string, string>(settings.More) { ["Ledger:Members"] = founder.Members!, ["Ledger:Depth"] = founder.EmbeddedChain ? "0" : "1" },
            };
        }
        var run = NodeRun.Start(settings);
        try
        {
            var hospital = new Hospital(settings, run, await run.ReadyAsync(told, cancellation));
            all.Add(hospital);
            return hospital;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has the hospitals before it vote for one that is no member yet, until it is one.</summary>
    /// <returns>How many votes it took; 0 when it was a member already.</returns>
    public async Task<int> AdmitAsync(Hospital candidate, CancellationToken cancellation)
    {
        using var nobody = NodeClient.Anonymous(candidate.Address);
        var itself = await nobody.GetAsync<StatementAnswer>("/api/consortium/self", cancellation);
        var voters = all.TakeWhile(one => one != candidate).ToList();
        if (voters.Count == 0)
        {
            return 0;
        }
        using var founder = await voters[0].SignInAsync("Administrator", cancellation);
        if (await IsMemberAsync(founder, itself.Account, cancellation))
        {
            return 0;
        }
        var votes = (voters.Count / 2) + 1;
        foreach (var voter in voters.Take(votes))
        {
            await VoteAsync(voter, itself, admit: true, cancellation);
        }
        for (var waited = 0; !await IsMemberAsync(founder, itself.Account, cancellation); waited++)
        {
            if (waited > AdmissionSecondsMax * 2)
            {
                throw new CliException($"{candidate.Name} was not admitted within {AdmissionSecondsMax} s; see the pages of members.");
            }
            await Task.Delay(500, cancellation);
        }
        return votes;
    }

    /// <summary>Casts one hospital's vote on another.</summary>
    public static async Task VoteAsync(Hospital voter, StatementAnswer subject, bool admit, CancellationToken cancellation)
    {
        using var administrator = await voter.SignInAsync("Administrator", cancellation);
        var answer = await administrator.AskAsync(HttpMethod.Post, "/api/members/votes", new { subject.Account, subject.Name, admit }, cancellation);
        if (!answer.IsSuccess)
        {
            throw new CliException($"{voter.Name} could not vote: {answer.Reason}");
        }
    }

    /// <summary>The hospital that ends first, and why.</summary>
    public async Task<string> EndAsync()
    {
        var ends = all.Select(async hospital => $"{hospital.Name}: {await hospital.Run.EndAsync()}").ToList();
        return await await Task.WhenAny(ends);
    }

    /// <summary>Stops all, the one whose node runs the chain last.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var hospital in Enumerable.Reverse(all))
        {
            await hospital.Run.DisposeAsync();
        }
        all.Clear();
    }

    static async Task<bool> IsMemberAsync(NodeClient asked, string account, CancellationToken cancellation) =>
        (await asked.GetAsync<List<MemberAnswer>>(Asked, cancellation)).Any(member => member.Account == account);
}

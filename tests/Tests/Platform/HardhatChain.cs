using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Salus.Ledger.Evm;

namespace Salus.Tests.Platform;

/// <summary>Hardhat's network as a child process, on a loopback port.</summary>
sealed class HardhatChain : IAsyncDisposable
{
    static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(1);

    readonly Process process;
    readonly HttpClient http = new();

    HardhatChain(Process process, Uri endpoint) => (this.process, Endpoint) = (process, endpoint);

    public Uri Endpoint { get; }

    public static async Task<HardhatChain> StartAsync()
    {
        var engines = Path.Combine(Root(), "engines");
        var program = Path.Combine(engines, "node_modules", "hardhat", "internal", "cli", "bootstrap.js");
        Assert.True(File.Exists(program), $"{program} is missing. Install it first: npm ci --prefix engines --ignore-scripts");
        var port = FreePort();
        var start = new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1 </dev/null", "sh", "node", program, "--config", "hardhat.config.cjs", "node", "--hostname", "127.0.0.1", "--port", $"{port}"])
        {
            WorkingDirectory = engines,
        };
        start.Environment["HARDHAT_DISABLE_TELEMETRY_PROMPT"] = "true";
        var chain = new HardhatChain(Process.Start(start)!, new Uri($"http://127.0.0.1:{port}/"));
        using var patience = new CancellationTokenSource(StartPatience);
        while (!await chain.AnswersAsync(patience.Token))
        {
            Assert.False(chain.process.HasExited, "Hardhat's network ended before it answered.");
            await Task.Delay(100, patience.Token);
        }
        return chain;
    }

    public Task FundAsync(Address account) =>
        new EvmRpc(http, Endpoint).CallAsync("hardhat_setBalance", _ => true, CancellationToken.None, account.ToString(), "0xd3c21bcecceda1000000");

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process.Dispose();
    }

    async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        try
        {
            return await new EvmRpc(http, Endpoint).ChainIdAsync(cancellation) > 0;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../.."));
}

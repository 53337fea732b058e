using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Salus.Ledger.Evm;
using Xunit;

namespace Salus.Tests.Ledger;

/// <summary>A chain as a child process on a free port, with one funded account; ended with the tests.</summary>
public sealed class AnvilFixture : IAsyncLifetime
{
    const string Binary = "engines/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(30) };
    Process? process;
    ulong nonce;

    public Secp256k1Key Key { get; } = Secp256k1Key.FromPrivate(RandomNumberGenerator.GetBytes(32));

    public EvmRpc Rpc { get; private set; } = null!;

    public Uri Url { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var path = Path.Combine(Root(), Binary);
        Assert.True(File.Exists(path), $"The chain's engine is missing at {Binary}: run 'npm ci --prefix engines --ignore-scripts'.");
        var port = FreePort();
        Url = new Uri($"http://127.0.0.1:{port}");
        Rpc = new EvmRpc(http, Url);
        process = Process.Start(new ProcessStartInfo(path, ["--port", $"{port}", "--host", "127.0.0.1", "--hardfork", "osaka", "--no-cors", "--silent", "--accounts", "0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        });
        using var timeout = new CancellationTokenSource(StartTimeout);
        while (!await AnswersAsync(timeout.Token))
            await Task.Delay(50, timeout.Token);
        await Rpc.CallAsync("anvil_setBalance", json => json.ValueKind, timeout.Token, Key.Address.ToString(), "0x56bc75e2d63100000");
    }

    /// <summary>Signs, sends, and waits until the transaction is in a block.</summary>
    public async Task<Receipt> SendAsync(Address? to, byte[] data)
    {
        var transaction = await new TransactionBuilder(Rpc, new FeePolicy()).BuildAsync(Key, nonce, to, data);
        return await SendAsync(transaction);
    }

    public async Task<Receipt> SendAsync(SignedTransaction transaction)
    {
        Assert.Equal(transaction.Hash.ToArray(), await Rpc.SendRawTransactionAsync(transaction.Raw));
        nonce++;
        using var timeout = new CancellationTokenSource(StartTimeout);
        while (true)
        {
            if (await Rpc.ReceiptAsync(transaction.Hash, timeout.Token) is { } receipt)
                return receipt;
            await Task.Delay(20, timeout.Token);
        }
    }

    public ulong NextNonce => nonce;

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process?.Dispose();
        Key.Dispose();
        http.Dispose();
    }

    async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        Assert.False(process!.HasExited, "The chain's process ended before it answered.");
        try
        {
            return await Rpc.ChainIdAsync(cancellationToken) > 0;
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

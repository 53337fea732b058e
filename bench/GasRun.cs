using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Salus.Host.Engines;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;

namespace Salus.Bench;

/// <summary>What anchoring costs: the gas of each head, divided by the records it covers, beside one transaction per record on the same chain.</summary>
static class GasRun
{
    const int HeadsPerBatch = 12;

    public static async Task<int> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("salus-bench-").FullName;
        try
        {
            await RunAsync(folder);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task RunAsync(string folder)
    {
        await using var chain = await EmbeddedChain.StartAsync(Path.Combine(folder, "chain"), NullLogger.Instance, cancellation: CancellationToken.None);
        using var key = Secp256k1Key.Create();
        await chain.FundAsync(key.Address.ToString());
        using var http = new HttpClient();
        var rpc = new EvmRpc(http, chain.Endpoint);
        var builder = new TransactionBuilder(rpc, new FeePolicy());

        async Task<Receipt> SendAsync(Address? to, byte[] data)
        {
            var signed = await builder.BuildAsync(key, await rpc.TransactionCountAsync(key.Address), to, data);
            await rpc.SendRawTransactionAsync(signed.Raw);
            while (true)
            {
                if (await rpc.ReceiptAsync(signed.Hash) is { } receipt)
                {
                    return receipt.Succeeded ? receipt : throw new InvalidOperationException($"A transaction failed with {receipt.GasUsed} of {signed.Transaction.GasMax} gas used.");
                }
                await Task.Delay(5);
            }
        }

        var members = (await SendAsync(null, MembersContract.Create(new byte[32]))).ContractAddress!.Value;
        var anchor = (await SendAsync(null, AnchorContract.Create(members))).ContractAddress!.Value;
        var each = (await SendAsync(members, MembersContract.Register(RandomNumberGenerator.GetBytes(32)))).GasUsed;
        Console.WriteLine("| batch | gas per head (median of the later heads) | gas per record | share of one transaction per record |");
        Console.WriteLine("| ---: | ---: | ---: | ---: |");
        foreach (var batch in (int[])[1, 100, 10_000])
        {
            var log = RandomNumberGenerator.GetBytes(32);
            var tree = new MerkleTree();
            List<ulong> gas = [];
            for (var head = 0; head < HeadsPerBatch; head++)
            {
                var before = tree.Size;
                tree.Append(Enumerable.Range(0, batch).Select(_ => RandomNumberGenerator.GetBytes(32)).ToList());
                var proof = before == 0 ? [] : tree.ConsistencyProof(before, tree.Size);
                gas.Add((await SendAsync(anchor, AnchorContract.Anchor(log, (ulong)before, (ulong)tree.Size, tree.Root(), proof))).GasUsed);
            }
            var median = gas.Skip(1).Order().ElementAt((HeadsPerBatch - 1) / 2);
            Console.WriteLine($"| {batch:N0} | {median:N0} | {(double)median / batch:N2} | {median / (double)batch / each:P3} |");
        }
        Console.WriteLine($"\nOne transaction per record (an event with a 32-byte commitment, Members.register): {each:N0} gas.");
    }
}

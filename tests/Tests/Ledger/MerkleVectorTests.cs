using System.Text.Json;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Ledger.Proofs;
using Xunit;

namespace Salus.Tests.Ledger;

/// <summary>
/// Public inclusion and consistency cases, in C# and by the contract on a chain. SALUS_MERKLE_VECTORS names another folder
/// of files of the same form than that of the field data.
/// </summary>
[Trait("Data", "field")]
[Trait("Cases", "merkle")]
public sealed class MerkleVectorTests(AnvilFixture chain, ITestOutputHelper output) : IClassFixture<AnvilFixture>
{
    const string Variable = "SALUS_MERKLE_VECTORS";
    const int CountMin = 92;

    [Fact]
    public void Every_case_is_accepted_or_refused_by_this_library_as_it_says()
    {
        var cases = Cases();
        Report("C#", cases, [.. cases.Select(one => one.IsInclusion ? one.Inclusion() : one.Consistency())]);
    }

    [Fact]
    public async Task Every_case_is_accepted_or_refused_by_the_contract_as_it_says()
    {
        var members = (await chain.SendAsync(null, MembersContract.Create(new byte[32]))).ContractAddress!.Value;
        var anchor = (await chain.SendAsync(null, AnchorContract.Create(members))).ContractAddress!.Value;
        var cases = Cases();
        List<bool> accepted = [];
        foreach (var (one, place) in cases.Select((one, place) => (one, place)))
        {
            var log = new byte[32];
            BitConverter.TryWriteBytes(log, place);
            accepted.Add(await AcceptsAsync(anchor, log, one));
        }
        Report("Solidity", cases, accepted);
    }

    /// <summary>Anchors the old head, or the only one, as it is; then asks for the case's proof to be checked against it.</summary>
    async Task<bool> AcceptsAsync(Address anchor, byte[] log, MerkleCase one)
    {
        if (!one.IsEncodable)
            return false;
        try
        {
            await chain.SendAsync(anchor, AnchorContract.Anchor(log, 0, one.OldSize, one.OldRoot, []));
            if (one.IsInclusion)
                return await AnchorContract.VerifyInclusionAsync(chain.Rpc, anchor, log, one.LeafHash, one.Index, one.Proof);
            // A head is never anchored twice, so that of equal sizes there is nothing for a contract to check
            return one.OldSize == one.NewSize
                ? one.Proof.Count == 0 && one.OldRoot.AsSpan().SequenceEqual(one.NewRoot)
                : (await chain.SendAsync(anchor, AnchorContract.Anchor(log, one.OldSize, one.NewSize, one.NewRoot, one.Proof))).Succeeded;
        }
        catch (EvmRpcException refused) when (AnchorContract.TryDecodeError(refused.RevertData) is not null)
        {
            return false;
        }
    }

    void Report(string name, IReadOnlyList<MerkleCase> cases, IReadOnlyList<bool> accepted)
    {
        var wrong = cases.Zip(accepted).Where(pair => pair.First.WantsError == pair.Second).Select(pair => pair.First.Name).ToList();
        var line = $"merkle {name}: {cases.Count - wrong.Count} of {cases.Count}";
        output.WriteLine(line);
        Console.WriteLine(line);
        Assert.True(wrong.Count == 0, $"{line}; not as they say: {string.Join(", ", wrong)}");
    }

    static List<MerkleCase> Cases()
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(named))
            return [.. FieldData.Files("merkle", "*.json", CountMin).Select(MerkleCase.Read)];
        Assert.True(Directory.Exists(named), $"{Variable} names {named}, which is no folder.");
        string[] files = [.. Directory.GetFiles(named, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Assert.True(files.Length > 0, $"{Variable} names {named}, which holds no *.json.");
        return [.. files.Select(MerkleCase.Read)];
    }

    /// <summary>One file: an inclusion case where it has a leaf's index, a consistency case otherwise.</summary>
    sealed record MerkleCase(
        string Name, bool IsInclusion, bool WantsError, byte[] LeafHash, ulong Index, ulong OldSize, ulong NewSize, byte[] OldRoot, byte[] NewRoot, IReadOnlyList<byte[]> Proof)
    {
        public bool IsEncodable => ((byte[][])[OldRoot, NewRoot, LeafHash, .. Proof]).All(hash => hash.Length == 32);

        public static MerkleCase Read(string path)
        {
            using var file = JsonDocument.Parse(File.ReadAllBytes(path));
            var json = file.RootElement;
            var isInclusion = json.TryGetProperty("leafIdx", out _);
            var (oldSize, newSize) = isInclusion ? ("treeSize", "treeSize") : ("size1", "size2");
            var (oldRoot, newRoot) = isInclusion ? ("root", "root") : ("root1", "root2");
            return new MerkleCase(
                Path.GetFileName(path), isInclusion, json.GetProperty("wantErr").GetBoolean(),
                isInclusion ? Base64(json, "leafHash") : new byte[32], isInclusion ? json.GetProperty("leafIdx").GetUInt64() : 0,
                json.GetProperty(oldSize).GetUInt64(), json.GetProperty(newSize).GetUInt64(), Base64(json, oldRoot), Base64(json, newRoot), Hashes(json));
        }

        public bool Inclusion() =>
            InclusionProof.Verify(LeafHash, unchecked((long)Index), unchecked((long)OldSize), Proof, OldRoot) == ProofVerdict.Valid;

        public bool Consistency() =>
            ConsistencyProof.Verify(unchecked((long)OldSize), unchecked((long)NewSize), OldRoot, NewRoot, Proof) == ProofVerdict.Valid;

        static byte[] Base64(JsonElement json, string name) =>
            json.GetProperty(name).ValueKind == JsonValueKind.Null ? [] : json.GetProperty(name).GetBytesFromBase64();

        static byte[][] Hashes(JsonElement json) =>
            json.GetProperty("proof").ValueKind == JsonValueKind.Null ? [] : [.. json.GetProperty("proof").EnumerateArray().Select(hash => hash.GetBytesFromBase64())];
    }
}

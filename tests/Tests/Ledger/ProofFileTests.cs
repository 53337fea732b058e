using System.Security.Cryptography;
using System.Text;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Xunit;

namespace Salus.Tests.Ledger;

/// <summary>One proof, made on a real chain with two witnesses, and everything that can be wrong with it.</summary>
public sealed class ProofFileTests(AnvilFixture chain) : IClassFixture<AnvilFixture>, IAsyncLifetime
{
    const string Origin = "hospital.example/log";
    const long Size = 37;
    const long Index = 21;

    readonly ECDsa logKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly ECDsa[] witnessKeys = [ECDsa.Create(ECCurve.NamedCurves.nistP256), ECDsa.Create(ECCurve.NamedCurves.nistP256)];
    readonly byte[] logId = RandomNumberGenerator.GetBytes(32);
    readonly ProvenContent content = new(Encoding.UTF8.GetBytes("""{"resourceType":"Observation","valueQuantity":{"value":1.10}}"""), RandomNumberGenerator.GetBytes(32));
    ProofFile file = null!;
    ProofPolicy policy = null!;
    Address contract;

    public async ValueTask InitializeAsync()
    {
        var leaf = new LeafEnvelope(LeafKind.Record, "Observation/7", 2, 1_700_000_000_000_000, SHA256.HashData([.. content.Salt, .. content.Bytes]), RandomNumberGenerator.GetBytes(32));
        var tree = new MerkleTree();
        tree.Append([.. Enumerable.Range(0, (int)Size).Select(i => i == Index ? leaf.LeafHash() : MerkleHash.Leaf([(byte)i]))]);
        var members = (await chain.SendAsync(null, MembersContract.Create(logId))).ContractAddress!.Value;
        contract = (await chain.SendAsync(null, AnchorContract.Create(members))).ContractAddress!.Value;
        var receipt = await chain.SendAsync(contract, AnchorContract.Anchor(logId, 0, (ulong)Size, tree.Root(), []));
        var evidence = await AnchorEvidence.CaptureAsync(chain.Rpc, await chain.Rpc.ChainIdAsync(), contract, logId, receipt);
        var signer = new NoteSigner(Origin, logKey);
        var checkpoint = new Checkpoint(Origin, Size, tree.Root()).Sign(signer);
        var witnesses = witnessKeys.Select((key, i) => new WitnessSigner($"witness{i}.example", key)).ToList();
        var note = checkpoint.With([.. witnesses.Select(witness => witness.Cosign(checkpoint.Text, DateTimeOffset.UnixEpoch.AddDays(20_000)))]);
        file = new ProofFile(leaf, content, new TlogProof(Index, tree.InclusionProof(Index, Size), note), evidence);
        policy = new ProofPolicy(
            [new TrustedLog(Origin, [new LogKey(signer.Verifier, 0, null)], logId)], [.. witnesses.Select(witness => witness.Verifier)], 2,
            new TrustedChain(evidence.ChainId, contract, [receipt.BlockHash]));
    }

    public ValueTask DisposeAsync()
    {
        logKey.Dispose();
        Array.ForEach(witnessKeys, key => key.Dispose());
        return ValueTask.CompletedTask;
    }

    ProofStep Check(ProofFile bent, ProofPolicy? other = null) => ProofCheck.Run(ProofFile.Read(bent.ToBytes()), other ?? policy).Failed;

    [Fact]
    public void A_whole_proof_holds_through_file_and_policy_text()
    {
        var report = ProofCheck.Run(ProofFile.Read(file.ToBytes()), ProofPolicy.Read(policy.ToBytes()));
        Assert.Equal(["committed", "logged", "witnessed", "anchored"], report.Claims.Select(claim => claim.Name));
        Assert.All(report.Claims, claim => Assert.True(claim.State == ClaimState.Holds, claim.Sentence));
        Assert.True(report.Holds);
    }

    [Fact]
    public void Seals_of_enough_validators_vouch_for_a_block_and_those_of_strangers_and_twins_do_not()
    {
        using var stranger = Secp256k1Key.Create();
        var keys = Enumerable.Range(0, 4).Select(_ => Secp256k1Key.Create()).ToList();
        ProofPolicy Policy(int? required = null) => policy with
        {
            Chain = policy.Chain! with { Blocks = [], Validators = [.. keys.Select(key => key.Address)], ValidatorsRequired = required ?? TrustedChain.QuorumOf(keys.Count) },
        };
        ProofFile Sealed(params Secp256k1Key[] sealers) => file with { Anchor = file.Anchor! with { Header = QbftHeader.From(file.Anchor!.Header, keys, sealers) } };

        var report = ProofCheck.Run(ProofFile.Read(Sealed(keys[0], keys[2], keys[3]).ToBytes()), ProofPolicy.Read(Policy().ToBytes()));
        Assert.True(report.Holds, string.Join(' ', report.Claims.Select(claim => claim.Sentence)));
        Assert.Contains("3 of 4 validators", report.Claims[3].Sentence, StringComparison.Ordinal);
        Assert.Equal(ProofStep.Block, Check(Sealed(keys[0], keys[1]), Policy()));
        Assert.Equal(ProofStep.Block, Check(Sealed(keys[0], keys[1], keys[1]), Policy()));
        Assert.Equal(ProofStep.Block, Check(Sealed(keys[0], keys[1], stranger), Policy()));
        Assert.Equal(ProofStep.None, Check(Sealed(keys[0], keys[1]), Policy(required: 2)));
        // A header without seals, of a chain with another consensus
        Assert.Equal(ProofStep.Block, Check(file, Policy()));
        // Seals of another block
        var other = QbftHeader.From(file.Anchor!.Header, keys, [keys[0], keys[1], keys[2]], round: 1);
        Assert.Equal(ProofStep.Block, Check(file with { Anchor = file.Anchor with { Header = QbftHeader.InRound(other, 2) } }, Policy()));
        keys.ForEach(key => key.Dispose());
    }

    [Fact]
    public void The_hash_of_a_sealed_block_leaves_out_who_sealed_it_and_when()
    {
        var keys = Enumerable.Range(0, 3).Select(_ => Secp256k1Key.Create()).ToList();
        var one = BlockHeader.Decode(QbftHeader.From(file.Anchor!.Header, keys, [keys[0], keys[1]], round: 0));
        var other = BlockHeader.Decode(QbftHeader.From(file.Anchor!.Header, keys, [keys[2]], round: 7));
        Assert.Equal(Hex.Of(one.Hash), Hex.Of(other.Hash));
        Assert.Equal([keys[0].Address, keys[1].Address], one.SealedBy);
        Assert.Equal([keys[2].Address], other.SealedBy);
        Assert.NotEqual(Hex.Of(one.Hash), Hex.Of(BlockHeader.Decode(QbftHeader.From(file.Anchor!.Header, [keys[0]], [keys[0]])).Hash));
        Assert.NotEqual(Hex.Of(one.Hash), Hex.Of(Keccak256.Hash(one.Encoded)));
        Assert.Empty(BlockHeader.Decode(file.Anchor!.Header).SealedBy);
        Assert.Throws<FormatException>(() => BlockHeader.Decode(QbftHeader.WithExtraData(one.Encoded, [0xC0])));
        keys.ForEach(key => key.Dispose());
    }

    [Theory]
    [InlineData("""{"required":0,"addresses":["0x00000000000000000000000000000000000000a1"]}""", "required")]
    [InlineData("""{"required":2,"addresses":["0x00000000000000000000000000000000000000a1"]}""", "required")]
    [InlineData("""{"addresses":[]}""", "required")]
    [InlineData("""{"addresses":["0xa1"]}""", "addresses[0]")]
    [InlineData("""{"addresses":["0x00000000000000000000000000000000000000a1","0x00000000000000000000000000000000000000a1"]}""", "twice")]
    public void A_policy_with_bent_validators_is_refused_by_name(string validators, string named)
    {
        var text = Encoding.UTF8.GetString(policy.ToBytes());
        var bent = text.Replace("\"blocks\":", $"\"validators\":{validators},\"blocks\":", StringComparison.Ordinal);
        Assert.NotEqual(text, bent);
        Assert.Contains(named, Assert.Throws<FormatException>(() => ProofPolicy.Read(Encoding.UTF8.GetBytes(bent))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_in_the_file_is_not_claimed()
    {
        var report = ProofCheck.Run(ProofFile.Read((file with { Content = null }).ToBytes()), policy with { Witnesses = [], WitnessesRequired = 0, Chain = null });
        Assert.Equal([ClaimState.NotShown, ClaimState.Holds, ClaimState.NotShown, ClaimState.NotShown], report.Claims.Select(claim => claim.State));
        Assert.True(report.Holds);
    }

    [Fact]
    public void Each_broken_step_is_named_by_its_own_code()
    {
        Assert.Equal(ProofStep.Content, Check(file with { Content = content with { Bytes = [.. content.Bytes, (byte)' '] } }));
        Assert.Equal(ProofStep.Content, Check(file with { Content = content with { Salt = new byte[32] } }));
        Assert.Equal(ProofStep.Log, Check(file, policy with { Logs = [policy.Logs[0] with { Origin = "other.example/log" }] }));
        Assert.Equal(ProofStep.Checkpoint, Check(file with { Proof = file.Proof with { Checkpoint = file.Proof.Checkpoint with { Text = file.Proof.Checkpoint.Text.Replace("\n37\n", "\n38\n", StringComparison.Ordinal) } } }));
        Assert.Equal(ProofStep.Inclusion, Check(file with { Proof = file.Proof with { Index = Index + 1 } }));
        Assert.Equal(ProofStep.Inclusion, Check(file with { Proof = file.Proof with { Path = [.. file.Proof.Path.Skip(1)] } }));
        Assert.Equal(ProofStep.Inclusion, Check(file with { Leaf = file.Leaf with { EntityVersion = 3 } }));
    }

    [Fact]
    public void A_key_counts_only_for_the_sizes_it_signs_for()
    {
        var key = policy.Logs[0].Keys[0];
        ProofPolicy With(long from, long? to) => policy with { Logs = [policy.Logs[0] with { Keys = [key with { FromSize = from, ToSize = to }] }] };
        Assert.Equal(ProofStep.None, Check(file, With(Size, Size)));
        Assert.Equal(ProofStep.Checkpoint, Check(file, With(0, Size - 1)));
        Assert.Equal(ProofStep.Checkpoint, Check(file, With(Size + 1, null)));
    }

    [Fact]
    public void Too_few_witnesses_a_bad_one_and_one_counted_twice_are_refused()
    {
        var lines = file.Proof.Checkpoint.Signatures;
        ProofFile Signed(params NoteSignature[] signatures) => file with { Proof = file.Proof with { Checkpoint = file.Proof.Checkpoint with { Signatures = signatures } } };
        Assert.Equal(ProofStep.Witnesses, Check(Signed(lines[0], lines[1])));
        Assert.Equal(ProofStep.Witnesses, Check(Signed(lines[0], lines[1], lines[1])));
        Assert.Equal(ProofStep.Cosignature, Check(Signed(lines[0], lines[1], lines[2] with { Signature = [.. lines[2].Signature[..^1], (byte)(lines[2].Signature[^1] ^ 1)] })));
        // The time is signed too
        Assert.Equal(ProofStep.Cosignature, Check(Signed(lines[0], lines[1], lines[2] with { Signature = [.. lines[2].Signature[..7], (byte)(lines[2].Signature[7] ^ 1), .. lines[2].Signature[8..]] })));
        // A plain signature by the witness's key is no cosignature
        var plain = new NoteSigner("witness1.example", witnessKeys[1]);
        Assert.Equal(ProofStep.Witnesses, Check(Signed(lines[0], lines[1], SignedNote.Sign(file.Proof.Checkpoint.Text, plain).Signatures[0])));
    }

    [Fact]
    public void Evidence_that_is_missing_of_another_place_or_bent_is_named()
    {
        var anchor = file.Anchor!;
        Assert.Equal(ProofStep.Anchor, Check(file with { Anchor = null }));
        Assert.Equal(ProofStep.Chain, Check(file with { Anchor = anchor with { ChainId = anchor.ChainId + 1 } }));
        Assert.Equal(ProofStep.Chain, Check(file with { Anchor = anchor with { Log = new byte[32] } }));
        Assert.Equal(ProofStep.Block, Check(file, policy with { Chain = policy.Chain! with { Blocks = [new byte[32]] } }));
        Assert.Equal(ProofStep.Header, Check(file with { Anchor = anchor with { Header = anchor.Header[..^1] } }));
        Assert.Equal(ProofStep.Receipt, Check(file with { Anchor = anchor with { TransactionIndex = 1 } }));
        Assert.Equal(ProofStep.Receipt, Check(file with { Anchor = anchor with { Receipt = Bent(anchor.Receipt) } }));
        Assert.Equal(ProofStep.Account, Check(file with { Anchor = anchor with { Account = Bent(anchor.Account) } }));
        Assert.Equal(ProofStep.Storage, Check(file with { Anchor = anchor with { SizeSlot = anchor.RootSlot } }));
        Assert.Equal(ProofStep.Storage, Check(file with { Anchor = anchor with { RootSlot = Bent(anchor.RootSlot) } }));
    }

    [Fact]
    public void An_anchor_of_another_size_or_root_is_not_this_checkpoints()
    {
        var anchor = file.Anchor!;
        var root = Checkpoint.Parse(file.Proof.Checkpoint.Text).Root.ToArray();
        Assert.Null(anchor.Check(Size, root, out _));
        Assert.Equal(ProofStep.Event, anchor.Check(Size - 1, root, out _)?.Step);
        Assert.Equal(ProofStep.Event, anchor.Check(Size, new byte[32], out _)?.Step);
    }

    [Fact]
    public void A_file_or_policy_that_is_not_one_is_refused_with_the_place()
    {
        Assert.Contains("line 1", Refusal(() => ProofFile.Read("{"u8)), StringComparison.Ordinal);
        Assert.Contains("'format'", Refusal(() => ProofFile.Read("{}"u8)), StringComparison.Ordinal);
        Assert.Contains("'leaf'", Refusal(() => ProofFile.Read("""{"format":"salus-proof/1"}"""u8)), StringComparison.Ordinal);
        Assert.Contains("not a proof file", Refusal(() => ProofFile.Read("""{"format":"salus-proof/1","extra":1}"""u8)), StringComparison.Ordinal);
        Assert.Contains("'logs'", Refusal(() => ProofPolicy.Read("""{"format":"salus-policy/1"}"""u8)), StringComparison.Ordinal);
        Assert.Contains("logs[0].keys[0].key", Refusal(() => ProofPolicy.Read("""{"format":"salus-policy/1","logs":[{"origin":"a","keys":[{"key":"b"}]}]}"""u8)), StringComparison.Ordinal);
        var text = Encoding.UTF8.GetString(policy.ToBytes());
        Assert.Contains("witnesses.required", Refusal(() => ProofPolicy.Read(Encoding.UTF8.GetBytes(text.Replace("\"required\": 2", "\"required\": 3", StringComparison.Ordinal)))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_witness_request_comes_back_from_its_text_and_bad_ones_are_refused()
    {
        var request = new WitnessRequest(20, [new byte[32], logId], file.Proof.Checkpoint);
        var read = WitnessRequest.Parse(request.ToString());
        Assert.Equal((20, 2, request.ToString()), (read.OldSize, read.Proof.Count, read.ToString()));
        foreach (var bad in new[] { "", "old 020\n\n", "old x\n\n", "old 1\nnotbase64\n\n", request.ToString().Replace("old 20", "new 20", StringComparison.Ordinal) })
            Assert.Throws<FormatException>(() => WitnessRequest.Parse(bad));
    }

    static string Refusal(Action read) => Assert.Throws<FormatException>(read).Message;

    static List<byte[]> Bent(IReadOnlyList<byte[]> nodes)
    {
        List<byte[]> bent = [.. nodes.Select(node => (byte[])node.Clone())];
        bent[^1][^1] ^= 1;
        return bent;
    }
}

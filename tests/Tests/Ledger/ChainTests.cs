using System.Security.Cryptography;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Xunit;

namespace Salus.Tests.Ledger;

public sealed class ChainTests(AnvilFixture chain) : IClassFixture<AnvilFixture>
{
    const ulong NotAfter = 4_102_444_800;
    const string RelyingParty = "hospital.example";
    const string Origin = "https://hospital.example";

    static byte[] Random() => RandomNumberGenerator.GetBytes(32);

    static byte[][] LeafHashes(int count) => [.. Enumerable.Range(0, count).Select(i => MerkleHash.Leaf(BitConverter.GetBytes(i)))];

    async Task<Address> CreateAsync(byte[] data)
    {
        var receipt = await chain.SendAsync(null, data);
        Assert.True(receipt.Succeeded);
        Assert.NotEmpty(await chain.Rpc.CodeAsync(receipt.ContractAddress!.Value));
        return receipt.ContractAddress.Value;
    }

    static PublicKey KeyOf(ECDsa passkey)
    {
        var point = passkey.ExportParameters(false).Q;
        return new PublicKey(point.X!, point.Y!, WebAuthnAssertion.RelyingPartyIdHash(RelyingParty));
    }

    Task<Address> MembersAsync() => CreateAsync(MembersContract.Create(Random()));

    [Fact]
    public async Task Heads_are_anchored_with_their_proof_and_a_fork_is_refused_by_name()
    {
        var anchor = await CreateAsync(AnchorContract.Create(await MembersAsync()));
        var (tree, log) = (new MerkleTree(), Random());
        tree.Append(LeafHashes(3));
        var first = await chain.SendAsync(anchor, AnchorContract.Anchor(log, 0, 3, tree.Root(), []));
        Assert.True(first.Succeeded);

        tree.Append(LeafHashes(4));
        var second = await chain.SendAsync(anchor, AnchorContract.Anchor(log, 3, 7, tree.Root(), tree.ConsistencyProof(3, 7)));
        var anchored = Assert.IsType<AnchorEvent.Anchored>(AnchorContract.TryDecode(Assert.Single(second.Logs)));
        Assert.Equal((3UL, 7UL), (anchored.OldSize, anchored.NewSize));
        Assert.Equal(tree.Root(), anchored.NewRoot);
        Assert.Equal(log, anchored.Log);

        var head = await AnchorContract.HeadAsync(chain.Rpc, anchor, log);
        Assert.Equal((7UL, second.BlockNumber, 1UL), (head.Size, head.BlockNumber, head.Owner));
        Assert.Equal(tree.Root(), head.Root);
        Assert.True(await AnchorContract.VerifyInclusionAsync(chain.Rpc, anchor, log, LeafHashes(3)[2], 2, tree.InclusionProof(2, 7)));
        Assert.False(await AnchorContract.VerifyInclusionAsync(chain.Rpc, anchor, log, LeafHashes(3)[1], 2, tree.InclusionProof(2, 7)));

        var rewritten = new MerkleTree();
        rewritten.Append([Random(), .. LeafHashes(9)]);
        var refusal = await Assert.ThrowsAsync<EvmRpcException>(() => chain.SendAsync(
            anchor, AnchorContract.Anchor(log, 7, 10, rewritten.Root(), rewritten.ConsistencyProof(7, 10))));
        var reason = AnchorContract.Artifact.Reason(refusal);
        Assert.Equal($"Forked(anchored: {Hex.Of(tree.Root())}, proven: {Hex.Of(rewritten.Root(7))})", reason?.ToString());

        var stale = await Assert.ThrowsAsync<EvmRpcException>(() => chain.SendAsync(
            anchor, AnchorContract.Anchor(log, 3, 10, rewritten.Root(), rewritten.ConsistencyProof(3, 10))));
        Assert.Equal("StaleSize(expected: 7, given: 3)", AnchorContract.Artifact.Reason(stale)?.ToString());

        var logs = await chain.Rpc.LogsAsync(new LogFilter([anchor], first.BlockNumber, second.BlockNumber, [[AnchorContract.Artifact.Event("Anchored").Topic.ToArray()], [log]]));
        Assert.Equal([3UL, 7UL], logs.Select(entry => Assert.IsType<AnchorEvent.Anchored>(AnchorContract.TryDecode(entry)).NewSize));
    }

    [Fact]
    public async Task A_consent_is_granted_and_revoked_by_the_patients_assertion_alone()
    {
        var members = await MembersAsync();
        var subjects = await CreateAsync(SubjectsContract.Create(members));
        var consents = await CreateAsync(ConsentsContract.Create(members, subjects));
        var domain = ConsentsContract.Domain(await chain.Rpc.ChainIdAsync(), consents);
        using var passkey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = KeyOf(passkey);
        var by = SubjectsContract.KeyId(key);
        var (subject, id, commitment) = (Random(), Random(), Random());
        var enrolled = Assert.IsType<SubjectsEvent.Enrolled>(SubjectsContract.TryDecode(Assert.Single((await chain.SendAsync(subjects, SubjectsContract.Enroll(subject, key))).Logs)));
        Assert.Equal((1UL, Hex.Of(by)), (enrolled.Member, Hex.Of(enrolled.Key)));
        Assert.Equal(key.Qx, enrolled.PublicKey.Qx);

        var challenge = ConsentsContract.GrantChallenge(domain, subject, id, commitment, NotAfter);
        var assertion = WebAuthnAssertion.Sign(passkey, RelyingParty, Origin, challenge);
        Assert.True(assertion.Verify(passkey, WebAuthnAssertion.RelyingPartyIdHash(RelyingParty), challenge));
        var refusal = await Assert.ThrowsAsync<EvmRpcException>(() => chain.SendAsync(
            consents, ConsentsContract.Grant(subject, id, commitment, NotAfter + 1, by, assertion)));
        Assert.Equal("BadAssertion", ConsentsContract.Artifact.Reason(refusal)?.Name);

        var granted = await chain.SendAsync(consents, ConsentsContract.Grant(subject, id, commitment, NotAfter, by, assertion));
        var grant = Assert.IsType<ConsentsEvent.Granted>(ConsentsContract.TryDecode(Assert.Single(granted.Logs)));
        Assert.Equal((NotAfter, Hex.Of(id), Hex.Of(commitment)), (grant.NotAfter, Hex.Of(grant.Id), Hex.Of(grant.Commitment)));
        Assert.True(await ConsentsContract.IsActiveAsync(chain.Rpc, consents, id, commitment));

        var revocation = WebAuthnAssertion.Sign(passkey, RelyingParty, Origin, ConsentsContract.RevokeChallenge(domain, subject, id));
        var revoked = await chain.SendAsync(consents, ConsentsContract.Revoke(subject, id, by, revocation));
        Assert.Equal(id, Assert.IsType<ConsentsEvent.Revoked>(ConsentsContract.TryDecode(Assert.Single(revoked.Logs))).Id);
        Assert.False(await ConsentsContract.IsActiveAsync(chain.Rpc, consents, id, commitment));
        Assert.True(await ConsentsContract.IsRevokedAsync(chain.Rpc, consents, subject, id));
        var state = await ConsentsContract.ConsentAsync(chain.Rpc, consents, id);
        Assert.Equal((Authority.Own, Hex.Of(by), Hex.Of(by)), (state.Authority, Hex.Of(state.By), Hex.Of(state.RevokedBy)));
    }

    [Fact]
    public async Task Keys_delegates_and_recovery_are_signed_as_the_contract_hashes_them()
    {
        var subjects = await CreateAsync(SubjectsContract.Create(await MembersAsync()));
        var domain = SubjectsContract.Domain(await chain.Rpc.ChainIdAsync(), subjects);
        using var passkey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var second = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var contact = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (subject, salt, relation) = (Random(), Random(), Random());
        var (by, other) = (SubjectsContract.KeyId(KeyOf(passkey)), KeyOf(second));
        var otherId = SubjectsContract.KeyId(other);
        Assert.Equal(otherId, await SubjectsContract.KeyIdAsync(chain.Rpc, subjects, other));
        WebAuthnAssertion Sign(byte[] challenge) => WebAuthnAssertion.Sign(passkey, RelyingParty, Origin, challenge);
        async Task<SubjectsEvent?> SendAsync(byte[] data) => SubjectsContract.TryDecode(Assert.Single((await chain.SendAsync(subjects, data)).Logs));

        await SendAsync(SubjectsContract.Enroll(subject, KeyOf(passkey)));
        var added = Assert.IsType<SubjectsEvent.KeyAdded>(await SendAsync(
            SubjectsContract.AddKey(subject, other, 0, by, Sign(SubjectsContract.AddKeyChallenge(domain, subject, other, 0)))));
        Assert.Equal((Hex.Of(otherId), Hex.Of(by), 0UL), (Hex.Of(added.Key), Hex.Of(added.By), added.Sequence));
        Assert.IsType<SubjectsEvent.KeyRemoved>(await SendAsync(
            SubjectsContract.RemoveKey(subject, otherId, 1, by, Sign(SubjectsContract.RemoveKeyChallenge(domain, subject, otherId, 1)))));
        Assert.IsType<SubjectsEvent.DelegateAdded>(await SendAsync(SubjectsContract.AddDelegate(
            subject, other, relation, NotAfter, 2, by, Sign(SubjectsContract.AddDelegateChallenge(domain, subject, other, relation, NotAfter, 2)))));
        Assert.Equal(relation, (await SubjectsContract.DelegateOfAsync(chain.Rpc, subjects, subject, otherId)).Relation);
        Assert.IsType<SubjectsEvent.DelegateRemoved>(await SendAsync(
            SubjectsContract.RemoveDelegate(subject, otherId, 3, by, Sign(SubjectsContract.RemoveDelegateChallenge(domain, subject, otherId, 3)))));

        PublicKey[] contacts = [KeyOf(contact)];
        var terms = new RecoveryTerms(SubjectsContract.ContactsCommitment(salt, contacts), 1, 1, 86_400);
        Assert.IsType<SubjectsEvent.RecoverySet>(await SendAsync(
            SubjectsContract.SetRecovery(subject, terms, 4, by, Sign(SubjectsContract.SetRecoveryChallenge(domain, subject, terms, 4)))));
        using var replacement = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var recover = SubjectsContract.RecoverChallenge(domain, subject, KeyOf(replacement), 5);
        var signature = new ContactSignature(0, WebAuthnAssertion.Sign(contact, RelyingParty, Origin, recover));
        var requested = Assert.IsType<SubjectsEvent.RecoveryRequested>(await SendAsync(
            SubjectsContract.RequestRecovery(subject, KeyOf(replacement), 5, salt, contacts, [signature])));
        var pending = await SubjectsContract.RecoveryOfAsync(chain.Rpc, subjects, subject);
        Assert.Equal((requested.EffectiveAt, Hex.Of(terms.Contacts)), (pending.EffectiveAt, Hex.Of(pending.Terms.Contacts)));
        var early = await Assert.ThrowsAsync<EvmRpcException>(() => chain.SendAsync(subjects, SubjectsContract.CompleteRecovery(subject)));
        Assert.IsType<SubjectsError.RecoveryNotDue>(SubjectsContract.TryDecodeError(early.RevertData));
        Assert.IsType<SubjectsEvent.RecoveryCancelled>(await SendAsync(
            SubjectsContract.CancelRecovery(subject, 6, by, Sign(SubjectsContract.CancelRecoveryChallenge(domain, subject, 6)))));
        Assert.Equal((1UL, 7UL, 1U), ((await SubjectsContract.SubjectOfAsync(chain.Rpc, subjects, subject)) is var found ? (found.Member, found.Sequence, found.KeyCount) : default));
    }

    [Fact]
    public async Task A_commitment_is_registered_by_both_types_of_transaction()
    {
        var members = await MembersAsync();
        Assert.True(await MembersContract.IsMemberAsync(chain.Rpc, members, chain.Key.Address));
        Assert.Equal(1, await MembersContract.MemberCountAsync(chain.Rpc, members));
        var chainId = await chain.Rpc.ChainIdAsync();
        var suggested = await chain.Rpc.GasPriceAsync();
        foreach (var price in new[] { new FeePolicy().Price(1_000_000_000, suggested), new FeePolicy().Price(0, suggested) })
        {
            var commitment = Random();
            var transaction = new Transaction(chainId, chain.NextNonce, price, 200_000, members, 0, MembersContract.Register(commitment));
            var receipt = await chain.SendAsync(transaction.Sign(chain.Key));
            Assert.True(receipt.Succeeded);
            Assert.Equal(commitment, Assert.IsType<MembersEvent.Registered>(MembersContract.TryDecode(Assert.Single(receipt.Logs))).Commitment);
            Assert.True(await MembersContract.RegisteredAsync(chain.Rpc, members, chain.Key.Address, commitment));
        }
    }

    [Fact]
    public async Task Blocks_and_balances_are_read_and_a_batch_answers_in_order()
    {
        var receipt = await chain.SendAsync(null, MembersContract.Create(Random()));
        var block = await chain.Rpc.BlockAsync(BlockTag.At(receipt.BlockNumber));
        Assert.Equal(receipt.BlockHash, block!.Hash);
        Assert.Equal(receipt.TransactionHash, Assert.Single(block.TransactionHashes));
        Assert.Equal(block.ParentHash, (await chain.Rpc.BlockAsync(BlockTag.At(receipt.BlockNumber - 1)))!.Hash);
        Assert.Equal(block.Number, (await chain.Rpc.BlockAsync((ReadOnlyMemory<byte>)block.Hash))!.Number);
        Assert.Null(await chain.Rpc.BlockAsync(BlockTag.At(block.Number + 1000)));
        Assert.Null(await chain.Rpc.ReceiptAsync(Random()));
        Assert.True((await chain.Rpc.BalanceAsync(chain.Key.Address)).Sign > 0);
        Assert.Equal(chain.NextNonce, await chain.Rpc.TransactionCountAsync(chain.Key.Address));

        var answers = await chain.Rpc.BatchAsync([new RpcCall("eth_chainId"), new RpcCall("eth_getBlockByNumber", Hex.Of(block.Number), false)]);
        Assert.Equal(await chain.Rpc.ChainIdAsync(), Hex.Quantity64(answers[0].GetString()));
        Assert.Equal(Hex.Of(block.Hash), answers[1].GetProperty("hash").GetString());
        Assert.Equal(-32601, (await Assert.ThrowsAsync<EvmRpcException>(() => chain.Rpc.BatchAsync([new RpcCall("no_such_method")]))).Code);
    }

    [Fact]
    public async Task An_answer_longer_than_the_limit_is_refused()
    {
        using var http = new HttpClient();
        await Assert.ThrowsAsync<FormatException>(() => new EvmRpc(http, chain.Url, responseBytesMax: 100).BlockAsync(BlockTag.Latest));
    }
}

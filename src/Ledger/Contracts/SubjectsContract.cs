using Salus.Ledger.Evm;

namespace Salus.Ledger.Contracts;

/// <summary>
/// Subjects.sol: who may sign for a patient. Subjects, key ids and commitments are 32 bytes; a challenge holds the
/// subject's sequence number at the time.
/// </summary>
public static partial class SubjectsContract
{
    /// <summary>The EIP-712 domain under which this contract's challenges are hashed.</summary>
    public static Eip712Domain Domain(ulong chainId, Address contract) => new("Salus Subjects", "1", chainId, contract);

    /// <summary>What a key is called.</summary>
    public static byte[] KeyId(PublicKey key) => Keccak256.Hash([.. key.Qx, .. key.Qy, .. key.RpIdHash]);

    /// <summary>The commitment to recovery contacts that <see cref="RecoveryTerms"/> hold; the contacts stay unknown until they are needed.</summary>
    public static byte[] ContactsCommitment(byte[] salt, IReadOnlyList<PublicKey> contacts) => Keccak256.Hash(AbiEncoder.Encode(
        [new AbiType.FixedBytes(32), new AbiType.Array(new AbiType.Tuple(new AbiType.FixedBytes(32), new AbiType.FixedBytes(32), new AbiType.FixedBytes(32)), null)],
        salt, contacts.Select(contact => (object)contact.ToAbi()).ToArray()));

    /// <summary>The challenge of a key of the subject's own, to add another.</summary>
    public static byte[] AddKeyChallenge(Eip712Domain domain, byte[] subject, PublicKey key, ulong sequence) => domain.Digest(Eip712.StructHash(
        "AddKey(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)", subject, key.Qx, key.Qy, key.RpIdHash, sequence));

    /// <summary>The challenge of a key of the subject's own, to remove one.</summary>
    public static byte[] RemoveKeyChallenge(Eip712Domain domain, byte[] subject, byte[] key, ulong sequence) =>
        domain.Digest(Eip712.StructHash("RemoveKey(bytes32 subject,bytes32 key,uint64 sequence)", subject, key, sequence));

    /// <summary>The challenge of a key of the subject's own, to let a delegate sign up to and including a second in Unix time.</summary>
    public static byte[] AddDelegateChallenge(Eip712Domain domain, byte[] subject, PublicKey key, byte[] relation, ulong notAfter, ulong sequence) =>
        domain.Digest(Eip712.StructHash(
            "AddDelegate(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,bytes32 relation,uint64 notAfter,uint64 sequence)",
            subject, key.Qx, key.Qy, key.RpIdHash, relation, notAfter, sequence));

    /// <summary>The challenge of a key of the subject's own, to withdraw a delegate.</summary>
    public static byte[] RemoveDelegateChallenge(Eip712Domain domain, byte[] subject, byte[] @delegate, ulong sequence) =>
        domain.Digest(Eip712.StructHash("RemoveDelegate(bytes32 subject,bytes32 delegate,uint64 sequence)", subject, @delegate, sequence));

    /// <summary>The challenge of a key of the subject's own, to set the terms of recovery.</summary>
    public static byte[] SetRecoveryChallenge(Eip712Domain domain, byte[] subject, RecoveryTerms terms, ulong sequence) => domain.Digest(Eip712.StructHash(
        "SetRecovery(bytes32 subject,bytes32 contacts,uint8 count,uint8 threshold,uint32 delaySeconds,uint64 sequence)",
        subject, terms.Contacts, terms.Count, terms.Threshold, terms.DelaySeconds, sequence));

    /// <summary>The challenge of a recovery contact, to replace all that sign for the subject by one key.</summary>
    public static byte[] RecoverChallenge(Eip712Domain domain, byte[] subject, PublicKey key, ulong sequence) => domain.Digest(Eip712.StructHash(
        "Recover(bytes32 subject,bytes32 qx,bytes32 qy,bytes32 rpIdHash,uint64 sequence)", subject, key.Qx, key.Qy, key.RpIdHash, sequence));

    /// <summary>The challenge of a key of the subject's own, to cancel a recovery.</summary>
    public static byte[] CancelRecoveryChallenge(Eip712Domain domain, byte[] subject, ulong sequence) =>
        domain.Digest(Eip712.StructHash("CancelRecovery(bytes32 subject,uint64 sequence)", subject, sequence));
}

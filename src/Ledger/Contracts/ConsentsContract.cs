using Salus.Ledger.Evm;

namespace Salus.Ledger.Contracts;

/// <summary>Consents.sol: what patients have signed. Subjects, ids and commitments are 32 bytes.</summary>
public static partial class ConsentsContract
{
    /// <summary>The EIP-712 domain under which this contract's challenges are hashed.</summary>
    public static Eip712Domain Domain(ulong chainId, Address contract) => new("Salus Consents", "1", chainId, contract);

    /// <summary>The challenge that the patient, or a delegate, signs to grant.</summary>
    public static byte[] GrantChallenge(Eip712Domain domain, byte[] subject, byte[] id, byte[] commitment, ulong notAfter) =>
        domain.Digest(Eip712.StructHash("Grant(bytes32 subject,bytes32 id,bytes32 commitment,uint64 notAfter)", subject, id, commitment, notAfter));

    /// <summary>The challenge that the patient, or a delegate, signs to revoke.</summary>
    public static byte[] RevokeChallenge(Eip712Domain domain, byte[] subject, byte[] id) =>
        domain.Digest(Eip712.StructHash("Revoke(bytes32 subject,bytes32 id)", subject, id));
}

namespace Salus.Ledger.Proofs;

/// <summary>What the check of a Merkle proof found.</summary>
public enum ProofVerdict
{
    /// <summary>The proof holds.</summary>
    Valid,

    /// <summary>The index or a size is negative, or they are not in order.</summary>
    OutOfRange,

    /// <summary>A root, a leaf hash or an element of the proof is not 32 bytes long.</summary>
    MalformedHash,

    /// <summary>The proof has more or fewer elements than the sizes ask for.</summary>
    WrongLength,

    /// <summary>The proof does not lead to the old root.</summary>
    WrongOldRoot,

    /// <summary>The proof does not lead to the (new) root.</summary>
    WrongRoot,
}

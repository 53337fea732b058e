namespace Salus.Ledger.Evidence;

/// <summary>The steps of checking a proof file, each with the exit code of a check that fails there. The numbers do not change.</summary>
public enum ProofStep
{
    /// <summary>No step: nothing failed.</summary>
    None = 0,

    /// <summary>Reading the proof file.</summary>
    File = 20,

    /// <summary>Reading the policy.</summary>
    Policy = 21,

    /// <summary>The stored bytes against the commitment in the leaf.</summary>
    Content = 30,

    /// <summary>The log's origin against the policy.</summary>
    Log = 40,

    /// <summary>The log's signature under the checkpoint.</summary>
    Checkpoint = 41,

    /// <summary>The leaf's path to the checkpoint's root.</summary>
    Inclusion = 42,

    /// <summary>A witness's cosignature that does not verify.</summary>
    Cosignature = 50,

    /// <summary>The number of witnesses.</summary>
    Witnesses = 51,

    /// <summary>That there is evidence of an anchor at all.</summary>
    Anchor = 60,

    /// <summary>The chain and the contract against the policy.</summary>
    Chain = 61,

    /// <summary>The block's header.</summary>
    Header = 62,

    /// <summary>The block against those that the policy, or a chain that was asked, vouches for.</summary>
    Block = 63,

    /// <summary>The receipt's path to the header.</summary>
    Receipt = 64,

    /// <summary>The contract's event in the receipt.</summary>
    Event = 65,

    /// <summary>The contract's account and its path to the header.</summary>
    Account = 66,

    /// <summary>The contract's storage.</summary>
    Storage = 67,
}

/// <summary>The step at which a check failed, and why, in a sentence.</summary>
public sealed record ProofFault(ProofStep Step, string Reason);

using System.Text.Json;

namespace Salus.Cli.Api;

/// <summary>Where a log's contracts stand, and who signs for it.</summary>
sealed record PlaceAnswer(string Origin, string VerifierKey, string LogId, ulong ChainId, IReadOnlyDictionary<string, string> Contracts);

/// <summary>How far log and chain are.</summary>
sealed record StatusAnswer(long LogSize, string? Root, long AnchoredSize, long PendingLeaves, long WaitingTransactions, long RefusedTransactions, ulong ChainBlock, string? ChainFault);

/// <summary>A transaction of the node.</summary>
sealed record BlockAnswer(long Block, string BlockHash, string Transaction, long GasUsed, DateTimeOffset Mined, bool Durable, string Purpose, long? Leaves, long? Size);

/// <summary>An account that was made.</summary>
sealed record CreatedAnswer(Guid Account, bool Approved);

/// <summary>What the chain says of a sign-up.</summary>
sealed record RegistrationAnswer(string State, string? TransactionHash, long? BlockNumber, string? BlockHash, long? GasUsed, DateTimeOffset? Mined, string? Refusal);

/// <summary>An enrolment code.</summary>
sealed record CodeAnswer(string Code);

/// <summary>Records written by one request.</summary>
sealed record ConditionAnswer(string Patient, IReadOnlyList<string> Records);

/// <summary>How far a record's proof has come.</summary>
sealed record ProofAnswer(string State, long? Position, long? LogSize, long? Block, string? Transaction, string? Reason);

/// <summary>A record that came back.</summary>
sealed record RecordAnswer(string Type, string Id, int Version, ProofAnswer Proof, JsonElement Resource);

/// <summary>A patient's records that came back.</summary>
sealed record RetrievalAnswer(string Patient, int Count, IReadOnlyDictionary<string, int> Proofs, IReadOnlyList<string> Altered, IReadOnlyList<RecordAnswer> Records);

/// <summary>A consent.</summary>
sealed record ConsentAnswer(string Id, string State, string Commitment, long? GrantedBlock, long? RevokedBlock);

/// <summary>A file that was stored.</summary>
sealed record FileAnswer(string Binary, string Document, long Length, long SealedLength);

/// <summary>A line of the audit trail.</summary>
sealed record AccessAnswer(string Id, DateTimeOffset Time, AccessFact Fact);

/// <summary>What a line of the audit trail tells.</summary>
sealed record AccessFact(string Action, bool Succeeded, Guid? Account, string? Entity, string? Detail, string? Requester = null);

/// <summary>What a node says of itself to the consortium.</summary>
public sealed record StatementAnswer(string Name, string Title, string Account);

/// <summary>A member of the consortium.</summary>
sealed record MemberAnswer(ulong Id, string Account, string? Name, string? Title, string? Endpoint, string? LogKey, string? WitnessKey, bool IsSelf);

/// <summary>What another hospital gave, as the asking one's node verified it.</summary>
sealed record ForeignAnswer(ulong HeldBy, string Holder, string Patient, int Count, IReadOnlyDictionary<string, int> Proofs, IReadOnlyList<ForeignRecordAnswer> Records);

/// <summary>A record of another hospital.</summary>
sealed record ForeignRecordAnswer(string Type, string Id, ProofAnswer Proof);

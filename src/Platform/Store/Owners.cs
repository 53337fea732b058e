namespace Salus.Platform.Store;

/// <summary>The owners every node has.</summary>
static class Owners
{
    /// <summary>The node itself: its signing keys, its directory of organisations and practitioners.</summary>
    public static readonly Guid Node = new("5a105000-0000-4000-8000-000000000002");

    /// <summary>The audit trail.</summary>
    public static readonly Guid Audit = new("5a105000-0000-4000-8000-000000000003");
}

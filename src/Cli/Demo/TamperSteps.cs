using Salus.Cli.Node;

namespace Salus.Cli.Demo;

/// <summary>One byte is bent at rest, and the check names it.</summary>
static class TamperSteps
{
    /// <summary>Checks, bends, checks, restores, checks.</summary>
    public static async Task RunAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        await RecordSteps.AnchoredAsync(world, cancellation);
        var checkpoint = Path.Combine(world.Scratch, "checkpoint");
        var kept = await world.Nobody.AskAsync(HttpMethod.Get, "/log/checkpoint", (object?)null, cancellation);
        StepNotes.Require(kept.IsSuccess, $"The newest checkpoint is not given out: {kept.Reason}");
        await File.WriteAllBytesAsync(checkpoint, kept.Body, cancellation);
        Task<VerifyReport> Check() => Verification.RunAsync(new NodeSettings(world.Data, ""), checkpoint, notes.At, cancellation);

        var before = await Check();
        StepNotes.Require(before.Holds, $"The untouched node does not hold: {Describe(before)}");
        notes.Say($"untouched: {before.Leaves:N0} leaves, {before.Heads} signed heads, {before.Anchors} anchored heads, {before.Blobs} sealed files and the checkpoint kept elsewhere agree");

        await FlipAsync(world.Upload.Path, cancellation);
        VerifyReport bent;
        try
        {
            bent = await Check();
        }
        finally
        {
            await FlipAsync(world.Upload.Path, CancellationToken.None);
        }
        StepNotes.Require(!bent.Holds, "One byte of a sealed file was changed and the check did not notice.");
        StepNotes.Require(bent.Findings is [{ Kind: "Changed", Record: { } record, Leaf: not null }] && record.StartsWith(world.Upload.Binary, StringComparison.Ordinal),
            $"One byte of {world.Upload.Binary} was changed, but the check says: {Describe(bent)}");
        notes.Say($"one byte bent on disk: named exactly — {Describe(bent)}");

        var after = await Check();
        StepNotes.Require(after.Holds, $"The byte was restored, but: {Describe(after)}");
        notes.Say("the byte restored: all of it holds again");
        world.Report = after;
        notes.Set("leaves", after.Leaves);
        notes.Set("heads", after.Heads);
        notes.Set("anchors", after.Anchors);
        notes.Set("finding", bent.Findings[0]);
    }

    static async Task FlipAsync(string path, CancellationToken cancellation)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var middle = file.Length / 2;
        var one = new byte[1];
        file.Position = middle;
        await file.ReadExactlyAsync(one, cancellation);
        one[0] ^= 1;
        file.Position = middle;
        await file.WriteAsync(one, cancellation);
    }

    static string Describe(VerifyReport report) =>
        string.Join(" ", report.Findings.Take(3).Select(finding => $"{finding.Kind}: {finding.Record}{(finding.Leaf is { } leaf ? $", leaf {leaf}" : "")}: {finding.Difference}"));
}

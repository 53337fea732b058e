using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>The offline check of a data folder.</summary>
public sealed class VerifyTests
{
    [Fact]
    public async Task A_folder_that_was_left_alone_holds_and_a_flipped_byte_of_a_file_is_named()
    {
        await using var clinic = await Clinic.OpenAsync();
        var letter = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"u8.ToArray();
        var binary = await clinic.UploadAsync(letter, "application/pdf");
        using (var nobody = ApiClient.Anonymous(clinic.Node))
        {
            await nobody.AnchoredAsync();
        }

        await RequireHoldsAsync(clinic);
        await clinic.Node.StopAsync();
        await RequireHoldsAsync(clinic);

        FlipByte(Assert.Single(clinic.Folders.Blobs));
        var damaged = await VerifyAsync(clinic);
        Assert.True(damaged.ExitCode == 2, $"{damaged}");
        Assert.True(damaged.Output.Contains(binary, StringComparison.Ordinal), $"{binary} is not named: {damaged}");
    }

    static Task<ProgramRun> VerifyAsync(Clinic clinic) => ProgramRun.OfAsync(Repository.Cli, "verify", "--json", "--data", clinic.Folders.Data);

    static async Task RequireHoldsAsync(Clinic clinic)
    {
        var run = await VerifyAsync(clinic);
        Assert.True(run.ExitCode == 0, $"{run}");
    }

    static void FlipByte(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length - 1;
        var last = file.ReadByte();
        file.Position = file.Length - 1;
        file.WriteByte((byte)(last ^ 1));
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class FileTests
{
    static readonly byte[] Pdf = [.. "%PDF-1.7\n"u8, .. RandomNumberGenerator.GetBytes(700_000)];

    [Fact]
    public async Task A_file_comes_back_whole_and_in_parts_for_its_patient()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, _) = await node.RecordAsync(doctor);
        using var sender = await node.ClientAsync(doctor);
        var (status, stored) = await UploadAsync(sender, patient, "application/pdf", Pdf);
        Assert.Equal(HttpStatusCode.OK, status);
        using var client = await node.ClientAsync(await node.AddAsync(Role.Patient, patient));
        var path = $"/fhir/{stored.GetProperty("binary").GetString()}";
        Assert.Equal(Pdf, await client.GetByteArrayAsync(path, TestContext.Current.CancellationToken));
        using var part = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Range = new RangeHeaderValue(500_000, 500_099) } };
        using var answer = await client.SendAsync(part, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.PartialContent, answer.StatusCode);
        Assert.Equal(Pdf[500_000..500_100], await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        using var stranger = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.GetAsync(path, TestContext.Current.CancellationToken)).StatusCode);
    }

    [Theory]
    [InlineData("image/png", "%PDF-1.7 but called a picture", "image/png")]
    [InlineData("application/pdf", "MZ this is a program", "line 1, column 1")]
    [InlineData("text/plain", "just words", "no file type that is taken")]
    [InlineData("application/pdf", "", "no file type that is taken")]
    public async Task A_file_that_is_not_what_it_says_is_refused_and_nothing_of_it_is_kept(string contentType, string content, string reason)
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, _) = await node.RecordAsync(doctor);
        using var client = await node.ClientAsync(doctor);
        var before = await node.Database.ValueAsync<long>("SELECT count(*) FROM entry");
        var (status, answer) = await UploadAsync(client, patient, contentType, System.Text.Encoding.UTF8.GetBytes(content));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains(reason, answer.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry"));
        Assert.Empty(BlobsOf(node));
    }

    [Fact]
    public async Task A_file_for_a_stranger_or_for_nobody_keeps_nothing()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (mine, _) = await node.RecordAsync(doctor);
        var (theirs, _) = await node.RecordAsync(doctor);
        using var patient = await node.ClientAsync(await node.AddAsync(Role.Patient, mine));
        using var insurer = await node.ClientAsync(await node.AddAsync(Role.Insurer));
        using var sender = await node.ClientAsync(doctor);
        Assert.Equal(HttpStatusCode.Forbidden, (await UploadAsync(patient, theirs, "application/pdf", Pdf)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await UploadAsync(insurer, mine, "application/pdf", Pdf)).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await UploadAsync(sender, Guid.NewGuid().ToString(), "application/pdf", Pdf)).Status);
        Assert.Empty(BlobsOf(node));
        Assert.Equal(0, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type IN ('Binary') OR blob IS NOT NULL"));
    }

    [Fact]
    public async Task A_file_whose_sealed_bytes_were_changed_gives_out_no_wrong_byte()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, _) = await node.RecordAsync(doctor);
        using var content = new MemoryStream(Pdf);
        var stored = Assert.IsType<FileWriteOutcome.Stored>(await node.Records.UploadAsync(doctor, patient, "Letter", "application/pdf", content, default));
        await using (var file = File.OpenWrite(Assert.Single(BlobsOf(node))))
        {
            file.Position = 300_000;
            file.Write("forged"u8);
        }
        var account = await node.AddAsync(Role.Patient, patient);
        var found = Assert.IsType<FileReadOutcome.Found>(await node.Records.OpenFileAsync(account, stored.Binary, Salus.Platform.Consent.Purpose.PatientRequest, default));
        await using var read = found.Content;
        await Assert.ThrowsAsync<InvalidDataException>(() => read.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken));
    }

    static string[] BlobsOf(TestNode node) =>
        Directory.Exists(node.Ground.BlobFolder) ? Directory.GetFiles(node.Ground.BlobFolder, "*", SearchOption.AllDirectories) : [];

    static async Task<(HttpStatusCode Status, JsonElement Json)> UploadAsync(HttpClient client, string patient, string contentType, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
        using var response = await client.PostAsync($"/api/files?patient={patient}&title=Scan", content, TestContext.Current.CancellationToken);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }
}

using System.Text.Json;
using Salus.Fhir.Elements;
using Salus.Fhir.Resources;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Vault.Blobs;
using Salus.Vault.Envelopes;

namespace Salus.Platform.Records;

/// <summary>What became of an upload.</summary>
public abstract record FileWriteOutcome
{
    FileWriteOutcome() { }

    /// <summary>Sealed and stored, as a Binary and a DocumentReference that points to it.</summary>
    public sealed record Stored(string Binary, string Document, long Length, long SealedLength) : FileWriteOutcome;

    /// <summary>It is not what it says, or too large, or empty; nothing was kept.</summary>
    public sealed record Invalid(string Reason) : FileWriteOutcome;

    /// <summary>The records' door refused it; nothing was kept.</summary>
    public sealed record Refused(WriteOutcome Write) : FileWriteOutcome;
}

/// <summary>What became of opening a file.</summary>
public abstract record FileReadOutcome
{
    FileReadOutcome() { }

    /// <summary>A seekable stream of the content.</summary>
    public sealed record Found(Stream Content, string ContentType) : FileReadOutcome;

    /// <summary>Not given out.</summary>
    public sealed record Refused(ReadOutcome Reason) : FileReadOutcome;
}

// Files: sealed in chunks as they stream in, beside the record that names them.
public sealed partial class RecordsDesk
{
    /// <summary>The largest file taken.</summary>
    public const long FileBytesMax = 1L << 30;

    const int TitleMax = 200;

    /// <summary>Stores a file in a patient's record. The content is read once and never held in memory.</summary>
    /// <param name="caller">Who sends it.</param>
    /// <param name="patient">Whose record it belongs to.</param>
    /// <param name="title">What it is called there.</param>
    /// <param name="contentType">What it says it is.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<FileWriteOutcome> UploadAsync(
        Caller caller, string patient, string title, string contentType, Stream content, CancellationToken cancellation)
    {
        if (string.IsNullOrWhiteSpace(title) || title.Length > TitleMax)
        {
            return new FileWriteOutcome.Invalid($"Give the file a title of 1 to {TitleMax} characters.");
        }
        if (!AccessRules.MayWrite(caller.Role, "DocumentReference") || (caller.Role == Role.Patient && caller.Patient != patient))
        {
            return new FileWriteOutcome.Refused(await ForbidAsync(caller, patient, "DocumentReference", "You may not add files to this record.", cancellation));
        }
        if (!Guid.TryParse(patient, out var ownerId) || !await PatientExistsAsync(patient, cancellation) || await vault.FindOwnerAsync(ownerId, cancellation) is not { } owner)
        {
            return new FileWriteOutcome.Invalid("There is no such patient here. Check the patient id.");
        }
        var head = new byte[FileTypes.HeadBytes];
        var read = await content.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellation);
        if (FileTypes.Detect(head.AsSpan(0, read)) is not { } detected)
        {
            return new FileWriteOutcome.Invalid($"The first bytes (line 1, column 1) are those of no file type that is taken: {FileTypes.Taken}.");
        }
        if (!FileTypes.Agree(contentType, detected))
        {
            return new FileWriteOutcome.Invalid($"The file says that it is {contentType.Split(';')[0]}, but its first bytes (line 1, column 1) are those of {detected}.");
        }
        var binary = NewId();
        await using var whole = new PrefixedStream(head.AsMemory(0, read), content);
        switch (await blobs.WriteAsync(owner, new SealContext("Binary", binary, 1), whole, FileBytesMax, cancellation))
        {
            case BlobOutcome.Stored stored:
                return await RecordFileAsync(caller, patient, title.Trim(), detected, binary, stored, cancellation);
            default:
                return new FileWriteOutcome.Invalid($"The file is larger than {FileBytesMax >> 20} MiB.");
        }
    }

    /// <summary>Opens a file for a caller who may read it.</summary>
    public async Task<FileReadOutcome> OpenFileAsync(Caller caller, string id, Purpose purpose, CancellationToken cancellation)
    {
        var outcome = await ReadAsync(caller, "Binary", id, null, purpose, cancellation);
        if (outcome is not ReadOutcome.Found found)
        {
            return new FileReadOutcome.Refused(outcome);
        }
        using var json = JsonDocument.Parse(found.Record.Bytes);
        var contentType = json.RootElement.GetProperty("contentType").GetString()!;
        if (json.RootElement.TryGetProperty("data", out var data))
        {
            return new FileReadOutcome.Found(new MemoryStream(data.GetBytesFromBase64()), contentType);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var entry = await Store.SealedStore.FindAsync(connection, "Binary", id, found.Record.Version, cancellation);
        var owner = entry is null ? null : await vault.FindOwnerAsync(entry.Owner, cancellation);
        return owner is not null && entry is { Blob: { } blob } && blobs.OpenRead(owner, new SealContext("Binary", id, 1), blob) is { } content
            ? new FileReadOutcome.Found(content, contentType)
            : new FileReadOutcome.Refused(new ReadOutcome.Altered($"The content of Binary/{id}"));
    }

    async Task<FileWriteOutcome> RecordFileAsync(
        Caller caller, string patient, string title, string contentType, string binary, BlobOutcome.Stored stored, CancellationToken cancellation)
    {
        var subject = $"Patient/{patient}";
        try
        {
            var file = Parse(new FileRecord(null, subject, time.GetUtcNow(), contentType, $"Binary/{binary}", stored.Length, title).ToUtf8());
            var outcome = await WriteAsync(caller,
                [
                    new RecordWrite(WriteVerb.Create, "Binary")
                    {
                        Resource = Parse(new BinaryRecord(null, contentType, subject).ToUtf8()), Id = binary, Blob = stored.SealedHash, Patient = patient,
                    },
                    new RecordWrite(WriteVerb.Create, file.ResourceType) { Resource = file, Patient = patient },
                ], AuditAction.Create, cancellation);
            if (outcome is WriteOutcome.Written written)
            {
                return new FileWriteOutcome.Stored(binary, written.Records[1].Id, stored.Length, stored.SealedLength);
            }
            blobs.Delete(stored.SealedHash);
            return new FileWriteOutcome.Refused(outcome);
        }
        catch
        {
            blobs.Delete(stored.SealedHash);
            throw;
        }
    }

    static Resource Parse(byte[] resource) =>
        FhirJson.Read(resource) is FhirReadOutcome.Ok { Resource: var read }
            ? read
            : throw new InvalidOperationException("The node wrote a resource that it cannot read.");

    /// <summary>Bytes that were read to look at, and then the rest.</summary>
    sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : Stream
    {
        ReadOnlyMemory<byte> left = prefix;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (left.IsEmpty)
            {
                return await rest.ReadAsync(buffer, cancellationToken);
            }
            var count = Math.Min(buffer.Length, left.Length);
            left[..count].CopyTo(buffer);
            left = left[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Salus.Fhir.Elements;

/// <summary>Makes the bytes a server stores from the bytes it received.</summary>
public static class ResourceRewriter
{
    static readonly SearchValues<byte> Space = SearchValues.Create(" \t\r\n"u8);
    static readonly SearchValues<byte> QuotesAndSpace = SearchValues.Create("\" \t\r\n"u8);

    /// <summary>
    /// The resource with its id, meta.versionId and meta.lastUpdated set and its references mapped, without the white space between
    /// its elements; every other byte as written. The same input gives the same bytes.
    /// </summary>
    /// <param name="resource">A resource that was read.</param>
    /// <param name="id">The logical id it gets.</param>
    /// <param name="versionId">The version it gets.</param>
    /// <param name="lastUpdated">The instant it gets, written in UTC to the millisecond.</param>
    /// <param name="mapReference">Given a literal reference (or a urn in a url), what to write instead; null leaves it.</param>
    public static byte[] Rewrite(Resource resource, string id, string versionId, DateTimeOffset lastUpdated, Func<string, string?>? mapReference = null)
    {
        var edits = new List<Edit>();
        var root = resource.Root;
        var instant = lastUpdated.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var afterType = End(root["resourceType"u8]);
        var idAt = root["id"u8];
        if (idAt.Kind == ElementKind.Missing)
        {
            edits.Add(new(afterType, 0, $",\"id\":{Quoted(id)}"));
        }
        else
        {
            edits.Add(Replace(idAt, Quoted(id)));
        }
        var meta = root["meta"u8];
        if (meta.Kind == ElementKind.Complex)
        {
            SetMeta(edits, meta, versionId, instant);
        }
        else if (meta.IsMissing)
        {
            edits.Add(new(idAt.IsMissing ? afterType : End(idAt), 0, $",\"meta\":{{\"versionId\":{Quoted(versionId)},\"lastUpdated\":\"{instant}\"}}"));
        }
        else
        {
            edits.Add(Replace(meta, $"{{\"versionId\":{Quoted(versionId)},\"lastUpdated\":\"{instant}\"}}"));
        }
        if (mapReference is not null)
        {
            MapReferences(edits, root, mapReference);
        }
        return Apply(root, edits);
    }

    /// <summary>The literal references in a resource: every <c>reference</c>, and every <c>url</c> or <c>uri</c> that is a urn.</summary>
    public static IEnumerable<string> References(Resource resource)
    {
        var end = resource.Root.Tree[resource.Root.Index].Next;
        for (var index = resource.Root.Index + 1; index < end; index++)
        {
            if (IsReference(resource.Root.Tree, index))
            {
                yield return new Element(resource.Root.Tree, index).Text!;
            }
        }
    }

    readonly record struct Edit(int Offset, int Length, string Text);

    static void SetMeta(List<Edit> edits, Element meta, string versionId, string instant)
    {
        var comma = meta.Children.FirstOrMissing.IsMissing ? "" : ",";
        var version = meta["versionId"u8];
        var updated = meta["lastUpdated"u8];
        var added = new List<string>();
        if (version.IsMissing)
        {
            added.Add($"\"versionId\":{Quoted(versionId)}");
        }
        else
        {
            edits.Add(Replace(version, Quoted(versionId)));
        }
        if (updated.IsMissing)
        {
            added.Add($"\"lastUpdated\":\"{instant}\"");
        }
        else
        {
            edits.Add(Replace(updated, $"\"{instant}\""));
        }
        if (added.Count > 0)
        {
            edits.Add(new(meta.Offset + 1, 0, string.Join(',', added) + comma));
        }
    }

    static void MapReferences(List<Edit> edits, Element root, Func<string, string?> mapReference)
    {
        var end = root.Tree[root.Index].Next;
        for (var index = root.Index + 1; index < end; index++)
        {
            if (!IsReference(root.Tree, index))
            {
                continue;
            }
            var element = new Element(root.Tree, index);
            if (mapReference(element.Text!) is { } mapped)
            {
                edits.Add(Replace(element, Quoted(mapped)));
            }
        }
    }

    static bool IsReference(ElementTree tree, int index)
    {
        if (tree[index].Kind != ElementKind.Text)
        {
            return false;
        }
        if (tree[index].NameLength is not (3 or 9))
        {
            return false;
        }
        var name = tree.Name(index);
        return name.SequenceEqual("reference"u8)
            || ((name.SequenceEqual("url"u8) || name.SequenceEqual("uri"u8)) && tree.Raw(index).StartsWith("urn:uuid:"u8));
    }

    static byte[] Apply(Element root, List<Edit> edits)
    {
        edits.Sort((a, b) => a.Offset.CompareTo(b.Offset));
        var text = root.Tree.Utf8.Span;
        var end = root.Offset + root.Raw.Length;
        var output = new ArrayBufferWriter<byte>(root.Raw.Length + 160);
        var at = root.Offset;
        foreach (var edit in edits)
        {
            WriteDense(output, text[at..edit.Offset]);
            Encoding.UTF8.GetBytes(edit.Text, output);
            at = edit.Offset + edit.Length;
        }
        WriteDense(output, text[at..end]);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Writes JSON that begins and ends outside of a string, without the white space outside of strings.</summary>
    static void WriteDense(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        var target = output.GetSpan(json.Length);
        var (from, at, written) = (0, 0, 0);
        while (json[at..].IndexOfAny(QuotesAndSpace) is >= 0 and var ahead)
        {
            at += ahead;
            if (json[at] == '"')
            {
                at = EndOfString(json, at);
                continue;
            }
            json[from..at].CopyTo(target[written..]);
            written += at - from;
            var solid = json[at..].IndexOfAnyExcept(Space);
            from = at = solid < 0 ? json.Length : at + solid;
        }
        json[from..].CopyTo(target[written..]);
        output.Advance(written + json.Length - from);
    }

    /// <summary>Where a string ends that begins with the quote at a place: after its other quote.</summary>
    static int EndOfString(ReadOnlySpan<byte> json, int quote)
    {
        var at = quote + 1;
        while (true)
        {
            at += json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[at] == '"')
            {
                return at + 1;
            }
            at += 2;
        }
    }

    static Edit Replace(Element element, string json) => element.Kind == ElementKind.Text
        ? new(element.Offset - 1, element.Raw.Length + 2, json)
        : new(element.Offset, element.Raw.Length, json);

    static int End(Element element) => element.Offset + element.Raw.Length + (element.Kind == ElementKind.Text ? 1 : 0);

    static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}

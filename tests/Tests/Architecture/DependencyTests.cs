using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Salus.Tests.Architecture;

/// <summary>The direction of the house, held in tables. Each guard is first shown a house in which it must fail.</summary>
public sealed partial class DependencyTests
{
    static readonly Dictionary<string, string[]> ProjectsMayUse = new()
    {
        ["Fhir"] = [],
        ["Vault"] = [],
        ["Ledger"] = [],
        ["Learning"] = [],
        ["Platform"] = ["Fhir", "Vault", "Ledger", "Learning"],
        ["Host"] = ["Platform"],
        ["Cli"] = ["Fhir", "Ledger", "Learning"],
    };

    /// <summary>Models and Cohorts read the entries that they had written through the records' door.</summary>
    static readonly string[] MayUseSealedStore = ["Store", "Records", "Consent", "Audit", "Anchoring", "Monitoring", "Models", "Cohorts", "Erasure"];

    static readonly string[] MayAppendToSealedStore = ["Records", "Consent", "Audit", "Anchoring", "Erasure"];

    static readonly string[] MayOpenHttpClients = ["Host/Engines/", "Host/Node/", "Ledger/Evm/EvmRpc.cs", "Platform/Anchoring/Witness/Witnessing.cs", "Platform/Consortium/MemberWire.cs", "Cli/"];

    static readonly string[] MayWriteToTheConsole = ["Host/Node/Progress.cs", "Cli/"];

    [Fact]
    public void Projects_refer_only_to_those_below_them()
    {
        var found = Directory.GetFiles(Path.Combine(Root(), "src"), "*.csproj", SearchOption.AllDirectories).ToDictionary(
            file => Path.GetFileNameWithoutExtension(file),
            file => XDocument.Load(file).Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)).ToArray());
        Assert.Equal(ProjectsMayUse.Keys.Order(), found.Keys.Order());
        Assert.Equal([], Upward(found));
        Assert.Equal(["Vault → Ledger"], Upward(new() { ["Vault"] = ["Ledger"] }));
    }

    [Fact]
    public void Features_of_the_platform_refer_to_each_other_in_no_circle()
    {
        var edges = FeatureEdges(Sources("Platform"));
        Assert.True(edges.Count >= 6, "the features were found");
        Assert.Contains("Anchoring", edges["Records"]);
        Assert.Null(Circle(edges));
        Assert.NotNull(Circle(new() { ["Records"] = ["Consent"], ["Consent"] = ["Audit"], ["Audit"] = ["Records"] }));
        Assert.Null(Circle(new() { ["Records"] = ["Consent", "Audit"], ["Consent"] = ["Audit"], ["Audit"] = [] }));
    }

    [Fact]
    public void Only_the_features_that_own_a_door_reach_the_sealed_store()
    {
        Assert.Equal([], Reaching(Sources("Platform"), SealedStoreUse(), MayUseSealedStore));
        Assert.Equal([], Reaching(Sources("Platform"), SealedStoreAppend(), MayAppendToSealedStore));
        Assert.Equal(["Identity/Peek.cs"], Reaching([("Identity/Peek.cs", "var all = new SealedStore(vault);"), ("Identity/Fair.cs", "// SealedStore")], SealedStoreUse(), MayUseSealedStore));
        Assert.Equal(["Models/Own.cs"], Reaching([("Models/Own.cs", "await SealedStore.AppendAsync(a, b, c);")], SealedStoreAppend(), MayAppendToSealedStore));
    }

    [Fact]
    public void Nothing_but_the_vault_shows_the_bytes_of_a_key()
    {
        Assert.Equal([], KeyBytesShown(typeof(Salus.Vault.Keys.KeyVault).Assembly.GetExportedTypes()));
        Assert.NotEmpty(KeyBytesShown([typeof(LeakyKey)]));
        Assert.Equal([], typeof(Salus.Vault.Keys.KeyVault).Assembly.GetCustomAttributes<InternalsVisibleToAttribute>());
    }

    [Fact]
    public void Only_the_wire_opens_http_clients_and_only_the_programs_write_to_the_console()
    {
        var sources = Sources("");
        Assert.True(sources.Count > 100, "the sources were found");
        Assert.Equal([], Using(sources, HttpClientUse(), MayOpenHttpClients));
        Assert.Equal([], Using(sources, ConsoleUse(), MayWriteToTheConsole));
        Assert.Equal(["Platform/Records/Call.cs"], Using([("Platform/Records/Call.cs", "var http = new HttpClient();")], HttpClientUse(), MayOpenHttpClients));
        Assert.Equal(["Vault/Say.cs"], Using([("Vault/Say.cs", "Console.WriteLine(1);"), ("Vault/Mute.cs", "/// A Console. no")], ConsoleUse(), MayWriteToTheConsole));
    }

    [Fact]
    public void Only_the_vault_makes_ciphers()
    {
        Assert.Equal([], Using(Sources(""), CipherUse(), ["Vault/"]));
        Assert.Equal(["Platform/Own.cs"], Using([("Platform/Own.cs", "using var gcm = new AesGcm(key, 16);")], CipherUse(), ["Vault/"]));
    }

    [Fact]
    public void Each_table_is_written_by_one_feature_only()
    {
        var writers = Sources("Platform").Where(source => source.Path.Contains('/'))
            .SelectMany(source => Writes().Matches(source.Text).Select(match => (Table: match.Groups[1].Value, Feature: source.Path.Split('/')[0])))
            .Distinct().GroupBy(pair => pair.Table).ToDictionary(group => group.Key, group => group.Select(pair => pair.Feature).Order().ToArray());
        Assert.Equal(["Store"], writers["entry"]);
        Assert.Equal(["Anchoring", "Store"], writers["leaf_pending"]); // the queue between the two
        writers.Remove("leaf_pending");
        Assert.Equal([], writers.Where(pair => pair.Value.Length > 1).Select(pair => $"{pair.Key}: {string.Join(", ", pair.Value)}"));
    }

    static List<string> Upward(Dictionary<string, string[]> found) =>
        [.. from project in found from used in project.Value where !ProjectsMayUse[project.Key].Contains(used) select $"{project.Key} → {used}"];

    static Dictionary<string, HashSet<string>> FeatureEdges(List<(string Path, string Text)> sources)
    {
        var features = sources.Where(source => source.Path.Contains('/')).GroupBy(source => source.Path.Split('/')[0]).ToDictionary(
            group => group.Key, group => group.Select(source => Code(source.Text)).ToList());
        var types = features.ToDictionary(feature => feature.Key, feature => string.Join('|', feature.Value.SelectMany(text => Types().Matches(text)).Select(match => match.Groups[1].Value).Distinct()));
        return features.ToDictionary(feature => feature.Key, feature => features.Keys.Where(used => used != feature.Key && feature.Value.Any(text =>
            text.Contains($"using Salus.Platform.{used};", StringComparison.Ordinal) || Regex.IsMatch(text, $@"(?<![\w.])(?:Salus\.)?(?:Platform\.)?{used}\.(?:{types[used]})\b"))).ToHashSet());
    }

    /// <summary>The first circle found, as a path; null when there is none.</summary>
    static string? Circle(Dictionary<string, HashSet<string>> edges)
    {
        foreach (var start in edges.Keys)
        {
            var seen = new HashSet<string>();
            var waiting = new Stack<string>(edges[start].Select(next => $"{start} → {next}"));
            while (waiting.TryPop(out var path))
            {
                var end = path.Split(" → ")[^1];
                if (end == start)
                {
                    return path;
                }
                if (seen.Add(end) && edges.TryGetValue(end, out var nexts))
                {
                    foreach (var next in nexts)
                    {
                        waiting.Push($"{path} → {next}");
                    }
                }
            }
        }
        return null;
    }

    static List<string> Reaching(List<(string Path, string Text)> sources, Regex use, string[] features) =>
        [.. sources.Where(source => use.IsMatch(Code(source.Text)) && !features.Contains(source.Path.Split('/')[0])).Select(source => source.Path)];

    static List<string> Using(List<(string Path, string Text)> sources, Regex use, string[] allowed) =>
        [.. sources.Where(source => use.IsMatch(Code(source.Text)) && !allowed.Any(place => source.Path.StartsWith(place, StringComparison.Ordinal))).Select(source => source.Path)];

    /// <summary>Public members of key-bearing types that hand out bytes: properties, fields and methods that return them, other than what seals and opens.</summary>
    static List<string> KeyBytesShown(Type[] types)
    {
        const BindingFlags everyone = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        return
        [
            .. from type in types
               where type.Name.EndsWith("Key", StringComparison.Ordinal) || type.Name.EndsWith("Vault", StringComparison.Ordinal)
               from member in type.GetMembers(everyone)
               where member switch
               {
                   PropertyInfo property => IsBytes(property.PropertyType),
                   FieldInfo field => IsBytes(field.FieldType),
                   MethodInfo method => IsBytes(method.ReturnType) && !method.IsSpecialName && method.Name is not ("Seal" or "Blind" or "Authenticate"),
                   _ => false,
               }
               select $"{type.Name}.{member.Name}",
        ];
    }

    static bool IsBytes(Type type) =>
        type == typeof(byte[]) || type == typeof(ReadOnlySpan<byte>) || type == typeof(Span<byte>) || type == typeof(ReadOnlyMemory<byte>) || type == typeof(Memory<byte>);

    /// <summary>The text without its comments.</summary>
    static string Code(string text) => Comments().Replace(text, "");

    static List<(string Path, string Text)> Sources(string project)
    {
        var root = Path.Combine(Root(), "src", project);
        return [.. from file in Directory.GetFiles(root, "*.cs", SearchOption.AllDirectories)
                   let path = Path.GetRelativePath(root, file).Replace('\\', '/')
                   where !path.Split('/').Any(part => part is "bin" or "obj")
                   select (path, File.ReadAllText(file))];
    }

    static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../.."));

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\bSealedStore\b")]
    private static partial Regex SealedStoreUse();

    [GeneratedRegex(@"\bSealedStore\.AppendAsync\b")]
    private static partial Regex SealedStoreAppend();

    [GeneratedRegex(@"\bnew HttpClient\b|\bHttpClient \w+ = new\b|\bIHttpClientFactory\b|\bAddHttpClient\b")]
    private static partial Regex HttpClientUse();

    [GeneratedRegex(@"\bConsole\.\w")]
    private static partial Regex ConsoleUse();

    [GeneratedRegex(@"\bnew (AesGcm|AesCcm|ChaCha20Poly1305)\b|\bAes\.Create\b")]
    private static partial Regex CipherUse();

    [GeneratedRegex(@"\b(?:class|record|struct|interface|enum) (\w+)")]
    private static partial Regex Types();

    [GeneratedRegex(@"(?:INSERT INTO|UPDATE|DELETE FROM|COPY) (?!SET\b)([a-z_]+)\b")]
    private static partial Regex Writes();

    sealed class LeakyKey
    {
        public byte[] Material { get; } = [1];
    }
}

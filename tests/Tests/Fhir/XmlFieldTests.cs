using System.Text.Json.Nodes;
using System.Xml.Linq;
using Salus.Fhir.Elements;
using Salus.Fhir.Xml;

namespace Salus.Tests.Fhir;

[Trait("Data", "field")]
public sealed class XmlFieldTests
{
    const int BundlesSampled = 4;

    /// <summary>Inputs whose JSON is not as FHIR writes it, with what comes of them.</summary>
    static readonly Dictionary<string, string> Malformed = new()
    {
        ["patient-example-2.json"] = "gives a structure the extensions of a primitive, which is refused",
        ["parameters-example-types.json"] = "writes a uuid as a structure, which is refused",
        ["quantity-example.json"] = "writes a repetition without its array, which it gets",
        ["patient-name-extensions.json"] = "leaves nulls out at the end of an array, which it gets",
        ["patient-bundle.json"] = "leaves nulls out at the end of an array, which it gets",
    };

    [Fact]
    public void Inputs_that_exist_in_both_formats_read_alike()
    {
        var pairs = FieldData.Files(Path.Combine("fhirpath", "input"), "*.xml", 5).Where(file => File.Exists(Path.ChangeExtension(file, ".json"))).ToList();
        Assert.NotEmpty(pairs);
        foreach (var file in pairs)
        {
            var xml = Assert.IsType<FhirReadOutcome.Ok>(FhirXml.Read(File.ReadAllBytes(file))).Resource;
            var json = FhirText.Read(File.ReadAllBytes(Path.ChangeExtension(file, ".json")));
            // The pairs were published apart, so that only what their own texts share is compared: the types and the names of their members.
            Assert.Equal(json.ResourceType, xml.ResourceType);
            Assert.Equal(Names(json), Names(xml));
        }
    }

    static IEnumerable<string> Names(Resource resource)
    {
        var names = new List<string>();
        foreach (var child in resource.Root.Children)
        {
            names.Add(child.Name);
        }
        return names.Order(StringComparer.Ordinal);
    }

    [Fact]
    public void Every_example_comes_back_from_XML_as_it_was()
    {
        var files = FieldData.Files(Path.Combine("fhirpath", "input"), "*.json", 30).Concat(FieldData.Files("synthea-r4", "*.json", 40).Take(BundlesSampled));
        foreach (var file in files)
        {
            if (Malformed.ContainsKey(Path.GetFileName(file)) || FhirJson.Read(File.ReadAllBytes(file)) is not FhirReadOutcome.Ok { Resource: var resource })
            {
                continue;
            }
            var written = FhirXml.Write(resource);
            var xml = Assert.IsType<XmlWriteOutcome.Ok>(written).Utf8;
            var read = Assert.IsType<FhirReadOutcome.Ok>(FhirXml.Read(xml)).Resource;
            Assert.True(JsonNode.DeepEquals(Plain(resource), Plain(read)), $"{Path.GetFileName(file)} came back from XML changed.");
        }
    }

    /// <summary>Narratives are compared as XML: an empty element can be written in two ways.</summary>
    static JsonNode Plain(Resource resource)
    {
        var json = JsonNode.Parse(resource.Utf8.Span)!;
        Unify(json);
        return json;
    }

    static void Unify(JsonNode node)
    {
        if (node is JsonObject members)
        {
            foreach (var (name, value) in members.ToList())
            {
                if (name == "div" && value is JsonValue div && XElement.Parse(div.GetValue<string>(), LoadOptions.PreserveWhitespace) is var parsed)
                {
                    members[name] = parsed.ToString(SaveOptions.DisableFormatting);
                }
                else if (value is not null)
                {
                    Unify(value);
                }
            }
        }
        else if (node is JsonArray items)
        {
            foreach (var item in items.OfType<JsonNode>())
            {
                Unify(item);
            }
        }
    }
}

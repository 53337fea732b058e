using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>What an extension's URL demands: a definition, the places it may stand in, its value.</summary>
sealed class ExtensionRules(ValidationRun run, ProfileWalk profiles)
{
    /// <summary>Where R4's own definitions use extensions of the core beside the places that these state for themselves.</summary>
    static readonly Dictionary<string, string> Corrigenda = new(StringComparer.Ordinal)
    {
        ["http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"] = "ElementDefinition.type",
        ["http://hl7.org/fhir/StructureDefinition/regex"] = "ElementDefinition.type",
        ["http://hl7.org/fhir/StructureDefinition/valueset-concept-comments"] = "CodeSystem.concept",
        ["http://hl7.org/fhir/StructureDefinition/translation"] = "ValueSet.expansion.contains",
        ["http://hl7.org/fhir/StructureDefinition/structuredefinition-normative-version"] = "Element",
    };

    /// <summary>Checks one extension in the object around it.</summary>
    public void Check(in Place around, in Place extension)
    {
        var url = extension.Value["url"u8];
        if (url.Text is not { Length: > 0 } text)
        {
            return;
        }
        if (text.IndexOf(':', StringComparison.Ordinal) <= 0)
        {
            // Inside another extension a plain name is enough, which that one's definition gives meaning to
            if (around.Type.Role != TypeRole.Extension)
            {
                run.Add(url, "invalid", $"'{ValidationRun.Short(url)}' is no absolute URL, as an extension's must be.");
            }
            return;
        }
        if (run.Definitions.Profile(text) is not { IsExtension: true } definition)
        {
            ReportUnknown(extension, url);
            return;
        }
        if (definition.IsModifier != (extension.Slot!.Element.Name == "modifierExtension"))
        {
            run.AddProfile(extension.Value, "structure", definition.IsModifier
                ? $"The extension {text} changes the meaning of what it stands in: it must be a modifierExtension."
                : $"The extension {text} changes no meaning: it must not be a modifierExtension.");
        }
        if (!Allows(definition, around))
        {
            run.AddProfile(extension.Value, "structure", $"The extension {text} may not stand here, but at {string.Join(", ", definition.Contexts.Select(context => context.Expression))}.");
        }
        profiles.Check(extension.Value, extension.Type, definition, extension.Owner);
    }

    void ReportUnknown(in Place extension, Element url)
    {
        var isModifier = extension.Slot!.Element.Name == "modifierExtension";
        var isExample = url.Raw.IndexOf("example."u8) > 0 || url.Raw.IndexOf("acme.com"u8) > 0;
        if (isModifier && !isExample)
        {
            run.Add(url, "extension", $"The modifier extension '{ValidationRun.Short(url)}' is not known here: what it changes in the meaning of this resource cannot be respected.");
            return;
        }
        // HL7 goes on adding extensions under the core's own address, so that one missing here need not be wrong
        var refuses = run.Options.RefusesUnknownExtensions && !isExample && !url.Raw.StartsWith("http://hl7.org/fhir/StructureDefinition/"u8);
        run.Add(url, refuses ? IssueSeverity.Error : IssueSeverity.Information, "extension", $"The extension '{ValidationRun.Short(url)}' is not known here, so that it was not checked.");
    }

    bool Allows(ProfileDefinition definition, in Place around)
    {
        if (definition.Contexts.Count == 0)
        {
            return true;
        }
        foreach (var context in definition.Contexts)
        {
            var allows = context.Kind switch
            {
                "extension" => around.Type.Role == TypeRole.Extension && around.Value["url"u8].Text == context.Expression,
                "element" => IsAt(context.Expression, around),
                _ => true,
            };
            if (allows)
            {
                return true;
            }
        }
        return Corrigenda.TryGetValue(definition.Url, out var path) && IsAt(path, around);
    }

    bool IsAt(string path, in Place around)
    {
        if (path == "Element")
        {
            return true;
        }
        var type = around.Slot is { IsShadow: true } shadow ? shadow.Type : around.Type;
        for (var named = type; named is not null; named = named.Parent is { } parent ? run.Definitions.Type(parent) : null)
        {
            if (named.Name == path)
            {
                return true;
            }
        }
        if (around.Slot is not { } slot || around.ParentType is not { } within)
        {
            return path is "Resource" or "DomainResource" && type.Kind == TypeKind.Resource;
        }
        var plain = path.Replace("[x]", "", StringComparison.Ordinal);
        for (var named = within; named is not null; named = named.Parent is { } parent ? run.Definitions.Type(parent) : null)
        {
            if (plain.Length == named.Name.Length + 1 + slot.Element.Name.Length
                && plain.StartsWith(named.Name, StringComparison.Ordinal) && plain.EndsWith(slot.Element.Name, StringComparison.Ordinal) && plain[named.Name.Length] == '.')
            {
                return true;
            }
        }
        // Paths that go through data types, such as ElementDefinition.type.code, or through profiles, are not followed
        return plain.Count(one => one == '.') > 1 && plain.EndsWith("." + slot.Element.Name, StringComparison.Ordinal) && run.Definitions.Type(plain[..plain.LastIndexOf('.')]) is null;
    }
}

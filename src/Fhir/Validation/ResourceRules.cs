using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Rules of whole resources that the specification's text has beside its definitions.</summary>
static class ResourceRules
{
    /// <summary>Checks a resource of a type that has such rules, and the ids of what it contains.</summary>
    public static void Check(ValidationRun run, Element resource, TypeDefinition type)
    {
        CheckContainedIds(run, resource["contained"u8]);
        switch (type.Name)
        {
            case "Bundle":
                new BundleRules(run, resource).Check();
                break;
            case "Questionnaire":
                QuestionnaireRules.Check(run, resource);
                break;
            case "QuestionnaireResponse":
                QuestionnaireRules.CheckResponse(run, resource);
                break;
        }
    }

    static void CheckContainedIds(ValidationRun run, Element contained)
    {
        if (contained.IsMissing)
        {
            return;
        }
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in contained.Items)
        {
            if (item["id"u8].Text is { } id && !ids.Add(id))
            {
                run.Add(item["id"u8], "duplicate", $"Another contained resource has the id '{id}'.");
            }
        }
    }
}

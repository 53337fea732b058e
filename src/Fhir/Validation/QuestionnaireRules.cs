using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Whether a response fits its questionnaire, where that is at hand.</summary>
static class QuestionnaireRules
{
    /// <summary>Checks the items of a QuestionnaireResponse against a contained questionnaire.</summary>
    public static void CheckResponse(ValidationRun run, Element response)
    {
        if (response["questionnaire"u8].Text is not { } canonical || !canonical.StartsWith('#'))
        {
            return;
        }
        var questionnaire = run.Scope.Resolve(canonical, response, response);
        if (questionnaire["resourceType"u8].Is("Questionnaire"u8))
        {
            CheckItems(run, response["item"u8], questionnaire["item"u8]);
        }
    }

    static void CheckItems(ValidationRun run, Element answers, Element questions)
    {
        foreach (var item in answers.Items)
        {
            if (item["linkId"u8].Text is not { } link)
            {
                continue;
            }
            var question = Find(questions, link);
            if (question.IsMissing)
            {
                run.Add(item["linkId"u8], "not-found", $"The questionnaire has no item '{link}' here.");
                continue;
            }
            if (question["type"u8].Is("group"u8) && !item["answer"u8].IsMissing)
            {
                run.Add(item["answer"u8], "structure", $"The item '{link}' is a group, which takes no answer.");
            }
            CheckItems(run, item["item"u8], question["item"u8]);
            foreach (var answer in item["answer"u8].Items)
            {
                CheckItems(run, answer["item"u8], question["item"u8]);
            }
        }
    }

    static Element Find(Element questions, string link)
    {
        foreach (var question in questions.Items)
        {
            if (question["linkId"u8].Text == link)
            {
                return question;
            }
        }
        return default;
    }
}

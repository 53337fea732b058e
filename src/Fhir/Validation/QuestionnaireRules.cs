using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Whether a questionnaire holds together, and whether a response fits its questionnaire, where that is at hand.</summary>
static class QuestionnaireRules
{
    /// <summary>Checks that conditions are on questions that there are.</summary>
    public static void Check(ValidationRun run, Element questionnaire)
    {
        var links = new HashSet<string>(StringComparer.Ordinal);
        Collect(questionnaire["item"u8], links);
        CheckConditions(run, questionnaire["item"u8], links);
    }

    static void Collect(Element items, HashSet<string> links)
    {
        foreach (var item in items.Items)
        {
            if (item["linkId"u8].Text is { } link)
            {
                links.Add(link);
            }
            Collect(item["item"u8], links);
        }
    }

    static void CheckConditions(ValidationRun run, Element items, HashSet<string> links)
    {
        foreach (var item in items.Items)
        {
            foreach (var condition in item["enableWhen"u8].Items)
            {
                if (condition["question"u8] is { Kind: ElementKind.Text } question && !links.Contains(question.Text!))
                {
                    run.Add(question, "not-found", $"The questionnaire has no item '{ValidationRun.Short(question)}'.");
                }
            }
            CheckConditions(run, item["item"u8], links);
        }
    }

    /// <summary>Checks the items of a QuestionnaireResponse against a contained questionnaire.</summary>
    public static void CheckResponse(ValidationRun run, Element response)
    {
        if (response["questionnaire"u8].Text is not { } canonical || !canonical.StartsWith('#'))
        {
            return;
        }
        var questionnaire = run.Scope.Resolve(canonical, response, response);
        if (questionnaire.IsMissing)
        {
            run.Add(response["questionnaire"u8], "not-found", $"No contained resource has the id '{canonical[1..]}'.");
        }
        else if (questionnaire["resourceType"u8].Is("Questionnaire"u8))
        {
            var isDone = response["status"u8].Is("completed"u8) || response["status"u8].Is("amended"u8);
            new Answers(run, isDone).Check(response, response["item"u8], questionnaire["item"u8]);
        }
    }

    /// <summary>The answers of one response.</summary>
    sealed class Answers(ValidationRun run, bool isDone)
    {
        public void Check(Element parent, Element answers, Element questions)
        {
            var last = -1;
            foreach (var item in answers.Items)
            {
                if (item["linkId"u8].Text is not { } link)
                {
                    continue;
                }
                var (question, position) = Find(questions, link);
                if (question.IsMissing)
                {
                    run.Add(item["linkId"u8], "not-found", $"The questionnaire has no item '{link}' here.");
                    continue;
                }
                if (position < last)
                {
                    run.Add(item, "structure", $"The item '{link}' is out of the questionnaire's order.");
                }
                last = Math.Max(last, position);
                CheckItem(item, question, link);
            }
            CheckRequired(parent, answers, questions);
        }

        void CheckItem(Element item, Element question, string link)
        {
            var answers = item["answer"u8];
            if (question["type"u8].Text is "group" or "display" && !answers.IsMissing)
            {
                run.Add(answers, "structure", $"The item '{link}' is a {question["type"u8].Text}, which takes no answer.");
                answers = default;
            }
            if (answers.Items.Count > 1 && question["repeats"u8].Kind != ElementKind.True)
            {
                run.Add(answers, "structure", $"The item '{link}' takes one answer.");
            }
            foreach (var answer in answers.Items)
            {
                CheckAnswer(answer, question, link);
                Check(answer, answer["item"u8], question["item"u8]);
            }
            if (answers.IsMissing)
            {
                Check(item, item["item"u8], question["item"u8]);
            }
        }

        /// <summary>What is asked for on a condition may be missing.</summary>
        void CheckRequired(Element parent, Element answers, Element questions)
        {
            if (!isDone)
            {
                return;
            }
            foreach (var question in questions.Items)
            {
                if (question["required"u8].Kind == ElementKind.True && question["enableWhen"u8].IsMissing && question["linkId"u8].Text is { } link && !IsAnswered(answers, link, question))
                {
                    run.Add(parent, "required", $"The item '{link}' needs an answer before the response is completed.");
                }
            }
        }

        static bool IsAnswered(Element answers, string link, Element question)
        {
            foreach (var item in answers.Items)
            {
                if (item["linkId"u8].Text == link && (question["type"u8].Is("group"u8) || !item["answer"u8].IsMissing))
                {
                    return true;
                }
            }
            return false;
        }

        void CheckAnswer(Element answer, Element question, string link)
        {
            var value = Value(answer);
            if (value.IsMissing)
            {
                return;
            }
            var type = question["type"u8].Text;
            if (!Takes(type, value.Name))
            {
                run.Add(value, "structure", $"The item '{link}' is of type {type}, which takes no {value.Name}.");
            }
            else if (question["maxLength"u8].Number is { } most && value.Text is { } text && text.Length > most)
            {
                run.Add(value, "value", $"The answer to '{link}' has {text.Length} characters; it may have {most}.");
            }
            else if (!question["answerOption"u8].IsMissing && !(type == "open-choice" && value.Name == "valueString") && !IsOption(value, question))
            {
                run.Add(value, "code-invalid", $"The answer to '{link}' is none of its options.");
            }
        }

        static bool Takes(string? type, string name) => type switch
        {
            "boolean" => name == "valueBoolean",
            "decimal" => name == "valueDecimal",
            "integer" => name == "valueInteger",
            "date" => name == "valueDate",
            "dateTime" => name == "valueDateTime",
            "time" => name == "valueTime",
            "string" or "text" => name == "valueString",
            "url" => name == "valueUri",
            "choice" or "open-choice" => name is "valueCoding" or "valueString" or "valueInteger" or "valueDate" or "valueTime" or "valueReference",
            "attachment" => name == "valueAttachment",
            "reference" => name == "valueReference",
            "quantity" => name == "valueQuantity",
            _ => true,
        };

        static bool IsOption(Element value, Element question)
        {
            foreach (var option in question["answerOption"u8].Items)
            {
                var offered = option[value.NameUtf8];
                if (value.Kind == ElementKind.Complex
                    ? offered["code"u8].Text == value["code"u8].Text && offered["system"u8].Text == value["system"u8].Text && offered["reference"u8].Text == value["reference"u8].Text && !offered.IsMissing
                    : offered.Text is { } text && text == value.Text)
                {
                    return true;
                }
            }
            return false;
        }

        static Element Value(Element answer)
        {
            foreach (var member in answer.Children)
            {
                if (member.NameUtf8.StartsWith("value"u8))
                {
                    return member;
                }
            }
            return default;
        }

        static (Element Question, int Position) Find(Element questions, string link)
        {
            var position = 0;
            foreach (var question in questions.Items)
            {
                if (question["linkId"u8].Text == link)
                {
                    return (question, position);
                }
                position++;
            }
            return (default, -1);
        }
    }
}

using Salus.Learning.Text;

namespace Salus.Learning.Tables;

/// <summary>The bytes of a fitted preparation, inside those of a model.</summary>
static class PreparationFormat
{
    const string Magic = "SALUSPREP";
    const byte Version = 1;
    const int NameMax = 65_536;
    const int PartsMax = 1 << 20;

    public static void Write(Preparation preparation, BoundedWriter writer)
    {
        writer.Magic(Magic, Version);
        writer.Int32(preparation.Steps.Length);
        foreach (var step in preparation.Steps)
        {
            writer.Byte((byte)step.Kind);
            writer.String(step.Column);
            switch (step)
            {
                case NumberStep number:
                    writer.Double(number.Fill);
                    break;
                case LevelStep level:
                    writer.Boolean(level.OneHot);
                    writer.Int32(level.Mode);
                    Write(level.Levels, writer);
                    break;
                case TextStep text:
                    writer.Boolean(text.Bag.Tokens.KeepNumbers);
                    writer.Boolean(text.Bag.Tokens.MarkNegation);
                    writer.Int32(text.Bag.Tokens.LengthMin);
                    Write(text.Bag.Words, writer);
                    break;
            }
        }
    }

    public static Preparation Read(ref BoundedReader reader)
    {
        reader.Magic(Magic, Version);
        var steps = new ColumnStep[reader.Count("columns", 1, PartsMax, 5)];
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < steps.Length; i++)
        {
            var kind = (ColumnKind)reader.Byte();
            var name = reader.String("a column's name", NameMax);
            if (!names.Add(name))
                throw new FormatRefusedException($"the column '{name}' stands twice");
            steps[i] = kind switch
            {
                ColumnKind.Number => new NumberStep(name, reader.Double()),
                ColumnKind.Category => ReadLevels(ref reader, name),
                ColumnKind.Text => ReadText(ref reader, name),
                _ => throw new FormatRefusedException($"the column '{name}' is of kind {(int)kind}"),
            };
        }
        return new Preparation(steps);
    }

    static LevelStep ReadLevels(ref BoundedReader reader, string name)
    {
        var oneHot = reader.Boolean();
        var mode = reader.Int32();
        var levels = Strings(ref reader, $"levels of '{name}'");
        if (mode < -1 || mode >= levels.Length)
            throw new FormatRefusedException($"the mode of '{name}' is level {mode} of {levels.Length}");
        return new LevelStep(name, levels, mode, oneHot);
    }

    static TextStep ReadText(ref BoundedReader reader, string name)
    {
        var tokens = new TokenizerOptions(reader.Boolean(), reader.Boolean(), reader.Int32());
        return new TextStep(name, new BagOfWords(Strings(ref reader, $"words of '{name}'"), tokens));
    }

    static void Write(IReadOnlyCollection<string> parts, BoundedWriter writer)
    {
        writer.Int32(parts.Count);
        foreach (var part in parts)
            writer.String(part);
    }

    static string[] Strings(ref BoundedReader reader, string what)
    {
        var parts = new string[reader.Count(what, 0, PartsMax, 4)];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = reader.String(what, NameMax);
            if (!seen.Add(parts[i]))
                throw new FormatRefusedException($"among the {what}, '{parts[i]}' stands twice");
        }
        return parts;
    }
}

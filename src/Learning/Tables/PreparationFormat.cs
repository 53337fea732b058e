using Salus.Learning.Text;

namespace Salus.Learning.Tables;

/// <summary>The bytes of a fitted preparation, inside those of a model.</summary>
static class PreparationFormat
{
    const string Magic = "SALUSPREP";
    const byte Version = 2;
    const int NameMax = 65_536;
    const int PartsMax = 1 << 20;

    enum Tag : byte
    {
        Number,
        Level,
        Words,
        Terms,
    }

    public static void Write(Preparation preparation, BoundedWriter writer)
    {
        writer.Magic(Magic, Version);
        writer.Int32(preparation.Steps.Length);
        foreach (var step in preparation.Steps)
        {
            writer.Byte((byte)TagOf(step));
            writer.Byte((byte)step.Kind);
            writer.String(step.Column);
            switch (step)
            {
                case NumberStep number:
                    writer.Double(number.Fill);
                    writer.Double(number.Shift);
                    writer.Double(number.Scale);
                    writer.Boolean(number.MarksMissing);
                    break;
                case LevelStep level:
                    writer.Boolean(level.OneHot);
                    writer.Boolean(level.MarksMissing);
                    writer.Int32(level.Mode);
                    Write(level.Levels, writer);
                    break;
                case TextStep text:
                    writer.Boolean(text.Bag.Tokens.KeepNumbers);
                    writer.Boolean(text.Bag.Tokens.MarkNegation);
                    writer.Int32(text.Bag.Tokens.LengthMin);
                    Write(text.Bag.Words, writer);
                    break;
                case TermStep terms:
                    TextFormat.Write(terms.Vectorizer, writer);
                    break;
            }
        }
    }

    static Tag TagOf(ColumnStep step) => step switch
    {
        NumberStep => Tag.Number,
        LevelStep => Tag.Level,
        TextStep => Tag.Words,
        _ => Tag.Terms,
    };

    public static Preparation Read(ref BoundedReader reader)
    {
        reader.Magic(Magic, Version);
        var steps = new ColumnStep[reader.Count("columns", 1, PartsMax, 6)];
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < steps.Length; i++)
        {
            var tag = (Tag)reader.Byte();
            var kind = (ColumnKind)reader.Byte();
            var name = reader.String("a column's name", NameMax);
            if (!names.Add(name))
                throw new FormatRefusedException($"the column '{name}' stands twice");
            steps[i] = (tag, kind) switch
            {
                (Tag.Number, ColumnKind.Number or ColumnKind.Date) => ReadNumber(ref reader, name, kind),
                (Tag.Level, ColumnKind.Category or ColumnKind.Number) => ReadLevels(ref reader, name, kind),
                (Tag.Words, ColumnKind.Text) => ReadText(ref reader, name),
                (Tag.Terms, ColumnKind.Text) => new TermStep(name, TextFormat.Read(ref reader)),
                _ => throw new FormatRefusedException($"the column '{name}' is of kind {(int)kind}, prepared as {(int)tag}"),
            };
        }
        return new Preparation(steps);
    }

    static NumberStep ReadNumber(ref BoundedReader reader, string name, ColumnKind kind)
    {
        var fill = reader.Double();
        return double.IsInfinity(fill)
            ? throw new FormatRefusedException($"what fills '{name}' is infinite")
            : new NumberStep(name, kind, fill, reader.Finite("a shift"), reader.Finite("a scale"), reader.Boolean());
    }

    static LevelStep ReadLevels(ref BoundedReader reader, string name, ColumnKind kind)
    {
        var (oneHot, marksMissing) = (reader.Boolean(), reader.Boolean());
        var mode = reader.Int32();
        var levels = Strings(ref reader, $"levels of '{name}'");
        if (mode < -1 || mode >= levels.Length)
            throw new FormatRefusedException($"the mode of '{name}' is level {mode} of {levels.Length}");
        return new LevelStep(name, kind, levels, mode, oneHot, marksMissing);
    }

    static TextStep ReadText(ref BoundedReader reader, string name)
    {
        var tokens = new TokenizerOptions(reader.Boolean(), reader.Boolean(), reader.Int32());
        return new TextStep(name, new BagOfWords(Strings(ref reader, $"words of '{name}'"), tokens));
    }

    internal static void Write(IReadOnlyCollection<string> parts, BoundedWriter writer)
    {
        writer.Int32(parts.Count);
        foreach (var part in parts)
            writer.String(part);
    }

    internal static string[] Strings(ref BoundedReader reader, string what)
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

using System.Text;

namespace Salus.Learning.Tables;

/// <summary>A place in a CSV file and what is wrong there.</summary>
sealed class CsvFaultException(int line, int column, string problem, string mend) : Exception(problem)
{
    public int Line => line;
    public int Column => column;
    public string Mend => mend;
}

/// <summary>Splits characters into RFC 4180 fields, counting physical lines so that every fault has a place.</summary>
sealed class CsvScanner(TextReader reader, CsvOptions options)
{
    /// <summary>Stands for bytes that are not UTF-8; itself a noncharacter that no text file should hold.</summary>
    public const char Undecodable = '\uFFFF';

    readonly char[] buffer = new char[16 * 1024];
    readonly StringBuilder field = new();
    int filled;
    int position;
    int line = 1;
    bool started;

    /// <summary>The physical line on which the row last returned began.</summary>
    public int RowLine { get; private set; }

    /// <summary>Reads one row into <paramref name="fields"/>; false at the end. An empty line is no row.</summary>
    public bool Next(List<string> fields)
    {
        fields.Clear();
        if (!started)
        {
            started = true;
            if (Peek() == '\uFEFF')
                position++;
        }
        while (Peek() is '\r' or '\n')
            SkipLineEnd(1);
        if (Peek() < 0)
            return false;
        RowLine = line;
        while (true)
        {
            fields.Add(Peek() == '"' ? Quoted(fields.Count + 1) : Plain(fields.Count + 1));
            if (fields.Count > options.ColumnsMax)
                throw Fault(fields.Count, $"the row has more than {options.ColumnsMax} fields", "split the file, or raise the limit of columns");
            var next = Peek();
            if (next == options.Delimiter)
            {
                position++;
                continue;
            }
            if (next >= 0)
                SkipLineEnd(fields.Count);
            return true;
        }
    }

    string Plain(int column)
    {
        field.Clear();
        while (Peek() is >= 0 and not ('\r' or '\n') and var next && next != options.Delimiter)
        {
            if (next == '"')
                throw Fault(column, "a quote stands inside a field that does not begin with one", "quote the whole field and double the quotes inside it");
            Append((char)next, column);
        }
        return field.ToString();
    }

    string Quoted(int column)
    {
        var opened = line;
        field.Clear();
        position++;
        while (true)
        {
            var next = Peek();
            if (next < 0)
                throw new CsvFaultException(opened, column, "the quote that opens here is never closed", "close it, or double the quotes inside the field");
            if (next == '"')
            {
                position++;
                if (Peek() != '"')
                    break;
            }
            if (next == '\n')
                line++;
            Append((char)next, column);
        }
        if (Peek() is var after && after >= 0 && after != options.Delimiter && after is not ('\r' or '\n'))
            throw Fault(column, "text follows the closing quote", "double the quotes inside a quoted field");
        return field.ToString();
    }

    void Append(char character, int column)
    {
        if (character == Undecodable)
            throw Fault(column, "the bytes here are not UTF-8", "save the file as UTF-8");
        if (character < ' ' && character is not ('\t' or '\r' or '\n'))
            throw Fault(column, $"a control character (U+{(int)character:X4}) stands here: this is no text file", "give a CSV file");
        if (field.Length == options.FieldLengthMax)
            throw Fault(column, $"the field is longer than {options.FieldLengthMax} characters", "shorten it, look for a missing closing quote, or raise the limit");
        field.Append(character);
        position++;
    }

    void SkipLineEnd(int column)
    {
        if (Peek() == '\r')
        {
            position++;
            if (Peek() != '\n')
                throw Fault(column, "a carriage return stands without a line feed", "end lines with LF or CRLF");
        }
        position++;
        line++;
    }

    int Peek()
    {
        if (position == filled)
        {
            filled = reader.Read(buffer, 0, buffer.Length);
            position = 0;
            if (filled == 0)
                return -1;
        }
        return buffer[position];
    }

    CsvFaultException Fault(int column, string problem, string mend) => new(line, column, problem, mend);
}

using System.Text;

namespace Salus.Cli.Terminal;

/// <summary>Asks for a password. It is never an argument: arguments stand in the list of processes and in the shell's history.</summary>
static class Password
{
    /// <summary>Reads it from standard input, or asks at the terminal without showing it.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static string Read(bool fromStandardInput)
    {
        if (!fromStandardInput && Console.IsInputRedirected)
        {
            throw new CliException("There is no terminal to ask for the password. Give it on standard input, with --password-stdin.");
        }
        var password = fromStandardInput ? Console.In.ReadLine() : Ask();
        return string.IsNullOrEmpty(password) ? throw new CliException("The password is empty.") : password;
    }

    static string Ask()
    {
        Console.Error.Write("Password: ");
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace && typed.Length > 0)
            {
                typed.Length--;
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }
        Console.Error.WriteLine();
        return typed.ToString();
    }
}

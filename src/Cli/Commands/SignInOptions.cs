using System.CommandLine;
using Salus.Cli.Api;
using Salus.Cli.Terminal;

namespace Salus.Cli.Commands;

/// <summary>The options of commands that sign in to a running node.</summary>
sealed class SignInOptions
{
    /// <summary>The node's address.</summary>
    public Option<string?> Url { get; } = new("--url") { Description = "The node's address, such as http://localhost:7411.", HelpName = "URL" };

    /// <summary>The account.</summary>
    public Option<string?> Email { get; } = new("--email") { Description = "The account to sign in with.", HelpName = "EMAIL" };

    /// <summary>Where the password comes from.</summary>
    public Option<bool> PasswordStdin { get; } = new("--password-stdin") { Description = "Read the password from standard input; asked for at the terminal otherwise." };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(Url);
        command.Add(Email);
        command.Add(PasswordStdin);
    }

    /// <summary>Signs in as the arguments say.</summary>
    public async Task<NodeClient> SignInAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var url = arguments.GetValue(Url) ?? throw new CliException("Name the node with --url.");
        var email = arguments.GetValue(Email) ?? throw new CliException("Name the account with --email.");
        return await NodeClient.SignInAsync(url, email, Password.Read(arguments.GetValue(PasswordStdin)), cancellation);
    }
}

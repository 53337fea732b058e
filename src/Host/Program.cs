using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Host.Engines;
using Salus.Host.Node;
using Salus.Host.Node.Backups;
using Salus.Ledger.Evm;
using Salus.Platform.Schema;
using Salus.Vault.Keys;

// One clear line for what the one who runs the node can mend; anything else is a bug and shows its trace.
try
{
    return args switch
    {
        ["serve", .. var rest] => await NodeProcess.ServeAsync(rest),
        ["verify", .. var rest] => await NodeCheck.VerifyAsync(rest),
        ["backup", .. var rest] => await NodeBackup.BackupAsync(rest),
        ["restore", .. var rest] => await NodeRestore.RestoreAsync(rest),
        _ => Refuse("This program is started by ./salus. Run ./salus up."),
    };
}
catch (Exception refusal) when (refusal is EngineException or VaultException or NodeException or SetupException)
{
    return Refuse(refusal.Message);
}
catch (OptionsValidationException wrong)
{
    return Refuse($"A setting is not possible: {string.Join(" ", wrong.Failures)}");
}
catch (PostgresException refusal)
{
    return Refuse($"The database refuses: {refusal.MessageText} ({refusal.SqlState}). Check --database, and that the account may make and write tables there.");
}
catch (NpgsqlException refusal)
{
    return Refuse($"The database does not answer: {refusal.GetBaseException().Message.TrimEnd('.')}. Check --database, or that PostgreSQL runs.");
}
catch (EvmRpcException refusal)
{
    return Refuse($"The chain refuses: {refusal.Message}. Check --ledger, and that the node's account can pay there.");
}
catch (Exception refusal) when (refusal is HttpRequestException or TimeoutException or TaskCanceledException)
{
    return Refuse($"The chain does not answer: {refusal.Message.TrimEnd('.')}. Check --ledger, or that the network runs.");
}
catch (UnauthorizedAccessException denied)
{
    return Refuse($"{denied.Message.TrimEnd('.')}. Give the folder to the account that runs the node ({Environment.UserName}), or name another with --data or --keys.");
}

static int Refuse(string reason)
{
    Progress.Write(new { Event = "refused", Reason = reason });
    return 1;
}

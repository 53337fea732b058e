using Npgsql;
using Salus.Host.Engines;
using Salus.Host.Node;
using Salus.Vault.Keys;

// One clear line for what the one who runs the node can mend; anything else is a bug and shows its trace.
try
{
    return args switch
    {
        ["serve", .. var rest] => await NodeProcess.ServeAsync(rest),
        ["verify", .. var rest] => await NodeProcess.VerifyAsync(rest),
        _ => Refuse("This program is started by ./salus. Run ./salus up."),
    };
}
catch (Exception refusal) when (refusal is EngineException or VaultException or NodeException)
{
    return Refuse(refusal.Message);
}
catch (NpgsqlException refusal)
{
    return Refuse($"The database does not answer: {refusal.Message} Check --database, or that PostgreSQL runs.");
}
catch (HttpRequestException refusal)
{
    return Refuse($"The chain does not answer: {refusal.Message} Check --ledger, or that the network runs.");
}

static int Refuse(string reason)
{
    Progress.Write(new { Event = "refused", Reason = reason });
    return 1;
}

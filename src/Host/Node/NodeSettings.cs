using System.ComponentModel.DataAnnotations;
using Salus.Platform.Anchoring;

namespace Salus.Host.Node;

/// <summary>Reads a node's settings before anything is started with them.</summary>
static class NodeSettings
{
    /// <summary>The settings under <c>Salus</c> and <c>Salus:Ledger</c>.</summary>
    /// <exception cref="NodeException">One cannot be what it is set to.</exception>
    public static (NodeOptions Node, ChainOptions Ledger) Read(IConfiguration configuration)
    {
        var ledger = Bind<ChainOptions>(configuration, "Salus:Ledger");
        List<ValidationResult> wrong = [];
        if (!Validator.TryValidateObject(ledger, new ValidationContext(ledger), wrong, validateAllProperties: true))
        {
            throw new NodeException($"A setting under Salus:Ledger is not possible: {wrong[0].ErrorMessage}");
        }
        _ = ExternalChain.Parse(ledger.Addresses);
        return (Bind<NodeOptions>(configuration, "Salus"), ledger);
    }

    static T Bind<T>(IConfiguration configuration, string section) where T : new()
    {
        try
        {
            return configuration.GetSection(section).Get<T>() ?? new T();
        }
        catch (InvalidOperationException unreadable)
        {
            // Its message names the setting and the type.
            throw new NodeException($"{unreadable.Message} Settings are given as options or in the environment, such as Salus__Port=7411.");
        }
    }
}

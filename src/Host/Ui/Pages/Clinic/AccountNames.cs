using Salus.Platform.Identity;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>The names of accounts, for lists of who did what.</summary>
static class AccountNames
{
    /// <summary>Names with roles, by account id; an account that is gone is left out.</summary>
    public static async Task<Dictionary<Guid, string>> OfAsync(AccountDesk accounts, IEnumerable<Guid?> ids, CancellationToken cancellation)
    {
        var names = new Dictionary<Guid, string>();
        foreach (var id in ids.OfType<Guid>().Where(id => id != Guid.Empty).Distinct())
        {
            if (await accounts.FindAsync(id, cancellation) is { } account)
            {
                names[id] = $"{account.DisplayName} ({account.Role.ToString().ToLowerInvariant()})";
            }
        }
        return names;
    }
}

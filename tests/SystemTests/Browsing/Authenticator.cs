using System.Text.Json;
using Microsoft.Playwright;

namespace Salus.SystemTests.Browsing;

/// <summary>A device with passkeys, as Chromium simulates it: it checks who its holder is, and answers when it is there.</summary>
sealed class Authenticator
{
    readonly ICDPSession session;
    readonly string id;

    Authenticator(ICDPSession session, string id) => (this.session, this.id) = (session, id);

    /// <summary>The phone itself.</summary>
    public static async Task<Authenticator> PhoneAsync(IPage page)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("WebAuthn.enable", new Dictionary<string, object> { ["enableUI"] = false });
        return await AddAsync(session, "internal");
    }

    /// <summary>A security key beside it.</summary>
    public Task<Authenticator> SecurityKeyAsync() => AddAsync(session, "usb");

    /// <summary>Whether it answers when it is asked.</summary>
    public Task BeThereAsync(bool isThere) => SendAsync("WebAuthn.setAutomaticPresenceSimulation", "enabled", isThere);

    /// <summary>Whether its holder passes its check.</summary>
    public Task VerifyAsync(bool isVerified) => SendAsync("WebAuthn.setUserVerified", "isUserVerified", isVerified);

    /// <summary>How many passkeys it keeps.</summary>
    public async Task<int> CountAsync() =>
        (await session.SendAsync("WebAuthn.getCredentials", new Dictionary<string, object> { ["authenticatorId"] = id }))!.Value.GetProperty("credentials").GetArrayLength();

    static async Task<Authenticator> AddAsync(ICDPSession session, string transport)
    {
        var added = await session.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2", ["transport"] = transport, ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true,
                ["automaticPresenceSimulation"] = true,
            },
        });
        return new Authenticator(session, added!.Value.GetProperty("authenticatorId").GetString()!);
    }

    Task<JsonElement?> SendAsync(string method, string name, object value) =>
        session.SendAsync(method, new Dictionary<string, object> { ["authenticatorId"] = id, [name] = value });
}

using Microsoft.AspNetCore.Components;
using Salus.Platform.Identity;

namespace Salus.Host.Ui;

/// <summary>What every page has at hand. Pages are rendered on the server, once for each request.</summary>
public abstract class SalusPage : ComponentBase
{
    /// <summary>The request.</summary>
    [CascadingParameter]
    public HttpContext Http { get; set; } = default!;

    /// <summary>Where to go next.</summary>
    [Inject]
    protected NavigationManager Navigation { get; set; } = default!;

    /// <summary>Who asks; only on pages that ask for a sign-in.</summary>
    protected Caller Caller => Http.Caller();

    /// <summary>Fires when the browser has gone.</summary>
    protected CancellationToken Aborted => Http.RequestAborted;

    /// <summary>Whether the page answers a form.</summary>
    protected bool IsPost => HttpMethods.IsPost(Http.Request.Method);

    /// <summary>Sends the browser to a page of this server, so that a reload does not repeat the form.</summary>
    protected void GoTo(string path) => Navigation.NavigateTo(path);
}

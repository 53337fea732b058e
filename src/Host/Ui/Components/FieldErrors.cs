namespace Salus.Host.Ui.Components;

/// <summary>What is wrong with a form, field by field, in the order found.</summary>
public sealed class FieldErrors
{
    readonly List<(string Field, string Message)> all = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<(string Field, string Message)> All => all;

    /// <summary>Whether there is any.</summary>
    public bool Any => all.Count > 0;

    /// <summary>Adds one; <paramref name="field"/> is the id of its input.</summary>
    public void Add(string field, string message) => all.Add((field, message));

    /// <summary>The first about a field, or null.</summary>
    public string? Of(string field) => all.FirstOrDefault(error => error.Field == field).Message;
}

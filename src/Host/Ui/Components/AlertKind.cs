namespace Salus.Host.Ui.Components;

/// <summary>How an alert is meant.</summary>
public enum AlertKind
{
    /// <summary>Good to know.</summary>
    Note,
    /// <summary>Done.</summary>
    Good,
    /// <summary>Not yet.</summary>
    Wait,
    /// <summary>Wrong.</summary>
    Bad,
}

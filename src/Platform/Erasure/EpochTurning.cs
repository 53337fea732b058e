using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Vault.Keys;

namespace Salus.Platform.Erasure;

/// <summary>Settings under <c>Salus:Vault</c>.</summary>
public sealed record VaultOptions
{
    /// <summary>Days that an epoch of keys lasts.</summary>
    [Range(1, 3660)]
    public int EpochDays { get; init; } = 30;

    /// <summary>Days that backups are kept: an epoch's key is destroyed so long after its end.</summary>
    [Range(0, 3660)]
    public int BackupWindowDays { get; init; } = 35;
}

/// <summary>Turns the epochs of keys, so that what was erased stays closed even where an old copy of a row remains.</summary>
public sealed partial class EpochTurning(KeyVault vault, VaultOptions options, TimeProvider time, ILogger<EpochTurning> logger) : BackgroundService
{
    static readonly TimeSpan Every = TimeSpan.FromHours(6);
    static readonly TimeSpan SettleWait = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            for (var wait = SettleWait; ; wait = Every)
            {
                await Task.Delay(wait, time, stoppingToken);
                try
                {
                    var turn = await vault.TurnAsync(TimeSpan.FromDays(options.EpochDays), TimeSpan.FromDays(options.BackupWindowDays), stoppingToken);
                    if (turn.Rewrapped > 0 || turn.Destroyed.Count > 0)
                    {
                        LogTurned(logger, turn.Epoch, turn.Rewrapped, turn.Destroyed.Count);
                    }
                }
                catch (Exception fault) when (fault is NpgsqlException or VaultException)
                {
                    LogFault(logger, fault.GetType().Name, fault.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Keys are in epoch {Epoch}: {Rewrapped} wrapped anew, the keys of {Destroyed} old epochs destroyed")]
    static partial void LogTurned(ILogger logger, int epoch, int rewrapped, int destroyed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The epochs of keys could not be turned ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string kind, string reason);
}

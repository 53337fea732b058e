using System.Diagnostics;
using System.Runtime.CompilerServices;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Xunit;

namespace Salus.Tests.Ledger;

public sealed class BindingTests
{
    static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../.."));

    [Fact]
    public async Task Artifacts_and_bindings_are_what_the_contracts_compile_to()
    {
        using var check = Process.Start(new ProcessStartInfo("node", [Path.Combine(Root(), "engines/compile-contracts.mjs"), "--check"])
        {
            RedirectStandardError = true,
        })!;
        var said = await check.StandardError.ReadToEndAsync();
        await check.WaitForExitAsync();
        Assert.True(check.ExitCode == 0, said);
    }

    [Fact]
    public void Errors_are_read_as_what_they_are_and_those_of_a_called_contract_too()
    {
        Assert.Null(AnchorContract.TryDecodeError([1, 2, 3, 4]));
        byte[] selector = [.. Keccak256.Hash("StaleSequence(uint64,uint64)")[..4]];
        byte[] data = [.. selector, .. new byte[31], 4, .. new byte[31], 3];
        Assert.Equal(new ConsentsError.StaleSequence(4, 3), ConsentsContract.TryDecodeError(data));
        Assert.Equal(new SubjectsError.StaleSequence(4, 3), SubjectsContract.TryDecodeError(data));
        Assert.Null(MembersContract.TryDecodeError(data));
    }
}

using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Tests.Platform;

namespace Salus.Tests.Host;

public sealed class PagingTests
{
    [Fact]
    public async Task Accounts_are_walked_page_by_page_there_and_back_each_once()
    {
        await using var node = await TestNode.StartAsync();
        List<Guid> made = [];
        for (var i = 0; i < 7; i++)
        {
            made.Add((await node.AddAsync(Role.Researcher)).Account);
        }
        var desk = node.Get<AccountDesk>();
        List<Guid> there = [], back = [];
        var (accounts, before, after) = await desk.PageAsync(null, back: false, 3, default);
        Assert.Null(before);
        for (there.AddRange(accounts.Select(account => account.Id)); after is not null; there.AddRange(accounts.Select(account => account.Id)))
        {
            (accounts, before, after) = await desk.PageAsync(PageCursor.Parse(after.ToString()), back: false, 3, default);
        }
        Assert.Equal(made, there);
        for (back.AddRange(accounts.Select(account => account.Id).Reverse()); before is not null; back.AddRange(accounts.Select(account => account.Id).Reverse()))
        {
            (accounts, before, after) = await desk.PageAsync(before, back: true, 3, default);
        }
        Assert.Equal(Enumerable.Reverse(made), back);
    }

    [Theory]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("-1-00000000-0000-0000-0000-000000000000")]
    [InlineData("99999999999999999999-00000000-0000-0000-0000-000000000000")]
    [InlineData("9223372036854775807-00000000-0000-0000-0000-000000000000")]
    [InlineData("1-' OR 1=1")]
    public void What_is_no_place_in_a_list_is_none(string text) => Assert.Null(PageCursor.Parse(text));
}

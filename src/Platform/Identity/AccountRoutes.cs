using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Salus.Platform.Identity;

sealed record SignUpRequest(string? Email, string? DisplayName, string? Password, string? Role, string? EnrolmentCode, string? InvitationCode);

sealed record RedeemRequest(string? Code);

sealed record InvitationRequest(string? Role);

sealed record CreatedView(Guid Account, bool Approved);

sealed record AccountView(
    Guid Id, string Email, string DisplayName, string Role, string? Patient, bool Approved, bool Disabled, bool SecondFactor, DateTimeOffset Created,
    DateTimeOffset? SecondFactorReset, bool Intact)
{
    public AccountView(Account account)
        : this(account.Id, account.Email, account.DisplayName, account.Role.ToString(), account.Patient, account.Approved, account.Disabled,
            account.SecondFactor, account.Created, account.SecondFactorReset, account.Intact)
    {
    }
}

sealed record RegistrationView(
    string State, string? TransactionHash, long? BlockNumber, string? BlockHash, long? GasUsed, DateTimeOffset? Mined, string? Refusal, DateTimeOffset Created);

sealed record CodeView(string Code, DateTimeOffset Expires);

sealed record LinkedView(string Patient);

/// <summary>The routes around accounts.</summary>
static class AccountRoutes
{
    public static async Task<Results<Created<CreatedView>, ProblemHttpResult>> SignUpAsync(SignUpRequest request, AccountDesk desk, CancellationToken cancellation)
    {
        if (ParseRole(request.Role) is not { } role)
        {
            return BadRole();
        }
        var signUp = new SignUp(request.Email ?? "", request.DisplayName ?? "", request.Password ?? "", role, request.EnrolmentCode, request.InvitationCode);
        return await desk.SignUpAsync(signUp, cancellation) switch
        {
            SignUpOutcome.Created created => TypedResults.Created("/api/account", new CreatedView(created.Account, created.Approved)),
            SignUpOutcome.EmailTaken => Problems.Field(StatusCodes.Status409Conflict, "email", "This e-mail has an account.", "Sign in, or use another e-mail."),
            SignUpOutcome.BadEmail => Problems.BadField("email", "This is not an e-mail address.", "Give one such as ana@example.org."),
            SignUpOutcome.BadDisplayName name => Problems.BadField("displayName", "The name is empty, too long or holds control characters.",
                $"Give 1 to {name.LengthMax} characters."),
            SignUpOutcome.WeakPassword weak => WeakPassword("password", weak.Reason),
            SignUpOutcome.BadCode code => Problems.BadField(code.Field, "The code is unknown, used, expired or for another role.", "Ask for a new one."),
            SignUpOutcome.PatientTaken => Problems.Field(StatusCodes.Status409Conflict, "enrolmentCode", "The record has an account already.",
                "Sign in with that account."),
            SignUpOutcome.RoleNeedsInvitation needs => Problems.Field(StatusCodes.Status403Forbidden, "invitationCode",
                $"The role {needs.Role} needs an invitation.", "Ask an administrator for an invitation code and send it along."),
            var other => throw new InvalidOperationException($"Unexpected {other}."),
        };
    }

    public static async Task<Results<Ok<AccountView>, NotFound>> ShowAsync(HttpContext context, AccountDesk desk) =>
        await desk.FindAsync(context.Caller().Account, context.RequestAborted) is { } account ? TypedResults.Ok(new AccountView(account)) : TypedResults.NotFound();

    public static async Task<Results<Ok<RegistrationView>, ProblemHttpResult>> RegistrationAsync(HttpContext context, AccountDesk desk) =>
        await desk.RegistrationAsync(context.Caller().Account, context.RequestAborted) is { } receipt
            ? TypedResults.Ok(new RegistrationView(receipt.State.ToString(), Hex(receipt.TransactionHash), receipt.BlockNumber, Hex(receipt.BlockHash),
                receipt.GasUsed, receipt.Mined, receipt.Refusal, receipt.Created))
            : TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "The account has no registration.", detail: "It was made before registrations were.");

    public static async Task<Results<Ok<LinkedView>, ProblemHttpResult>> RedeemAsync(RedeemRequest request, HttpContext context, AccountDesk desk) =>
        await desk.RedeemAsync(context.Caller().Account, request.Code ?? "", context.RequestAborted) switch
        {
            RedeemOutcome.Linked linked => TypedResults.Ok(new LinkedView(linked.Patient)),
            RedeemOutcome.BadCode => Problems.BadField("code", "The code is unknown, used or expired.", "Ask who treats you for a new one."),
            _ => Problems.Field(StatusCodes.Status409Conflict, "code", "The account or the record is linked already.", "One account has one record."),
        };

    public static async Task<Ok<AccountView[]>> ListAsync(AccountDesk desk, CancellationToken cancellation, int offset = 0, int count = 50) =>
        TypedResults.Ok((await desk.ListAsync(offset, count, cancellation)).Select(account => new AccountView(account)).ToArray());

    public static async Task<Results<NoContent, ProblemHttpResult>> ApproveAsync(Guid id, HttpContext context, AccountDesk desk) =>
        await desk.ApproveAsync(context.Caller().Account, id, context.RequestAborted)
            ? TypedResults.NoContent()
            : Problems.Field(StatusCodes.Status409Conflict, "id", "No account of this id is waiting.", "GET /api/accounts lists those with approved false.");

    public static async Task<Results<NoContent, ProblemHttpResult>> DisableAsync(Guid id, HttpContext context, AccountDesk desk) =>
        await desk.DisableAsync(context.Caller().Account, id, context.RequestAborted)
            ? TypedResults.NoContent()
            : Problems.Field(StatusCodes.Status409Conflict, "id", "The account is unknown, disabled already or your own.", "Another administrator can disable yours.");

    public static async Task<Results<NoContent, ProblemHttpResult>> ResetSecondFactorAsync(Guid id, HttpContext context, SecondFactorDesk desk) =>
        await desk.ResetAsync(context.Caller().Account, id, context.RequestAborted)
            ? TypedResults.NoContent()
            : Problems.Field(StatusCodes.Status409Conflict, "id", "The account is unknown, disabled, without a second factor or your own.",
                "Take your own off with DELETE /api/account/second-factor; another administrator can reset yours.");

    public static async Task<Results<Created<CodeView>, ProblemHttpResult>> InviteAsync(InvitationRequest request, HttpContext context, AccountDesk desk)
    {
        if (ParseRole(request.Role) is not { } role)
        {
            return BadRole();
        }
        var (code, expires) = await desk.InviteAsync(context.Caller().Account, role, context.RequestAborted);
        return TypedResults.Created((string?)null, new CodeView(code, expires));
    }

    public static async Task<Results<Created<CodeView>, ProblemHttpResult>> CreateEnrolmentCodeAsync(string id, HttpContext context, AccountDesk desk) =>
        await desk.CreateEnrolmentCodeAsync(context.Caller().Account, id, context.RequestAborted) is var (code, expires)
            ? TypedResults.Created((string?)null, new CodeView(code, expires))
            : Problems.Field(StatusCodes.Status404NotFound, "id", "There is no patient of this id.", "Give the logical id of a Patient resource.");

    public static ProblemHttpResult WeakPassword(string field, string reason) =>
        Problems.BadField(field, $"The password is too weak. {reason}", "Give several unrelated words.");

    static Role? ParseRole(string? text) =>
        Enum.TryParse<Role>(text, ignoreCase: true, out var role) && Enum.IsDefined(role) && !char.IsAsciiDigit(text![0]) ? role : null;

    static ProblemHttpResult BadRole() =>
        Problems.BadField("role", "There is no such role.", $"Give one of {string.Join(", ", Enum.GetNames<Role>())}.");

    static string? Hex(byte[]? bytes) => bytes is null ? null : $"0x{Convert.ToHexStringLower(bytes)}";
}

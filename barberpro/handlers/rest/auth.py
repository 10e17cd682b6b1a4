"""/auth: the ways into an account."""

from aiohttp import web

from barberpro.domain.accounts.sessions import Grant
from barberpro.handlers.rest.account import account_document, begun_answer
from barberpro.handlers.rest.context import via_of
from barberpro.handlers.rest.parsing import body, command_id, no_fields, validated
from barberpro.handlers.rest.replies import Answer
from barberpro.handlers.rest.session_cookie import by_cookie, kept, token_of
from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.accounts import (
    ForgotPassword,
    GrantTold,
    IdTokenLogin,
    Login,
    Refresh,
    Register,
    ResendOtp,
    ResetPassword,
    VerifyEmail,
    VerifyOtp,
)
from barberpro.protocol.times import rfc3339, rfc3339_of


async def register(request: web.Request) -> Answer:
    """POST /auth/register: sends a code or a link; the account comes with it."""
    wanted = validated(Register, await body(request))
    return begun_answer(await request.app[ACCOUNTS].people.register(wanted, command_id(request)))


async def verify_otp(request: web.Request) -> Answer:
    """POST /auth/verify-otp: the code of an SMS signs in."""
    told = validated(VerifyOtp, await body(request))
    return _granted(
        request, await request.app[ACCOUNTS].people.verify_code(told.challenge_id, told.code, via_of(request))
    )


async def resend_otp(request: web.Request) -> Answer:
    """POST /auth/resend-otp: another code, or another link, in place of the last."""
    wanted = validated(ResendOtp, await body(request))
    return begun_answer(await request.app[ACCOUNTS].people.send_again(wanted.challenge_id))


async def verify_email(request: web.Request) -> Answer:
    """POST /auth/verify-email: the token of a mail's link, and the password that was registered, sign in."""
    told, people = validated(VerifyEmail, await body(request)), request.app[ACCOUNTS].people
    return _granted(request, await people.verify_link(told.token, told.password.get_secret_value(), via_of(request)))


async def login(request: web.Request) -> Answer:
    """POST /auth/login."""
    told = validated(Login, await body(request))
    password = told.password.get_secret_value()
    people = request.app[ACCOUNTS].people
    return _granted(request, await people.login(told.contact, password, via_of(request), command_id(request)))


async def login_google(request: web.Request) -> Answer:
    """POST /auth/login/google."""
    told = validated(IdTokenLogin, await body(request))
    federated = request.app[ACCOUNTS].federated
    return _granted(request, await federated.login("google", told.id_token, via_of(request), command_id(request)))


async def login_firebase(request: web.Request) -> Answer:
    """POST /auth/login/firebase."""
    told = validated(IdTokenLogin, await body(request))
    federated = request.app[ACCOUNTS].federated
    return _granted(request, await federated.login("firebase", told.id_token, via_of(request), command_id(request)))


async def forgot_password(request: web.Request) -> Answer:
    """POST /auth/forgot-password: sends a code or a link, with which a new one may be chosen."""
    told = validated(ForgotPassword, await body(request))
    return begun_answer(await request.app[ACCOUNTS].people.forgot(told.contact, command_id(request)))


async def reset_password(request: web.Request) -> Answer:
    """POST /auth/reset-password: a new password; all sessions end."""
    told, people = validated(ResetPassword, await body(request)), request.app[ACCOUNTS].people
    password = told.password.get_secret_value()
    if told.token is not None:
        await people.reset_by_link(told.token, password, via_of(request))
    else:
        await people.reset_by_code(told.challenge_id or "", told.code or "", password, via_of(request))
    return Answer({"reset": True})


async def refresh(request: web.Request) -> Answer:
    """POST /auth/refresh: both tokens anew. The old refresh token is over; using it again ends the session."""
    if by_cookie(request):
        await no_fields(request)
        told = validated(Refresh, {"refreshToken": token_of(request)})
    else:
        told = validated(Refresh, await body(request))
    grant = await request.app[ACCOUNTS].sessions.renew(told.refresh_token, via_of(request), command_id(request))
    return _granted(request, grant)


def _granted(request: web.Request, grant: Grant) -> Answer:
    """A page's refresh token goes into its cookie, and is not told."""
    in_cookie = by_cookie(request)
    told: GrantTold = {
        "accessToken": grant.access_token,
        "tokenType": "Bearer",
        "expiresAt": rfc3339(round(grant.expires_at * 1000)),
        "refreshToken": grant.refresh_token if not in_cookie else None,
        "refreshExpiresAt": rfc3339_of(grant.refresh_expires_at),
        "sessionId": grant.session_id,
        "user": account_document(request.app[ACCOUNTS].contacts, grant.user),
    }
    return Answer(told, headers=kept(request, grant) if in_cookie else {})

"""Accounts: ways in, what is one's own, and ways out."""

from typing import Final

from barberpro.domain.policy import Action
from barberpro.handlers.rest import account, auth
from barberpro.handlers.rest.operations import V1, Operation, delete, get, post
from barberpro.protocol.accounts import (
    AccountDeleted,
    AccountTold,
    AddContact,
    BegunTold,
    ForgotPassword,
    GrantTold,
    IdTokenLogin,
    Login,
    PasswordReset,
    Refresh,
    Register,
    ResendOtp,
    ResetPassword,
    SessionEnded,
    SessionTold,
    VerifyEmail,
    VerifyOtp,
)
from barberpro.protocol.codes import ErrorCode

_AUTH: Final = f"{V1}/auth"
_SECRET: Final = (ErrorCode.UNAUTHORIZED,)
_MISSING: Final = (ErrorCode.NOT_FOUND,)
_TAKEN: Final = (ErrorCode.NOT_FOUND, ErrorCode.INVALID_TRANSITION)
_ASHA: Final = {"email": "asha@example.com"}
_PASSWORD: Final = {"password": "correct horse battery staple"}
_LINK: Final = {"token": "ch_4t8n1c6x0azd.k2v8q4m1"}

ROUTES: Final[tuple[Operation, ...]] = (
    post(
        f"{_AUTH}/register",
        "register",
        auth.register,
        Action.SIGN_IN,
        takes=Register,
        tells=BegunTold,
        statuses=(202,),
        example={**_ASHA, **_PASSWORD, "name": "Asha"},
    ),
    post(
        f"{_AUTH}/login",
        "login",
        auth.login,
        Action.SIGN_IN,
        takes=Login,
        tells=GrantTold,
        refuses=_SECRET,
        cookie="sets",
        example={**_ASHA, **_PASSWORD},
    ),
    post(
        f"{_AUTH}/login/google",
        "login_google",
        auth.login_google,
        Action.SIGN_IN,
        takes=IdTokenLogin,
        tells=GrantTold,
        refuses=(*_SECRET, *_MISSING),
        cookie="sets",
    ),
    post(
        f"{_AUTH}/login/firebase",
        "login_firebase",
        auth.login_firebase,
        Action.SIGN_IN,
        takes=IdTokenLogin,
        tells=GrantTold,
        refuses=(*_SECRET, *_MISSING),
        cookie="sets",
    ),
    post(
        f"{_AUTH}/verify-otp",
        "verify_otp",
        auth.verify_otp,
        Action.SIGN_IN,
        takes=VerifyOtp,
        tells=GrantTold,
        refuses=_SECRET,
        cookie="sets",
    ),
    post(
        f"{_AUTH}/resend-otp",
        "resend_otp",
        auth.resend_otp,
        Action.SIGN_IN,
        takes=ResendOtp,
        tells=BegunTold,
        statuses=(202,),
        refuses=_MISSING,
    ),
    post(
        f"{_AUTH}/verify-email",
        "verify_email",
        auth.verify_email,
        Action.SIGN_IN,
        takes=VerifyEmail,
        tells=GrantTold,
        refuses=_SECRET,
        cookie="sets",
        example={**_LINK, **_PASSWORD},
    ),
    post(
        f"{_AUTH}/forgot-password",
        "forgot_password",
        auth.forgot_password,
        Action.SIGN_IN,
        takes=ForgotPassword,
        tells=BegunTold,
        statuses=(202,),
        example=_ASHA,
    ),
    post(
        f"{_AUTH}/reset-password",
        "reset_password",
        auth.reset_password,
        Action.SIGN_IN,
        takes=ResetPassword,
        tells=PasswordReset,
        example={**_LINK, **_PASSWORD},
    ),
    post(
        f"{_AUTH}/refresh",
        "refresh",
        auth.refresh,
        Action.SIGN_IN,
        takes=Refresh,
        tells=GrantTold,
        refuses=_SECRET,
        cookie="takes",
    ),
    post(
        f"{_AUTH}/logout",
        "logout",
        account.logout,
        Action.SIGN_OUT,
        tells=SessionEnded,
        refuses=_MISSING,
        cookie="ends",
    ),
    get(f"{_AUTH}/me", "get_me", account.me, Action.SEE_ACCOUNT, tells=AccountTold, refuses=_MISSING),
    post(
        f"{_AUTH}/contacts",
        "add_contact",
        account.add_contact,
        Action.ADD_CONTACT,
        takes=AddContact,
        tells=BegunTold,
        statuses=(202,),
        refuses=_TAKEN,
        example={"phone": "+91 98765 43210"},
    ),
    post(
        f"{_AUTH}/contacts/verify",
        "verify_contact",
        account.confirm_contact,
        Action.ADD_CONTACT,
        takes=VerifyOtp,
        tells=AccountTold,
        refuses=_TAKEN,
    ),
    get(f"{_AUTH}/sessions", "list_sessions", account.sessions, Action.SEE_ACCOUNT, tells=list[SessionTold]),
    delete(f"{_AUTH}/sessions/{{sessionId}}", "end_session", account.end_session, Action.SIGN_OUT, tells=SessionEnded),
    delete(
        f"{_AUTH}/account",
        "delete_account",
        account.delete,
        Action.DELETE_ACCOUNT,
        tells=AccountDeleted,
        refuses=_TAKEN,
    ),
)

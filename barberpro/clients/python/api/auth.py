"""Accounts: ways in, what is one's own, and ways out.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Literal

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import OMITTED, Omitted, Page, quoted
from barberpro.protocol.accounts import (
    AccountDeleted,
    AccountTold,
    BegunTold,
    GrantTold,
    PasswordReset,
    SessionEnded,
    SessionTold,
)


class Auth(Calls):
    async def register(
        self,
        *,
        email: str | Omitted | None = OMITTED,
        phone: str | Omitted | None = OMITTED,
        password: str | Omitted | None = OMITTED,
        name: str | Omitted | None = OMITTED,
        user_type: Literal["customer", "barber"] | Omitted = OMITTED,
        language: str | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> BegunTold:
        """Sends a code or a link; the account comes with it."""
        body = {
            "email": email,
            "phone": phone,
            "password": password,
            "name": name,
            "userType": user_type,
            "language": language,
        }
        told: BegunTold = await self._rest.data("POST", "/api/v1/auth/register", body=body, key=idempotency_key)
        return told

    async def login(
        self,
        *,
        password: str,
        email: str | Omitted | None = OMITTED,
        phone: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> GrantTold:
        """Login"""
        body = {"email": email, "phone": phone, "password": password}
        told: GrantTold = await self._rest.data("POST", "/api/v1/auth/login", body=body, key=idempotency_key)
        return told

    async def login_google(
        self,
        *,
        id_token: str,
        idempotency_key: str | None = None,
    ) -> GrantTold:
        """Login google"""
        body = {"idToken": id_token}
        told: GrantTold = await self._rest.data("POST", "/api/v1/auth/login/google", body=body, key=idempotency_key)
        return told

    async def login_firebase(
        self,
        *,
        id_token: str,
        idempotency_key: str | None = None,
    ) -> GrantTold:
        """Login firebase"""
        body = {"idToken": id_token}
        told: GrantTold = await self._rest.data("POST", "/api/v1/auth/login/firebase", body=body, key=idempotency_key)
        return told

    async def verify_otp(
        self,
        *,
        challenge_id: str,
        code: str,
        idempotency_key: str | None = None,
    ) -> GrantTold:
        """The code of an SMS signs in."""
        body = {"challengeId": challenge_id, "code": code}
        told: GrantTold = await self._rest.data("POST", "/api/v1/auth/verify-otp", body=body, key=idempotency_key)
        return told

    async def resend_otp(
        self,
        *,
        challenge_id: str,
        idempotency_key: str | None = None,
    ) -> BegunTold:
        """Another code, or another link, in place of the last."""
        body = {"challengeId": challenge_id}
        told: BegunTold = await self._rest.data("POST", "/api/v1/auth/resend-otp", body=body, key=idempotency_key)
        return told

    async def verify_email(
        self,
        *,
        token: str,
        password: str,
        idempotency_key: str | None = None,
    ) -> GrantTold:
        """The token of a mail's link, and the password that was registered, sign in."""
        body = {"token": token, "password": password}
        told: GrantTold = await self._rest.data("POST", "/api/v1/auth/verify-email", body=body, key=idempotency_key)
        return told

    async def forgot_password(
        self,
        *,
        email: str | Omitted | None = OMITTED,
        phone: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> BegunTold:
        """Sends a code or a link, with which a new one may be chosen."""
        body = {"email": email, "phone": phone}
        told: BegunTold = await self._rest.data("POST", "/api/v1/auth/forgot-password", body=body, key=idempotency_key)
        return told

    async def reset_password(
        self,
        *,
        password: str,
        token: str | Omitted | None = OMITTED,
        challenge_id: str | Omitted | None = OMITTED,
        code: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> PasswordReset:
        """A new password; all sessions end."""
        body = {"token": token, "challengeId": challenge_id, "code": code, "password": password}
        told: PasswordReset = await self._rest.data(
            "POST", "/api/v1/auth/reset-password", body=body, key=idempotency_key
        )
        return told

    async def refresh(
        self,
        *,
        refresh_token: str,
        idempotency_key: str | None = None,
    ) -> GrantTold:
        """Both tokens anew. The old refresh token is over; using it again ends the session."""
        body = {"refreshToken": refresh_token}
        told: GrantTold = await self._rest.data("POST", "/api/v1/auth/refresh", body=body, key=idempotency_key)
        return told

    async def logout(
        self,
        *,
        idempotency_key: str | None = None,
    ) -> SessionEnded:
        """Ends the session of the token that asks."""
        told: SessionEnded = await self._rest.data("POST", "/api/v1/auth/logout", key=idempotency_key)
        return told

    async def get_me(
        self,
    ) -> AccountTold:
        """Get me"""
        told: AccountTold = await self._rest.data("GET", "/api/v1/auth/me")
        return told

    async def add_contact(
        self,
        *,
        email: str | Omitted | None = OMITTED,
        phone: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> BegunTold:
        """Sends a code to an address or a number that is to be the caller's, too."""
        body = {"email": email, "phone": phone}
        told: BegunTold = await self._rest.data("POST", "/api/v1/auth/contacts", body=body, key=idempotency_key)
        return told

    async def verify_contact(
        self,
        *,
        challenge_id: str,
        code: str,
        idempotency_key: str | None = None,
    ) -> AccountTold:
        """The code, by whoever asked for it."""
        body = {"challengeId": challenge_id, "code": code}
        told: AccountTold = await self._rest.data(
            "POST", "/api/v1/auth/contacts/verify", body=body, key=idempotency_key
        )
        return told

    async def list_sessions(
        self,
    ) -> Page[SessionTold]:
        """Where one is signed in, the newest first."""
        told: Page[SessionTold] = await self._rest.page("/api/v1/auth/sessions")
        return told

    async def end_session(
        self,
        session_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> SessionEnded:
        """End session"""
        told: SessionEnded = await self._rest.data(
            "DELETE", f"/api/v1/auth/sessions/{quoted(session_id)}", key=idempotency_key
        )
        return told

    async def delete_account(
        self,
        *,
        idempotency_key: str | None = None,
    ) -> AccountDeleted:
        """Delete account"""
        told: AccountDeleted = await self._rest.data("DELETE", "/api/v1/auth/account", key=idempotency_key)
        return told

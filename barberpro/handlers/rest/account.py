"""One's own account and its sessions."""

from typing import cast

from aiohttp import web

from barberpro.domain.accounts.challenges import Begun
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.sessions import actor_of
from barberpro.domain.policy import permissions_of
from barberpro.handlers.rest.context import identity, is_id, via_of
from barberpro.handlers.rest.parsing import body, command_id, no_fields, validated
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.rest.session_cookie import by_cookie, forgotten
from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.accounts import AccountTold, AddContact, BegunTold, SessionTold, UserType, VerifyOtp
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.sessions import StoredSession
from barberpro.storage.users import User


async def me(request: web.Request) -> Answer:
    """GET /auth/me."""
    accounts = request.app[ACCOUNTS]
    user = await accounts.people.find(identity(request).actor.id)
    return Answer(account_document(accounts.contacts, user))


async def add_contact(request: web.Request) -> Answer:
    """POST /auth/contacts: sends a code to an address or a number that is to be the caller's, too."""
    wanted = validated(AddContact, await body(request))
    own = request.app[ACCOUNTS].own_contacts
    return begun_answer(await own.begin(identity(request).actor.id, wanted.contact, command_id(request)))


async def confirm_contact(request: web.Request) -> Answer:
    """POST /auth/contacts/verify: the code, by whoever asked for it."""
    told, accounts = validated(VerifyOtp, await body(request)), request.app[ACCOUNTS]
    user_id = identity(request).actor.id
    user = await accounts.own_contacts.confirm(user_id, told.challenge_id, told.code, via_of(request))
    return Answer(account_document(accounts.contacts, user))


async def sessions(request: web.Request) -> Page:
    """GET /auth/sessions: where one is signed in, the newest first."""
    known = identity(request)
    live = await request.app[ACCOUNTS].sessions.live(known.actor.id)
    return Page([_session(session, current=session.session_id == known.session_id) for session in live])


async def end_session(request: web.Request) -> Answer:
    """DELETE /auth/sessions/{sessionId}."""
    known, session_id = identity(request), request.match_info["sessionId"]
    await no_fields(request)
    if not is_id(session_id):
        raise not_found("session")
    await request.app[ACCOUNTS].sessions.end(known.actor, session_id, "signed out elsewhere", via_of(request))
    return Answer({"sessionId": session_id, "ended": True})


async def logout(request: web.Request) -> Answer:
    """POST /auth/logout: ends the session of the token that asks."""
    known = identity(request)
    await no_fields(request)
    if known.session_id is None:
        raise BarberProError(ErrorCode.FORBIDDEN, "This token belongs to no session; it ends by itself.")
    await request.app[ACCOUNTS].sessions.end(known.actor, known.session_id, "signed out", via_of(request))
    headers = forgotten(request) if by_cookie(request) else {}
    return Answer({"sessionId": known.session_id, "ended": True}, headers=headers)


async def delete(request: web.Request) -> Answer:
    """DELETE /auth/account."""
    known = identity(request)
    await no_fields(request)
    await request.app[ACCOUNTS].people.delete(known.actor, via_of(request))
    return Answer({"deleted": True})


def begun_answer(begun: Begun) -> Answer:
    """Taken, and nothing more is told: neither whether there is an account, nor whether a letter went out."""
    told: BegunTold = {
        "challengeId": begun.challenge_id,
        "channel": begun.channel,
        "expiresAt": rfc3339_of(begun.expires_at),
    }
    return Answer(told, 202)


def account_document(contacts: Contacts, user: User) -> AccountTold:
    """What its owner is told of an account."""
    return {
        "userId": user.user_id,
        "userType": cast("UserType", user.role),
        "name": user.name,
        "email": contacts.email_of(user),
        "phone": contacts.phone_of(user),
        "language": user.language,
        "barberId": user.barber_id,
        "shopIds": sorted(user.shop_ids),
        "permissions": permissions_of(actor_of(user)),
        "hasPassword": user.password_hash is not None,
        "createdAt": rfc3339_of(user.created_at),
    }


def _session(session: StoredSession, *, current: bool) -> SessionTold:
    return {
        "sessionId": session.session_id,
        "current": current,
        "ip": session.ip,
        "agent": session.agent,
        "createdAt": rfc3339_of(session.created_at),
        "usedAt": rfc3339_of(session.used_at),
        "expiresAt": rfc3339_of(session.expires_at),
    }

"""Accounts, barbers and shops, searched by administrators."""

from typing import Final

from aiohttp import web
from asyncpg import Record
from pydantic import TypeAdapter, ValidationError

from barberpro.domain.accounts.contacts import Contacts
from barberpro.handlers.rest.paging import cursor_after, query_cursor
from barberpro.handlers.rest.parsing import query_count, query_id, query_word
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import ACCOUNTS, SERVICES
from barberpro.protocol.accounts import Contact, Email, FullPhone
from barberpro.protocol.commands import Name
from barberpro.protocol.errors import bad_field
from barberpro.protocol.shops import AdminBarberTold, AdminShopTold
from barberpro.protocol.staff import UserTold
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.people_search import (
    WantedBarbers,
    WantedShops,
    WantedUsers,
    search_barbers,
    search_shops,
    search_users,
)

_PAGES: Final = ("cursor", "limit")
USERS_QUERY: Final = ("userType", "shopId", "name", "email", "phone", *_PAGES)
BARBERS_QUERY: Final = ("shopId", "active", "name", *_PAGES)
SHOPS_QUERY: Final = ("name", *_PAGES)
_ROLES: Final = ("customer", "barber", "admin")
_LIMIT: Final = 50
_MOST: Final = 200
_TEXTS: Final[dict[str, TypeAdapter[str]]] = {
    "name": TypeAdapter(Name),
    "email": TypeAdapter(Email),
    "phone": TypeAdapter(FullPhone),
}


async def users(request: web.Request) -> Page:
    """GET /admin/users: the newest first. email, phone: whose it is; name: a part of it."""
    contacts, limit = request.app[ACCOUNTS].contacts, query_count(request, "limit", _LIMIT, least=1, most=_MOST)
    email, phone = _text(request, "email"), _text(request, "phone")
    wanted = WantedUsers(
        role=query_word(request, "userType", _ROLES),
        shop_id=query_id(request, "shopId"),
        name=_text(request, "name"),
        email_lookup=contacts.lookup(Contact("email", email)) if email is not None else None,
        phone_lookup=contacts.lookup(Contact("sms", phone)) if phone is not None else None,
        after=query_cursor(request),
    )
    rows = await search_users(request.app[SERVICES].pool, wanted, limit + 1)
    return Page([_user_told(contacts, row) for row in rows[:limit]], _cursor(rows, limit, "user_id"))


async def barbers(request: web.Request) -> Page:
    """GET /admin/barbers: of all shops, the newest first."""
    limit = query_count(request, "limit", _LIMIT, least=1, most=_MOST)
    active = query_word(request, "active", ("true", "false"))
    wanted = WantedBarbers(
        shop_id=query_id(request, "shopId"),
        active=active == "true" if active is not None else None,
        name=_text(request, "name"),
        after=query_cursor(request),
    )
    rows = await search_barbers(request.app[SERVICES].pool, wanted, limit + 1)
    return Page([_barber_told(row) for row in rows[:limit]], _cursor(rows, limit, "barber_id"))


async def shops(request: web.Request) -> Page:
    """GET /admin/shops: the newest first, with what goes on in each."""
    limit = query_count(request, "limit", _LIMIT, least=1, most=_MOST)
    wanted = WantedShops(_text(request, "name"), query_cursor(request))
    rows = await search_shops(request.app[SERVICES].pool, wanted, limit + 1)
    return Page([_shop_told(row) for row in rows[:limit]], _cursor(rows, limit, "shop_id"))


def _text(request: web.Request, name: str) -> str | None:
    """In its one form. Raises BAD_REQUEST, without repeating what may be somebody's address."""
    text = request.query.get(name)
    try:
        return _TEXTS[name].validate_python(text) if text is not None else None
    except ValidationError as error:
        raise bad_field(name, error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def _cursor(rows: list[Record], limit: int, key: str) -> str | None:
    return cursor_after(rows[limit - 1]["created_at"], rows[limit - 1][key]) if len(rows) > limit else None


def _user_told(contacts: Contacts, row: Record) -> UserTold:
    email, phone = (
        contacts.sealer.unseal(row[column]) if row[column] is not None else None
        for column in ("email_sealed", "phone_sealed")
    )
    return {
        "userId": row["user_id"],
        "userType": row["role"],
        "name": row["name"],
        "email": email,
        "phone": phone,
        "barberId": row["barber_id"],
        "shopIds": sorted(row["shop_ids"]),
        "createdAt": rfc3339_of(row["created_at"]),
        "deletedAt": rfc3339_of(row["deleted_at"]) if row["deleted_at"] is not None else None,
    }


def _barber_told(row: Record) -> AdminBarberTold:
    return {
        "barberId": row["barber_id"],
        "shopId": row["shop_id"],
        "shopName": row["shop_name"],
        "name": row["name"],
        "photoUrl": row["photo_url"],
        "active": row["active"],
        "userId": row["user_id"],
        "createdAt": rfc3339_of(row["created_at"]),
    }


def _shop_told(row: Record) -> AdminShopTold:
    return {
        "shopId": row["shop_id"],
        "name": row["name"],
        "timeZone": row["time_zone"],
        "currency": row["currency"],
        "barbers": row["barbers"],
        "openQueues": row["open_queues"],
        "waiting": row["waiting"],
        "serving": row["serving"],
        "createdAt": rfc3339_of(row["created_at"]),
    }

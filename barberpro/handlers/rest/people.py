"""Accounts, barbers and shops, searched by administrators."""

from aiohttp import web
from asyncpg import Record

from barberpro.domain.accounts.contacts import Contacts
from barberpro.handlers.rest.paging import cursor_after, cursor_of
from barberpro.handlers.rest.parsing import asked
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import ACCOUNTS, SERVICES
from barberpro.protocol.accounts import Contact
from barberpro.protocol.shops import AdminBarberTold, AdminShopTold, BarbersQuery, ShopsQuery
from barberpro.protocol.staff import UsersQuery, UserTold
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.people_search import (
    WantedBarbers,
    WantedShops,
    WantedUsers,
    search_barbers,
    search_shops,
    search_users,
)


async def users(request: web.Request) -> Page:
    """GET /admin/users: the newest first. email, phone: whose it is; name: a part of it."""
    contacts, query = request.app[ACCOUNTS].contacts, asked(UsersQuery, request)
    wanted = WantedUsers(
        role=query.user_type,
        shop_id=query.shop_id,
        name=query.name,
        email_lookup=contacts.lookup(Contact("email", query.email)) if query.email is not None else None,
        phone_lookup=contacts.lookup(Contact("sms", query.phone)) if query.phone is not None else None,
        after=cursor_of(query.cursor),
    )
    limit = query.limit
    rows = await search_users(request.app[SERVICES].pool, wanted, limit + 1)
    return Page([_user_told(contacts, row) for row in rows[:limit]], _cursor(rows, limit, "user_id"))


async def barbers(request: web.Request) -> Page:
    """GET /admin/barbers: of all shops, the newest first."""
    query = asked(BarbersQuery, request)
    wanted = WantedBarbers(shop_id=query.shop_id, active=query.active, name=query.name, after=cursor_of(query.cursor))
    limit = query.limit
    rows = await search_barbers(request.app[SERVICES].pool, wanted, limit + 1)
    return Page([_barber_told(row) for row in rows[:limit]], _cursor(rows, limit, "barber_id"))


async def shops(request: web.Request) -> Page:
    """GET /admin/shops: the newest first, with what goes on in each."""
    query = asked(ShopsQuery, request)
    rows = await search_shops(
        request.app[SERVICES].pool, WantedShops(query.name, cursor_of(query.cursor)), query.limit + 1
    )
    return Page([_shop_told(row) for row in rows[: query.limit]], _cursor(rows, query.limit, "shop_id"))


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

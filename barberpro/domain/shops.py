"""Shops: made and changed by those who run them."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from asyncpg import Pool
from pydantic.alias_generators import to_camel

from barberpro.domain.hours import parse_week
from barberpro.domain.replays import digest_of, need_same
from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, bad_field, not_found
from barberpro.protocol.ids import new_barber_id, new_shop_id
from barberpro.protocol.shops import ChangeShop, CreateShop, Day, ShopSettings
from barberpro.storage.audit import note
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.sealing import Sealer
from barberpro.storage.shops import insert_shop, lock_shop, need_zone, shop_made_with, update_shop
from barberpro.storage.staff import add_barber, add_owner, shops_owned
from barberpro.storage.users import User, set_role, user_by_id
from barberpro.storage.zones import UnknownZoneError

Json = dict[str, Any]

_MOST_SHOPS: Final = 20
"""Of one owner: an account costs nothing, and should not fill the catalogue."""
_PLAIN: Final = ("name", "time_zone", "currency", "latitude", "longitude")
_SECONDS: Final = {"grace_minutes": "grace_seconds", "late_minutes": "late_seconds"}
"""Columns of `shops` that are called otherwise, and measured otherwise, on the wire."""


async def create(
    pool: "Pool[Any]", keys: Keys, sealer: Sealer, actor: Actor, wanted: CreateShop, key: str | None, via: Via
) -> tuple[str, bool]:
    """The shop's id, and whether it is new: with the same Idempotency-Key it was made before.

    A barber who makes a shop runs it, and has its first line unless they have one in another shop. One that an
    administrator makes has no owner until somebody accepts an invitation.
    Raises BAD_REQUEST, NOT_FOUND for a token without an account, INVALID_TRANSITION for the shop that is one too many,
    IDEMPOTENCY_MISMATCH.
    """
    columns = _columns(wanted, sealer)
    await _check_zone(pool, wanted.time_zone)
    shop_id = new_shop_id((actor.id, key) if key is not None else None)
    digest = digest_of(actor, wanted.model_dump(mode="json", exclude_unset=True)) if key is not None else None
    async with pool.acquire() as connection, connection.transaction():
        user = await user_by_id(connection, actor.id, lock=True) if actor.role is Role.BARBER else None
        if actor.role is Role.BARBER and user is None:
            raise not_found("account")
        if not await insert_shop(connection, keys, shop_id, columns, digest):
            # A server of an earlier version kept no digest: nobody can tell, as nobody could then.
            need_same(await shop_made_with(connection, shop_id) or digest, digest)
            return shop_id, False
        if user is not None:
            await _run_by(connection, shop_id, user, wanted.barber_name)
        await note(connection, actor, "shop.created", "shop", shop_id, after=_noted(columns), via=via, shop_id=shop_id)
    return shop_id, True


async def change(pool: "Pool[Any]", sealer: Sealer, actor: Actor, shop_id: str, wanted: ChangeShop, via: Via) -> None:
    """Raises BAD_REQUEST."""
    columns = _columns(wanted, sealer)
    if "time_zone" in columns:
        await _check_zone(pool, wanted.time_zone)
    async with pool.acquire() as connection, connection.transaction():
        present = await lock_shop(connection, shop_id)
        if present is None:
            raise not_found("shop")
        changed = {name: value for name, value in columns.items() if _value(present, name) != value}
        if not changed:
            return
        await update_shop(connection, shop_id, changed)
        before = _noted({name: _value(present, name) for name in changed})
        await note(
            connection, actor, "shop.changed", "shop", shop_id,
            before=before, after=_noted(changed), via=via, shop_id=shop_id,
        )  # fmt: skip


async def _run_by(connection: AnyConnection, shop_id: str, user: User, barber_name: str | None) -> None:
    if await shops_owned(connection, user.user_id) >= _MOST_SHOPS:
        raise BarberProError(ErrorCode.INVALID_TRANSITION, f"An account runs {_MOST_SHOPS} shops at most.")
    barber_id = user.barber_id
    if barber_id is None:
        name = barber_name or user.name
        if name is None:
            raise bad_field("barberName", "is missing: the account has no name")
        barber_id = new_barber_id()
        await add_barber(connection, shop_id, barber_id, name)
    await add_owner(connection, shop_id, user.user_id)
    await set_role(connection, user.user_id, user.role, barber_id, sorted(user.shop_ids | {shop_id}))


def _columns(wanted: CreateShop | ChangeShop, sealer: Sealer) -> Json:
    """The columns that the request gives. Raises BAD_REQUEST for hours that cannot be."""
    given = wanted.model_fields_set
    columns: Json = {name: getattr(wanted, name) for name in _PLAIN if name in given}
    if "address" in given:
        columns["address_sealed"] = sealer.seal(wanted.address) if wanted.address is not None else None
    if "opening_hours" in given:
        columns["opening_hours"] = _week(wanted.opening_hours)
    if "settings" in given:
        columns |= _settings(wanted.settings)
    return columns


def _settings(settings: ShopSettings) -> Json:
    given: Json = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {_SECONDS.get(name, name): _seconds(value) if name in _SECONDS else value for name, value in given.items()}


def _seconds(minutes: float) -> int:
    """Whole ones; 0 only for 0, which for the grace means that there is none."""
    return max(1, round(minutes * 60)) if minutes > 0 else 0


def _week(hours: Mapping[Any, Any] | None) -> dict[Day, list[list[str]]] | None:
    try:
        return parse_week(hours).document() if hours is not None else None
    except ValueError as error:
        day, _, problem = str(error).partition(": ")
        raise bad_field(f"openingHours.{day}", problem) from None


async def _check_zone(pool: "Pool[Any]", name: str) -> None:
    try:
        await need_zone(pool, name)
    except UnknownZoneError:
        raise bad_field("timeZone", "is not in the IANA database") from None


def _value(row: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - a column of any type
    value = row[name]
    return orjson.loads(value) if name == "opening_hours" and value is not None else value


def _noted(columns: Mapping[str, Any]) -> Json:
    """As the audit log tells them; it hides an address by that name."""
    return {to_camel(name.removesuffix("_sealed")): value for name, value in columns.items()}

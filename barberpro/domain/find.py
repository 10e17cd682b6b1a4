"""Finding a barber: searches with their pages, kept in Redis for as long as they are fresh."""

import asyncio
import hashlib
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from asyncpg import Pool, Record
from pydantic import TypeAdapter

from barberpro.protocol.errors import bad_field, not_found
from barberpro.protocol.find import FoundBarber, Place, RatingSummary, SearchQuery
from barberpro.protocol.ids import Id
from barberpro.protocol.states import EstimatedWait
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.cache import Cache
from barberpro.storage.folding import wanted as folded
from barberpro.storage.lines import KEPT_MINUTES
from barberpro.storage.search import After, Found, Wanted, find_barber, kilometres, search, services_of
from barberpro.storage.together import Together

_STALEST: Final = 5.0
"""Seconds: no answer is older."""
_RADIUS_KM: Final = 10.0
_WAIT_KM: Final = 50.0
_PAGES: Final = timedelta(minutes=KEPT_MINUTES - 1)
"""For so long after the first page the others can be asked for; less than what they need is kept for."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_IDS: Final = TypeAdapter(Id)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """as_of: everything that was committed before is in there."""

    rows: list[FoundBarber]
    next_cursor: str | None
    as_of: str


class Find:
    def __init__(self, pool: "Pool[Any]", cache: Cache, refresh: Callable[[], Awaitable[None]]) -> None:
        """refresh: brings up to date what is searched, should nobody have done so for seconds."""
        self._pool = pool
        self._cache = cache
        self._refresh = refresh
        self._under_way: Together[SearchPage] = Together()

    async def search(self, asked: SearchQuery) -> SearchPage:
        """Raises BAD_REQUEST, and what Postgres raises while it is away."""
        # The tables of a script are read when it is met first: not on the event loop.
        wanted = await asyncio.to_thread(wanted_of, asked)
        key = hashlib.sha256(orjson.dumps(asdict(wanted))).hexdigest()

        async def read(_: str) -> SearchPage:
            kept = await self._cache.get(key)
            return SearchPage(**orjson.loads(kept)) if kept is not None else await self._searched(key, wanted)

        return await self._under_way(key, read)

    async def _searched(self, key: str, wanted: Wanted) -> SearchPage:
        began = time.monotonic()
        found = await search(self._pool, wanted)
        if found.age > _STALEST:
            await self._refresh()
            began = time.monotonic()
            found = await search(self._pool, wanted)
        page = _page(found, wanted)
        await self._cache.put(key, orjson.dumps(page), _STALEST - found.age - (time.monotonic() - began))
        return page

    async def barber(self, barber_id: str) -> FoundBarber:
        """As of now. Raises NOT_FOUND."""
        row = await find_barber(self._pool, barber_id)
        if row is None:
            raise not_found("barber")
        return _told(row)


def wanted_of(asked: SearchQuery) -> Wanted:
    """What is searched for. Raises BAD_REQUEST for parameters that do not go together, and old cursors. Blocking."""
    place = _place(asked)
    if asked.sort == "wait" and (asked.radius_km or 0) > _WAIT_KM:
        raise bad_field("radiusKm", f"is more than {_WAIT_KM:g}, the most by which waits are compared")
    if asked.free_at is not None and asked.free_at < datetime.now(UTC):
        raise bad_field("freeAt", "is in the past")
    return Wanted(
        sort=asked.sort or ("distance" if place is not None else "rating"),
        limit=asked.limit,
        place=place,
        radius_km=asked.radius_km or _RADIUS_KM,
        words=_words("q", asked.q),
        offers=_words("service", asked.service),
        open_now=asked.open_now,
        free_at=asked.free_at,
        free_minutes=asked.free_minutes,
        least_rating=asked.min_rating,
        after=_after(asked.cursor) if asked.cursor is not None else None,
    )


def _words(name: str, text: str | None) -> list[list[int]]:
    words = folded(text) if text is not None else []
    if text is not None and not words:
        raise bad_field(name, "has no letter or figure")
    return words


def _place(asked: SearchQuery) -> tuple[float, float] | None:
    if asked.lat is not None and asked.lng is not None:
        return asked.lat, asked.lng
    for name, given in (("lat", asked.lat), ("lng", asked.lng), ("radiusKm", asked.radius_km)):
        if given is not None:
            raise bad_field(name, "needs a place: lat and lng")
    if asked.sort in {"distance", "wait"}:
        raise bad_field("sort", "needs a place: lat and lng")
    return None


def _cursor(moment: datetime, last: Record) -> str:
    document = [(moment - _EPOCH) // _MICROSECOND, last["key"], last["barber_id"]]
    return urlsafe_b64encode(orjson.dumps(document)).decode()


def _after(cursor: str) -> After:
    try:
        moment, key, barber_id = orjson.loads(urlsafe_b64decode(cursor))
        after = After(_EPOCH + int(moment) * _MICROSECOND, float(key), _IDS.validate_python(barber_id))
    except (ValueError, TypeError, OverflowError):
        raise bad_field("cursor", "is no cursor of this list") from None
    if not _PAGES > datetime.now(UTC) - after.moment > -_PAGES:
        raise bad_field("cursor", f"is older than {_PAGES // timedelta(minutes=1)} minutes: search again")
    return after


def _page(found: Found, wanted: Wanted) -> SearchPage:
    rows = found.rows[: wanted.limit]
    cursor = _cursor(found.moment, rows[-1]) if len(found.rows) > wanted.limit else None
    return SearchPage([_found(row) for row in rows], cursor, rfc3339_of(found.as_of))


def _found(row: Record) -> FoundBarber:
    barber = _told(row)
    if row["chord"] is not None:
        barber["distanceKm"] = round(kilometres(row["chord"]), 3)
    return barber


def _told(row: Record) -> FoundBarber:
    return {
        "barberId": row["barber_id"],
        "barberName": row["name"],
        "photoUrl": row["photo_url"],
        "shopId": row["shop_id"],
        "shopName": row["shop_name"],
        "place": _placed(row),
        "queueStatus": row["status"],
        "openNow": row["open_now"],
        "waitingCount": row["waiting"],
        "estimatedWait": _wait(row),
        "rating": summary(row["stars"], row["ratings"]),
        "currency": row["currency"],
        "services": services_of(row),
    }


def _placed(row: Record) -> Place | None:
    if row["latitude"] is None:
        return None
    return {"latitude": row["latitude"], "longitude": row["longitude"]}


def _wait(row: Record) -> EstimatedWait | None:
    if row["p50"] is None:
        return None
    return {"p50Minutes": row["p50"], "p90Minutes": row["p90"]}


def summary(stars: int, count: int) -> RatingSummary:
    """stars: the sum of all. The average is rounded half up, from whole numbers."""
    if count == 0:
        return {"average": None, "count": 0}
    hundredths = (200 * stars + count) // (2 * count)
    return {"average": f"{hundredths // 100}.{hundredths % 100:02d}", "count": count}

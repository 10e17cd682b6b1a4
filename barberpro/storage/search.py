"""One search, as one query. All that a page depends on is as of one moment: the mark of the index, or, for the pages
that follow, the mark of the first one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
from asyncpg import Pool, Record

from barberpro.protocol.currencies import written
from barberpro.protocol.states import Service
from barberpro.storage.search_index import on_sphere
from barberpro.storage.searching import Conditions, searched

SETTINGS: Final = {"random_page_cost": "1.1", "jit": "off"}
"""Of the sessions that search. How many stand in a circle the planner cannot know; it takes the nearest first from the
index where a jump costs no more than it does in memory, and on anything but a turning disk.
"""
EARTH_KM: Final = 6371.0088
"""The mean radius: distances are those on a sphere, and off by half a percent at most."""
_CLOSED: Final = 1e6
"""The minutes by which a closed line is sorted: last."""


@dataclass(frozen=True, slots=True)
class After:
    """Where the page before ended. moment: of the first page. key, barber_id: of the last row."""

    moment: datetime
    key: float
    barber_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for, all of it at once. sort: distance, wait or rating. place: (latitude, longitude).

    words, offers: for each word that was typed the keys of which one has to be there (storage/folding.py), among those
    of all names, and of the services'.
    """

    sort: str
    limit: int
    place: tuple[float, float] | None = None
    radius_km: float = 0.0
    words: Sequence[Sequence[int]] = ()
    offers: Sequence[Sequence[int]] = ()
    open_now: bool = False
    free_at: datetime | None = None
    free_minutes: int = 0
    least_rating: float | None = None
    after: After | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """rows: up to limit + 1. moment: all that follows in later pages is sorted as of it. as_of: everything committed
    before is in there; that was `age` seconds ago.
    """

    rows: list[Record]
    moment: datetime
    as_of: datetime
    age: float


_MOMENT: Final = """
    moment AS MATERIALIZED (
        SELECT at AS shown, coalesce({}::timestamptz, at) AS ordered,
               extract(epoch FROM clock_timestamp() - at)::float8 AS age
        FROM search_mark
    )
"""
_JOINS: Final = {
    "shops": "JOIN shops sh ON sh.shop_id = s.shop_id",
    "calendars": "LEFT JOIN calendars c ON c.barber_id = s.barber_id",
    "ratings": "LEFT JOIN barber_ratings r ON r.barber_id = s.barber_id",
    "lines": """LEFT JOIN barber_lines l ON l.barber_id = s.barber_id
        AND l.until > (SELECT ordered FROM moment) AND l.since <= (SELECT ordered FROM moment)""",
    "waits": """LEFT JOIN LATERAL wait_of(l.mean, l.variance, l.expected, l.square,
        extract(epoch FROM (SELECT ordered FROM moment) - l.seated_at)::float8 / 60) w ON l.status <> 'closed'""",
}
_NEEDED: Final = {"distance": (), "wait": ("lines", "waits"), "rating": ("ratings",)}
_WAIT_KEY: Final = f"coalesce(w.p50, {_CLOSED})::float8"
_RATING_KEY: Final = "-coalesce(r.stars::float8 / nullif(r.count, 0), 0)"
_IS_OPEN: Final = "(sh.opening_hours IS NULL OR open_at(sh.opening_hours, sh.time_zone, {}))"
_IS_FREE: Final = """
    works_at(c.document, sh.opening_hours, sh.time_zone, {0}, {2}) AND NOT EXISTS (
        SELECT FROM bookings a
        WHERE a.shop_id = s.shop_id AND a.ended_at IS NULL AND a.barber_id = s.barber_id AND a.status <> 'skipped'
          AND a.appointment_at < {1} AND a.appointment_at + a.duration_minutes * interval '1 minute' > {0}
    )
"""
_TOLD: Final = f"""
    b.barber_id, b.name, b.photo_url, sh.shop_id, sh.name AS shop_name, sh.latitude, sh.longitude, sh.currency,
    coalesce(l.status, 'closed') AS status, coalesce(l.waiting, 0) AS waiting, w.p50, w.p90,
    coalesce(l.status = 'open' AND {_IS_OPEN.format("{at}")}, false) AS open_now,
    coalesce(r.stars, 0) AS stars, coalesce(r.count, 0) AS ratings,
    (SELECT coalesce(json_agg(json_build_object(
                'serviceId', v.service_id, 'name', v.name, 'price', coalesce(o.price, v.price)::text,
                'durationMinutes', coalesce(o.duration_minutes, v.duration_minutes)
            ) ORDER BY v.created_at, v.service_id), '[]')
     FROM barber_services o JOIN services v USING (service_id) WHERE o.barber_id = b.barber_id AND v.active) AS services
"""  # noqa: S608 - built from constants
_AROUND: Final = """
    LEFT JOIN shops sh ON sh.shop_id = b.shop_id
    LEFT JOIN barber_lines l ON l.barber_id = b.barber_id AND l.until = 'infinity'
    LEFT JOIN LATERAL wait_of(l.mean, l.variance, l.expected, l.square,
        extract(epoch FROM {at} - l.seated_at)::float8 / 60) w ON l.status <> 'closed'
    LEFT JOIN barber_ratings r ON r.barber_id = b.barber_id
"""
_ONE: Final = f"SELECT {_TOLD} FROM barbers b {_AROUND} WHERE b.barber_id = $1 AND b.active".format(at="now()")  # noqa: S608 - built from constants


async def search(pool: "Pool[Any]", wanted: Wanted) -> Found:
    """Raises what storage.postgres.Away lists."""
    query, values = _query(wanted)
    rows = await searched(pool, query, values)
    # The moment comes with every row, and with none found in a row of its own.
    first, found = rows[0], [row for row in rows if row["barber_id"] is not None]
    return Found(found, first["ordered"], first["shown"], first["age"])


async def find_barber(pool: "Pool[Any]", barber_id: str) -> Record | None:
    """The same of one barber, as of now; None when there is none, or none any more. Raises as `search` does."""
    found = await searched(pool, _ONE, (barber_id,))
    return found[0] if found else None


def services_of(row: Record) -> list[Service]:
    services: list[Service] = orjson.loads(row["services"])
    for service in services:
        service["price"] = written(Decimal(service["price"]), row["currency"])
    return services


def _query(wanted: Wanted) -> tuple[str, list[object]]:
    where, joins = Conditions(), list(_NEEDED[wanted.sort])
    moment = _MOMENT.format(where.argument(wanted.after.moment if wanted.after is not None else None))
    distance = _near(wanted, where)
    joins += _fitting(wanted, where)
    key = {"distance": distance, "wait": _WAIT_KEY, "rating": _RATING_KEY}[wanted.sort]
    if wanted.after is not None:
        where.add(f"({key}, s.barber_id) > ({{}}::float8, {{}}::text)", wanted.after.key, wanted.after.barber_id)
    limit = where.argument(wanted.limit + 1)
    # In the order of _JOINS: one may need another that stands before it.
    joined = " ".join(text for name, text in _JOINS.items() if name in joins)
    query = f"""
        WITH {moment}, picked AS (
            SELECT s.barber_id, {key} AS key, {distance} AS chord FROM search_barbers s {joined}
            WHERE {where} ORDER BY {key}, s.barber_id LIMIT {limit}
        )
        SELECT m.*, p.key, p.chord, {_TOLD.format(at="m.shown")}
        FROM moment m LEFT JOIN picked p ON true LEFT JOIN barbers b ON b.barber_id = p.barber_id
        {_AROUND.format(at="m.shown")}
        ORDER BY p.key, p.barber_id
    """  # noqa: S608 - of our own words; what was asked for stands in the arguments
    return query, where.values


def _near(wanted: Wanted, where: Conditions) -> str:
    """How far a barber is: the straight line through the sphere, which grows with the distance on it."""
    if wanted.place is None:
        return "NULL::float8"
    here = f"{where.argument(on_sphere(*wanted.place))}::text::cube"
    chord = 2 * math.sin(min(wanted.radius_km / EARTH_KM / 2, math.pi / 2))
    where.add(f"s.place <@ cube_enlarge({here}, {{}}, 3)", chord)
    where.add(f"(s.place <-> {here}) <= {{}}::float8", chord)
    return f"(s.place <-> {here})"


def kilometres(chord: float) -> float:
    return 2 * EARTH_KM * math.asin(min(chord / 2, 1.0))


def _fitting(wanted: Wanted, where: Conditions) -> set[str]:
    """Adds the conditions but that of the place; returns the joins that they need."""
    joins = set()
    for keys in wanted.words:
        where.add("s.words && {}::integer[]", keys)
    for keys in wanted.offers:
        where.add("s.offers && {}::integer[]", keys)
    if wanted.open_now:
        joins |= {"lines", "shops"}
        where.add("l.status = 'open'")
        where.add(_IS_OPEN.format("(SELECT ordered FROM moment)"))
    if wanted.free_at is not None:
        joins |= {"shops", "calendars"}
        until = wanted.free_at + timedelta(minutes=wanted.free_minutes)
        where.add(_IS_FREE, wanted.free_at, until, wanted.free_minutes)
    if wanted.least_rating is not None:
        joins.add("ratings")
        where.add("r.stars >= r.count * {}::float8 AND r.count > 0", wanted.least_rating)
    return joins

"""What is imported, as Postgres holds it: where each document went, and the rows that it became.

Bookings are written here past the engine: they are over, no event tells of them (`shop_seq` is 0), and the mark of
their shop stands for them as a checkpoint does (docs/decisions/0030-imported-bookings.md).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from barberpro.protocol.commands import Method
from barberpro.storage.digests import DIGEST_BITS, Digest
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.snapshot import COLUMNS, booking_of_row
from barberpro.storage.users import SealedContact

BY_USER: Final = "barbers/userId"
"""A barber is found by the id of their account, too: some apps refer to barbers so."""

_KNOWN: Final = """
    SELECT source_id, target_id, import_id, line, digest FROM imported_rows
    WHERE collection = $1 AND source_id = ANY ($2::text[])
"""
_ADD_ROWS: Final = """
    INSERT INTO imported_rows (collection, source_id, target_id, import_id, line, digest, said)
    SELECT $1, n.source_id, n.target_id, $2, n.line, n.digest, n.said::jsonb
    FROM unnest($3::text[], $4::text[], $5::integer[], $6::bytea[], $7::text[])
         AS n (source_id, target_id, line, digest, said)
    ON CONFLICT (collection, source_id) DO NOTHING
"""
_MET_AGAIN: Final = """
    UPDATE imported_rows r SET import_id = $2, line = n.line
    FROM unnest($3::text[], $4::integer[]) AS n (source_id, line)
    WHERE r.collection = $1 AND r.source_id = n.source_id
"""
_HAVE_CONTACT: Final = """
    SELECT user_id, email_lookup, phone_lookup FROM users
    WHERE email_lookup = ANY ($1::text[]) OR phone_lookup = ANY ($1::text[])
"""
_ADD_USERS: Final = """
    INSERT INTO users (user_id, role, name, email_sealed, email_lookup, phone_sealed, phone_lookup, created_at, claimed)
    SELECT user_id, role, name, email_sealed, email_lookup, phone_sealed, phone_lookup,
           coalesce(created_at, now()), true
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
         AS n (user_id, role, name, email_sealed, email_lookup, phone_sealed, phone_lookup, created_at)
    ON CONFLICT DO NOTHING
"""
_USERS: Final = """
    SELECT r.source_id, u.user_id, u.name FROM imported_rows r JOIN users u ON u.user_id = r.target_id
    WHERE r.collection = 'users' AND r.source_id = ANY ($1::text[])
"""
# A barber's own document comes last, and wins.
_BARBERS: Final = f"""
    SELECT r.source_id, b.barber_id, b.shop_id, s.currency, s.time_zone, (
        SELECT jsonb_agg(jsonb_build_array(v.name, v.service_id, coalesce(o.duration_minutes, v.duration_minutes)))
        FROM barber_services o JOIN services v USING (service_id) WHERE o.barber_id = b.barber_id
    ) AS menu
    FROM imported_rows r JOIN barbers b ON b.barber_id = r.target_id JOIN shops s ON s.shop_id = b.shop_id
    WHERE r.collection IN ('barbers', '{BY_USER}') AND r.source_id = ANY ($1::text[])
    ORDER BY r.collection DESC
"""  # noqa: S608 - our own words
_ADD_BOOKINGS: Final = f"""
    INSERT INTO bookings AS b (booking_id, shop_id, barber_id, customer_id, customer_name, services, duration_minutes,
        total_price, currency, created_at, status, business_date, token_number, joined_at, started_at, ended_at,
        end_reason, cancelled_by, payment, kind, shop_seq)
    SELECT n.booking_id, n.shop_id, n.barber_id, n.customer_id, n.customer_name, n.services::jsonb, n.duration_minutes,
        n.total_price, n.currency, n.created_at, n.status, n.business_date, n.token_number, n.joined_at, n.started_at,
        n.ended_at, n.end_reason, n.cancelled_by, n.payment::jsonb, 'walk_in', 0
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::numeric[],
                $9::text[], $10::timestamptz[], $11::text[], $12::date[], $13::integer[], $14::timestamptz[],
                $15::timestamptz[], $16::timestamptz[], $17::text[], $18::text[], $19::text[])
         AS n (booking_id, shop_id, barber_id, customer_id, customer_name, services, duration_minutes, total_price,
               currency, created_at, status, business_date, token_number, joined_at, started_at, ended_at, end_reason,
               cancelled_by, payment)
    RETURNING {COLUMNS}
"""  # noqa: S608 - our own words
_MARK: Final = f"""
    INSERT INTO import_marks AS m (shop_id, bookings, digest)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::numeric[])
    ON CONFLICT (shop_id) DO UPDATE SET bookings = m.bookings + excluded.bookings,
        digest = mod(m.digest + excluded.digest, {2**DIGEST_BITS})
"""  # noqa: S608 - a number
_ADD_PAYMENTS: Final = """
    INSERT INTO payment_ledger (payment_id, kind, purpose, shop_id, barber_id, booking_id, method, amount, currency,
                                of_payment_id, reason, at, actor_id, actor_role, shop_seq)
    SELECT p.payment_id || m.suffix, m.kind, 'service', n.shop_id, n.barber_id, n.booking_id, n.method,
           m.sign * n.amount, n.currency, CASE m.kind WHEN 'refund' THEN p.payment_id END,
           CASE m.kind WHEN 'refund' THEN 'refunded before the import' END, n.at, 'import', 'system',
           CASE m.kind WHEN 'charge' THEN 0 END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[], $7::timestamptz[],
                $8::boolean[]) AS n (booking_id, shop_id, barber_id, method, amount, currency, at, refunded)
    CROSS JOIN LATERAL (SELECT 'pm_' || substr(n.booking_id, 4)) AS p (payment_id)
    CROSS JOIN (VALUES ('charge', '', 1), ('refund', 'r', -1)) AS m (kind, suffix, sign)
    WHERE m.kind = 'charge' OR n.refunded AND n.amount > 0
    ORDER BY m.sign DESC
"""
_ADD_RATINGS: Final = """
    INSERT INTO ratings (rating_id, booking_id, barber_id, shop_id, stars, review, at)
    SELECT n.rating_id, b.booking_id, b.barber_id, b.shop_id, n.stars, n.review, n.at
    FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::timestamptz[])
         AS n (rating_id, booking_id, stars, review, at)
    JOIN bookings b USING (booking_id) WHERE b.status = 'completed'
    ORDER BY b.barber_id
    ON CONFLICT (booking_id) DO NOTHING
"""
_BOOKING_COLUMNS: Final = (
    "booking_id", "shop_id", "barber_id", "customer_id", "customer_name", "services", "duration_minutes", "total_price",
    "currency", "created_at", "status", "business_date", "token_number", "joined_at", "started_at", "ended_at",
    "end_reason", "cancelled_by", "payment",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A document that was taken. import_id, line: where it was met last."""

    source_id: str
    target_id: str
    import_id: int
    line: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class TakenRow:
    """said: totals that the document claims."""

    source_id: str
    target_id: str
    line: int
    digest: bytes
    said: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class NewUser:
    user_id: str
    role: str
    name: str | None
    contacts: Sequence[SealedContact]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownUser:
    user_id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Offered:
    service_id: str
    minutes: int


@dataclass(frozen=True, slots=True)
class KnownBarber:
    """menu: by the service's name, case-folded."""

    barber_id: str
    shop_id: str
    currency: str
    time_zone: str
    menu: Mapping[str, Offered]


@dataclass(frozen=True, slots=True)
class ImportedRating:
    rating_id: str
    stars: int
    review: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ImportedBooking:
    """A booking that is over. services: JSON. paid: how the total was paid, if it was."""

    booking_id: str
    shop_id: str
    barber_id: str
    customer_id: str | None
    customer_name: str | None
    services: str
    duration_minutes: int
    total_price: Decimal
    currency: str
    created_at: datetime
    status: str
    business_date: date
    token_number: int | None
    joined_at: datetime
    started_at: datetime | None
    ended_at: datetime
    end_reason: str | None
    cancelled_by: str | None
    paid: Method | None
    refunded: bool
    rating: ImportedRating | None

    @property
    def payment(self) -> str | None:
        """As JSON, in the words of an event."""
        if self.paid is None:
            return None
        return orjson.dumps({"method": self.paid, "amount": str(self.total_price)}).decode()


async def known_rows(connection: AnyConnection, collection: str, source_ids: list[str]) -> dict[str, KnownRow]:
    """By source_id."""
    rows = await connection.fetch(_KNOWN, collection, source_ids)
    return {row["source_id"]: KnownRow(**row) for row in rows}


async def add_rows(connection: AnyConnection, collection: str, import_id: int, rows: Sequence[TakenRow]) -> None:
    names = [each.name for each in fields(TakenRow) if each.name != "said"]
    columns = [[getattr(row, name) for row in rows] for name in names]
    said = [orjson.dumps(row.said).decode() if row.said is not None else None for row in rows]
    await connection.execute(_ADD_ROWS, collection, import_id, *columns, said)


async def met_again(
    connection: AnyConnection, collection: str, import_id: int, rows: Sequence[tuple[str, int]]
) -> None:
    """rows: (source_id, line)."""
    ids, lines = [row[0] for row in rows], [row[1] for row in rows]
    await connection.execute(_MET_AGAIN, collection, import_id, ids, lines)


async def users_by_contact(connection: AnyConnection, lookups: list[str]) -> dict[str, str]:
    """Whose they are, of those that are somebody's, by lookup."""
    found: dict[str, str] = {}
    for row in await connection.fetch(_HAVE_CONTACT, lookups):
        found |= {row[name]: row["user_id"] for name in ("email_lookup", "phone_lookup") if row[name] is not None}
    return found


async def add_users(connection: AnyConnection, users: Sequence[NewUser]) -> bool:
    """False when somebody has one of the contacts by now: to be undone, and tried again."""
    by_channel = [{contact.channel: contact for contact in user.contacts} for user in users]
    columns: list[list[Any]] = [[getattr(user, name) for user in users] for name in ("user_id", "role", "name")]
    for channel in ("email", "sms"):
        found = [contacts.get(channel) for contacts in by_channel]
        columns += [[each and each.sealed for each in found], [each and each.lookup for each in found]]
    done = await connection.execute(_ADD_USERS, *columns, [user.created_at for user in users])
    return bool(done == f"INSERT 0 {len(users)}")


async def users_of(connection: AnyConnection, source_ids: list[str]) -> dict[str, KnownUser]:
    """What users' documents became, by source_id."""
    rows = await connection.fetch(_USERS, source_ids)
    return {row["source_id"]: KnownUser(row["user_id"], row["name"]) for row in rows}


async def barbers_of(connection: AnyConnection, source_ids: list[str]) -> dict[str, KnownBarber]:
    """What barbers' documents became, by source_id, or by the id of the barber's account."""
    return {
        row["source_id"]: KnownBarber(
            row["barber_id"],
            row["shop_id"],
            row["currency"],
            row["time_zone"],
            {name.casefold(): Offered(*offered) for name, *offered in orjson.loads(row["menu"] or "[]")},
        )
        for row in await connection.fetch(_BARBERS, source_ids)
    }


async def add_bookings(connection: AnyConnection, bookings: Sequence[ImportedBooking]) -> None:
    """New ones, with what was paid and how they were rated; the marks of their shops go on with them."""
    columns = [[getattr(booking, name) for booking in bookings] for name in _BOOKING_COLUMNS]
    digests: defaultdict[str, Digest] = defaultdict(Digest)
    for row in await connection.fetch(_ADD_BOOKINGS, *columns):
        digests[row["shop_id"]].add((booking_of_row(row), row["shop_seq"]))
    shops = sorted(digests)
    counts = [digests[shop].count for shop in shops]
    await connection.execute(_MARK, shops, counts, [Decimal(digests[shop].total) for shop in shops])
    await _add_payments(connection, [booking for booking in bookings if booking.paid is not None])
    await add_ratings(connection, {each.booking_id: each.rating for each in bookings if each.rating is not None})


async def _add_payments(connection: AnyConnection, paid: Sequence[ImportedBooking]) -> None:
    names = ("booking_id", "shop_id", "barber_id", "paid", "total_price", "currency", "ended_at", "refunded")
    await connection.execute(_ADD_PAYMENTS, *([getattr(booking, name) for booking in paid] for name in names))


async def add_ratings(connection: AnyConnection, given: Mapping[str, ImportedRating]) -> None:
    """By booking_id. One that has a rating keeps it."""
    await connection.execute(
        _ADD_RATINGS,
        [rating.rating_id for rating in given.values()],
        list(given),
        [rating.stars for rating in given.values()],
        [rating.review for rating in given.values()],
        [rating.at for rating in given.values()],
    )


async def load_mark(connection: AnyConnection, shop_id: str) -> Digest:
    """What stands for the shop's imported bookings."""
    row = await connection.fetchrow("SELECT bookings, digest FROM import_marks WHERE shop_id = $1", shop_id)
    return Digest(row["bookings"], int(row["digest"])) if row is not None else Digest()

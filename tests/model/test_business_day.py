"""The business day is the shop's local date: the table of offsets and the script's calendar, beside zoneinfo."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from redis.asyncio import Redis

from barberpro.storage.zones import offset_table

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
ZONES = [
    "America/New_York", "Europe/Berlin", "Australia/Sydney",
    "America/Santiago",  # changes at midnight itself, and back to the day before
    "America/Havana",  # has one midnight twice
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Kiritimati", "Etc/UTC",
]  # fmt: skip
LOCAL = {zone: ZoneInfo(zone) for zone in ZONES}
_PRELUDE = (files("barberpro.queue") / "lua" / "prelude.lua").read_text()
_CALENDAR = """
redis.register_function(LIBRARY .. '_calendar', function(_, argv)
    local asked, out = cjson.decode(argv[1]), {}
    policy = asked.policy
    for i, at in ipairs(asked.instants) do
        now = at
        out[i] = {date_at(at), string.format('%d', next_midnight())}
    end
    return out
end)
"""


def millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def instants() -> Iterator[datetime]:
    """Every half hour of a year, and the last millisecond before it."""
    moment = NEW_YEAR
    while moment < NEW_YEAR + timedelta(days=366):
        yield moment - timedelta(milliseconds=1)
        yield moment
        moment += timedelta(minutes=30)


def offset_in(table: tuple[tuple[int, int], ...], at: int) -> int:
    return next(offset for since, offset in reversed(table) if since <= at)


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("America/New_York", [("2027-03-14T07:00", -4), ("2027-11-07T06:00", -5)]),
        ("Europe/Berlin", [("2027-03-28T01:00", 2), ("2027-10-31T01:00", 1)]),
        ("Australia/Sydney", [("2027-04-03T16:00", 10), ("2027-10-02T16:00", 11)]),
        ("Asia/Kolkata", []),
    ],
)
def test_the_table_has_the_changes_of_the_clocks_at_their_instants(zone: str, changes: list[tuple[str, int]]) -> None:
    expected = [(millis(datetime.fromisoformat(at).replace(tzinfo=UTC)), hours * 3_600_000) for at, hours in changes]
    assert list(offset_table(zone, NEW_YEAR)[1:3]) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_the_table_gives_the_offset_of_every_instant(zone: str) -> None:
    table, local = offset_table(zone, NEW_YEAR), LOCAL[zone]
    for moment in instants():
        offset = moment.astimezone(local).utcoffset()
        assert offset is not None
        assert timedelta(milliseconds=offset_in(table, millis(moment))) == offset, moment


@pytest.mark.parametrize("zone", ZONES)
async def test_the_script_knows_the_date_and_the_next_midnight_of_every_instant(
    redis_url: str, redis_prefix: str, zone: str
) -> None:
    moments = list(instants())
    table = await asyncio.to_thread(offset_table, zone, NEW_YEAR)
    asked = orjson.dumps({"policy": {"zone": table}, "instants": [millis(moment) for moment in moments]})
    name = f"calendar_{re.sub('[^a-z0-9]', '', redis_prefix)}"
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        await redis.function_load(f"#!lua name={name}\nlocal LIBRARY = '{name}'\n{_PRELUDE}\n{_CALENDAR}")
        told: Any = await redis.fcall(f"{name}_calendar", 0, asked)
        await redis.function_delete(name)
    local = LOCAL[zone]
    for moment, (date, midnight) in zip(moments, told, strict=True):
        here = moment.astimezone(local)
        assert date == here.date().isoformat(), moment
        tomorrow = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), local)
        assert int(midnight) == millis(tomorrow), f"{moment}: the day ends at {tomorrow}"

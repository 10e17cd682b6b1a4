"""A country of barbers to search in: cities, shops, services, lines with people in them, visits that are over.

Written straight into the tables, as a hundred thousand barbers who open their lines one by one would take an hour.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
from asyncpg import Pool

from barberpro.storage.keys import Keys

_A_SHOP: Final = 4
"""Barbers."""
_CITIES: Final = 40
_BY_ZIPF: Final = [1 / rank for rank in range(1, _CITIES + 1)]
"""How great the cities are; nearly every fourth barber is in the first."""
_SPREAD: Final = 0.07
"""Degrees: most of a city is within 15 km."""
_VISITS: Final = 20
_FIRST_NAMES: Final = """
    Rajesh Suresh Ramesh Mahesh Ganesh Dinesh Mukesh Naresh Sandeep Sanjay Vijay Ajay Anil Sunil Kapil Vikram Arjun
    Karan Rohan Mohan Rahul Amit Sumit Rohit Mohit Lalit Ankit Nitin Sachin Imran Salman Farhan Irfan Asif Arif Yusuf
    Iqbal Javed Naveed Harpreet Gurpreet Manpreet Baldev Kuldeep Jaspal Venkatesh Srinivas Murugan Selvam Karthik
    Lakshmi Priya Kavita Sunita Anita Rekha Meena Seema Pooja Neha Asha Usha Divya Deepa Shanti Bhavana Fatima Zainab
"""
_LAST_NAMES: Final = """
    Kumar Singh Sharma Verma Gupta Patel Shah Mehta Joshi Desai Rao Reddy Naidu Nair Menon Pillai Iyer Iyengar Das Ghosh
    Bose Sen Roy Dutta Khan Ansari Sheikh Qureshi Siddiqui Gill Sandhu Dhillon Bhatia Kapoor Khanna Malhotra Chopra
    Yadav Thakur Chauhan Rathore Solanki Pawar Kulkarni Deshpande Gowda Shetty Hegde Fernandes D'Souza Pinto
"""
_FIRST: Final = _FIRST_NAMES.split()
_LAST: Final = _LAST_NAMES.split()
_SHOPS: Final = ("Salon", "Barbers", "Hair Studio", "Cuts", "Gents Parlour", "Grooming", "Nai Ki Dukan", "Unisex Salon")
SERVICES: Final = (
    "Haircut", "Beard trim", "Shave", "Hair colour", "Head massage", "Children's haircut", "Facial", "Hair spa",
)  # fmt: skip
_HOURS: Final = orjson.dumps(
    {day: [["00:00", "13:00"], ["14:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
).decode()
_TABLES: Final = {
    "shops": "shop_id name time_zone currency latitude longitude opening_hours",
    "watermarks": "shop_id shard epoch shop_seq",
    "services": "service_id shop_id name price duration_minutes",
    "barbers": "barber_id shop_id name",
    "barber_services": "barber_id service_id",
    "queues": "barber_id shop_id status seq business_date last_token completed cancelled shop_seq updated_at",
    "bookings": "booking_id shop_id kind services duration_minutes total_price currency created_at barber_id status"
    " business_date token_number rank joined_at started_at ended_at shop_seq",
    "barber_ratings": "barber_id count stars",
}
_CATALOGUE: Final = ("barbers", "services", "barber_services")


@dataclass(frozen=True, slots=True)
class City:
    latitude: float
    longitude: float


Rows = dict[str, list[tuple[Any, ...]]]


class Country:
    """barbers: how many. The same seed makes the same country."""

    def __init__(self, keys: Keys, barbers: int, seed: int = 1) -> None:
        self._keys = keys
        self.dice = random.Random(seed)
        self.barbers = barbers
        self._now = datetime.now(UTC)
        self.cities = [City(self.dice.uniform(9, 30), self.dice.uniform(73, 88)) for _ in range(_CITIES)]

    async def write(self, pool: "Pool[Any]") -> None:
        """Writes it into empty tables, without the triggers that tell of changes."""
        async with pool.acquire() as connection:
            for table in _CATALOGUE:
                await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            shards = "INSERT INTO shards (shard) SELECT generate_series(0, $1) ON CONFLICT DO NOTHING"
            await connection.execute(shards, self._keys.shards - 1)
            for rows in self._parts():
                for table, records in rows.items():
                    columns = _TABLES[table].split()
                    await connection.copy_records_to_table(table, records=records, columns=columns, timeout=60)
            for table in _CATALOGUE:
                await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            await connection.execute("ANALYZE", timeout=60)

    def place(self) -> tuple[float, float]:
        """Where somebody may be who searches: in a city, the greater the likelier."""
        [city] = self.dice.choices(self.cities, _BY_ZIPF)
        return city.latitude + self.dice.gauss(0, _SPREAD), city.longitude + self.dice.gauss(0, _SPREAD)

    def name(self) -> str:
        return f"{self.dice.choice(_FIRST)} {self.dice.choice(_LAST)}"

    def _parts(self, at_once: int = 1000) -> Iterator[Rows]:
        for first in range(0, self.barbers // _A_SHOP, at_once):
            rows: Rows = {table: [] for table in _TABLES}
            for number in range(first, min(first + at_once, self.barbers // _A_SHOP)):
                self._shop(rows, number)
            yield rows

    def _shop(self, rows: Rows, number: int) -> None:
        shop_id, dice = f"sh_{number:010d}", self.dice
        latitude, longitude = self.place()
        name = f"{dice.choice(_LAST)} {dice.choice(_SHOPS)}"
        hours = _HOURS if dice.random() < 0.7 else None
        rows["shops"].append((shop_id, name, "Asia/Kolkata", "INR", latitude, longitude, hours))
        rows["watermarks"].append((shop_id, self._keys.shard_of(shop_id), 0, _A_SHOP))
        services = [(f"sv_{number:010d}{n}", each) for n, each in enumerate(dice.sample(SERVICES, 4))]
        rows["services"] += [
            (id_, shop_id, each, Decimal("250.00"), dice.choice((10, 20, 30, 45))) for id_, each in services
        ]
        for chair in range(_A_SHOP):
            barber_id = f"bb_{number:010d}{chair}"
            rows["barbers"].append((barber_id, shop_id, self.name()))
            rows["barber_services"] += [(barber_id, id_) for id_, _ in services]
            self._line(rows, shop_id, barber_id, chair + 1)
            if dice.random() < 0.6:
                count = int(dice.paretovariate(0.5)) % 500 + 1
                rows["barber_ratings"].append((barber_id, count, sum(dice.choices((3, 4, 5), k=count))))

    def _line(self, rows: Rows, shop_id: str, barber_id: str, seq: int) -> None:
        dice, now, today = self.dice, self._now, self._now.date()
        status = dice.choices(("open", "paused", "closed"), (6, 1, 3))[0]
        people = 0 if status == "closed" else min(int(dice.expovariate(1 / 3)), 20)
        rows["queues"].append((barber_id, shop_id, status, seq, today, people, 0, 0, seq, now))
        for place in range(people):
            state = "serving" if place == 0 else "next" if place == 1 else "waiting"
            began = now - timedelta(minutes=dice.uniform(0, 30)) if place == 0 else None
            rows["bookings"].append(self._visit(shop_id, barber_id, state, place, today, began, None))
        if dice.random() < 0.1:
            for place in range(_VISITS):
                began = now - timedelta(days=1 + place)
                ended = began + timedelta(minutes=20 * math.exp(dice.gauss(0, 0.3)))
                rows["bookings"].append(self._visit(shop_id, barber_id, "completed", 100 + place, today, began, ended))

    def _visit(
        self,
        shop_id: str,
        barber_id: str,
        status: str,
        place: int,
        day: date,
        began: datetime | None,
        ended: datetime | None,
    ) -> tuple[Any, ...]:
        booking_id = f"bk_{shop_id.removeprefix('sh_')}_{barber_id[-1]}{place:019d}"
        rank = place if status == "waiting" else None
        return (
            booking_id, shop_id, "walk_in", "[]", 20, Decimal("250.00"), "INR", self._now, barber_id, status, day,
            place + 1, rank, self._now, began, ended, 1,
        )  # fmt: skip

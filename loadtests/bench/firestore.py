"""Exports of Firestore, made up: collections as JSON lines in a directory."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

Json = dict[str, Any]
BEGINNING = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
SERVICES = (("Haircut", 250, 25), ("Beard trim", 120, 15), ("Shave", 90, 10))


def write(directory: Path, **collections: Iterable[Json | bytes]) -> Path:
    """Documents, or lines as they are."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, documents in collections.items():
        with (directory / f"{name}.jsonl").open("wb") as file:
            for each in documents:
                file.write((each if isinstance(each, bytes) else orjson.dumps(each)) + b"\n")
    return directory


def stamp(moment: datetime) -> Json:
    """As Firestore's Admin SDK writes a time."""
    return {"_seconds": int(moment.timestamp()), "_nanoseconds": moment.microsecond * 1000}


@dataclass(slots=True)
class Town:
    """An export that adds up, of so many users, barbers and bookings; the same for the same seed."""

    users: int = 20
    barbers: int = 3
    bookings: int = 100
    seed: int = 1
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def write(self, directory: Path) -> Path:
        return write(directory, users=self.people(), barbers=self.staff(), bookings=self.visits())

    def people(self) -> Iterator[Json]:
        for number in range(self.users):
            yield {
                "id": f"customer{number}",
                "name": f"Customer {number}",
                "phone": f"98{number:08d}",
                "email": f"customer{number}@example.com",
                "userType": "customer",
                "profileImage": None,
                "address": "1 Road",
                "fcmToken": "abc",
            }
        for number in range(self.barbers):
            yield {
                "id": f"user{number}",
                "name": f"Barber {number}",
                "phone": f"+9197{number:08d}",
                "userType": "barber",
            }

    def staff(self) -> Iterator[Json]:
        for number in range(self.barbers):
            yield {
                "id": f"barber{number}",
                "userId": f"user{number}",
                "name": f"Barber {number}",
                "services": [{"name": name, "price": price, "duration": minutes} for name, price, minutes in SERVICES],
                "currentToken": 4,
                "queueLength": 0,
                "availableSlots": [],
            }

    def visits(self) -> Iterator[Json]:
        for number in range(self.bookings):
            yield self.visit(number)

    def visit(self, number: int) -> Json:
        dice = self._dice
        at = BEGINNING + timedelta(minutes=11 * number)
        name, price, minutes = dice.choice(SERVICES)
        booking: Json = {
            "bookingId": f"booking{number}",
            "customerId": f"customer{dice.randrange(self.users)}",
            "barberId": f"barber{dice.randrange(self.barbers)}",
            "tokenNumber": 1 + number % 40,
            "services": [{"name": name, "price": price, "duration": minutes}],
            "totalPrice": price,
            "status": dice.choices(("completed", "cancelled", "no-show"), (8, 1, 1))[0],
            "bookingTime": stamp(at),
            "estimatedWaitTime": 15,
            "metadata": {"createdAt": stamp(at)},
        }
        if booking["status"] == "completed":
            took = dice.randrange(5, 30)
            booking |= {
                "paymentMethod": dice.choice(("cash", "card", "upi")),
                "paymentStatus": dice.choice(("paid", "paid", "pending")),
                "actualServiceTime": took,
                "completionTime": stamp(at + timedelta(minutes=took + dice.randrange(30))),
                "rating": dice.randrange(6),
            }
        if booking["status"] == "cancelled":
            booking |= {"cancellationReason": "ill", "cancelledBy": booking["customerId"]}
        return booking

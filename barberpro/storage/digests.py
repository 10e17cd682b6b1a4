"""What stands for many bookings: their number, and the sum of their hashes."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson

Json = dict[str, Any]
LastState = tuple[Json, int]
"""A booking as its last event gave it, and that event's shopSeq; 0 when it was imported."""

DIGEST_BITS: Final = 128


@dataclass(slots=True)
class Digest:
    """Of bookings in any order: how many, and the sum of their hashes. Two of them are equal when the bookings are."""

    count: int = 0
    total: int = 0

    def add(self, last: LastState) -> None:
        text = orjson.dumps(last, option=orjson.OPT_SORT_KEYS)
        number = int.from_bytes(blake2b(text, digest_size=DIGEST_BITS // 8).digest())
        self.count, self.total = self.count + 1, (self.total + number) % 2**DIGEST_BITS

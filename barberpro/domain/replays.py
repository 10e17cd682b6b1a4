"""Requests that come again with the same Idempotency-Key: they are answered as before, when they say the same."""

import hashlib

import orjson

from barberpro.protocol.actors import Actor
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError


def digest_of(actor: Actor, *content: object) -> str:
    """Of what is asked for, and by whom."""
    told = [actor.id, actor.role.value, *content]
    return hashlib.blake2b(orjson.dumps(told), digest_size=16).hexdigest()


def need_same(before: str | None, now: str | None) -> None:
    """Raises IDEMPOTENCY_MISMATCH unless both are of the same request."""
    if before != now:
        raise BarberProError(ErrorCode.IDEMPOTENCY_MISMATCH)

"""The Lua library, one transition a file, and what its functions answer.

The scripts are one function library in Redis: its shared part is built once, not with each call. Its name has a hash
of the deployment's prefix and of its text, so deployments and versions that share a Redis do not meet.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Final, Literal

import orjson

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

_PARTS: Final = (
    "prelude", "join", "schedule", "reschedule", "check_in", "start", "complete", "advance", "skip", "no_show",
    "recall", "step_back", "move", "transfer", "cancel", "open", "pause", "close",
    "expire_grace", "expire_day", "expire_appointment", "verify", "rebuild",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Library:
    """name: of the library in Redis. code: its whole text."""

    name: str
    code: str

    def function(self, name: str) -> str:
        """The name in Redis of a transition, or of another of the library's functions."""
        return f"{self.name}_{name}"


def load_library(prefix: str) -> Library:
    """The library of a deployment, from the files in `lua/`."""
    folder = files("barberpro.queue") / "lua"
    body = "\n".join((folder / f"{part}.lua").read_text() for part in _PARTS)
    name = f"bp_{hashlib.sha256(f'{prefix} {body}'.encode()).hexdigest()[:16]}"
    return Library(name, f"#!lua name={name}\nlocal LIBRARY = '{name}'\n{body}")


@dataclass(slots=True)
class Event:
    """One event as the script wrote it.

    raw: its JSON. born: what its booking was born with (JSON), or None. stream_id: where it waits in Redis.
    link: no other event has it. previous: the link of the event it was made upon ('' for the shop's first).
    through: the shopSeq of the last event that must be committed together with it; its own, as a rule.
    """

    shop_id: str
    shop_seq: int
    epoch: int
    raw: bytes
    born: bytes | None
    link: str
    previous: str
    through: int
    stream_id: bytes | None = None
    _data: dict[str, Any] | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The event, decoded on first use."""
        if self._data is None:
            self._data = orjson.loads(self.raw)
        return self._data

    @property
    def born_data(self) -> dict[str, Any] | None:
        """What its booking was born with, decoded; None when it has none."""
        return orjson.loads(self.born) if self.born else None


Status = Literal["ok", "replayed", "refused", "cold", "unverified"]


class Reply:
    """What a script answered."""

    __slots__ = ("__dict__", "_refusal", "epoch", "events", "link", "rests_on", "status")

    def __init__(self, shop_id: str, raw: Sequence[Any]) -> None:
        self.status: Status = raw[0].decode()
        self.events: list[Event] = []
        if self.status in {"cold", "unverified"}:
            return
        self.epoch: int = raw[1]
        self.rests_on: int = raw[2]
        """The answer may be given when Postgres has the shop's events up to here."""
        self.link: str = raw[3].decode()
        """Of the event that the answer rests on."""
        self._refusal: bytes = raw[4]
        for at in range(5, len(raw), 7):
            stream_id, shop_seq, event, born, link, previous, through = raw[at : at + 7]
            self.events.append(
                Event(
                    shop_id=shop_id,
                    shop_seq=shop_seq,
                    epoch=self.epoch,
                    raw=event,
                    born=born or None,
                    link=link.decode(),
                    previous=previous.decode(),
                    through=through,
                    stream_id=stream_id,
                )
            )

    @cached_property
    def refusal(self) -> BarberProError:
        """The typed error of a `refused` reply."""
        refusal = orjson.loads(self._refusal)
        return BarberProError(ErrorCode(refusal["code"]), details=refusal.get("details") or None)

    @property
    def overloaded(self) -> bool:
        """Whether the script would not even look: too much waits for Postgres. Such an answer rests on nothing."""
        return self.status == "refused" and self.refusal.code is ErrorCode.PERSISTENCE_UNAVAILABLE

    @property
    def judges_present(self) -> bool:
        """Whether the answer was made from the shop's present state (and not from an older answer)."""
        return self.status == "ok" or (
            self.status == "refused" and self.refusal.code is not ErrorCode.IDEMPOTENCY_MISMATCH
        )

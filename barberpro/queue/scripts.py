"""The Lua library, one transition a file, and what its functions answer.

The scripts are one function library in Redis: its shared part is built once, not with each call. Its name has a hash
of the deployment's prefix and of its text, so deployments and versions that share a Redis do not meet.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Final, Literal, get_args

import orjson

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

Json = dict[str, Any]

_PARTS: Final = (
    "prelude", "shop", "line", "events", "run",
    "join", "schedule", "reschedule", "check_in", "start", "complete", "advance", "skip", "no_show",
    "recall", "step_back", "move", "transfer", "cancel", "open", "pause", "close",
    "expire_grace", "expire_day", "expire_appointment", "note_calendar", "verify", "rebuild",
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


_HEAD: Final = re.compile(
    rb'{"shopId":"([^"]+)","shopSeq":(\d+),"barberId":"[^"]+","seq":\d+,"epoch":(\d+),'
    rb'"link":"([^"]+)","upon":"([^"]*)",(?:"through":(\d+),)?"type":'
)
"""How every event begins (lua/events.lua): what its way into Postgres needs of it."""


class Event:
    """One event as the script wrote it.

    raw: its JSON. born: what its booking was born with (JSON), or None. stream_id: where it waits in Redis.
    link: no other event has it. upon: the link of the event it was made upon ('' for the shop's first).
    through: the shopSeq of the last event that must be committed together with it; its own, as a rule.
    """

    __slots__ = ("_data", "born", "epoch", "link", "raw", "shop_id", "shop_seq", "stream_id", "through", "upon")

    def __init__(self, stream_id: bytes, raw: bytes, born: bytes) -> None:
        """born: empty when it has none. Raises ValueError for what is no event."""
        head = _HEAD.match(raw)
        if head is None:
            raise ValueError(f"no event: {raw[:200]!r}")
        shop_id, shop_seq, epoch, link, upon, through = head.groups()
        self.stream_id = stream_id
        self.raw = raw
        self.born = born or None
        self.shop_id = shop_id.decode()
        self.shop_seq = int(shop_seq)
        self.epoch = int(epoch)
        self.link = link.decode()
        self.upon = upon.decode()
        self.through = int(through) if through else self.shop_seq
        self._data: Json | None = None

    @property
    def data(self) -> Json:
        """All of it, decoded; changed by nobody. Not kept: hundreds wait for Postgres at a time, and so many objects
        that are kept so long are dear to let go.
        """
        data, self._data = self._data if self._data is not None else orjson.loads(self.raw), None
        return data

    @property
    def told(self) -> "Told":
        """What whoever follows the shop needs of it. Kept for `data`, of which the command's answer is made next."""
        self._data = self.data
        return self._data, orjson.loads(self.born) if self.born else None


Told = tuple[Json, Json | None]
"""A committed event, decoded, and what its booking was born with, if it was born with it."""

Status = Literal["ok", "replayed", "refused", "cold", "unverified"]
_STATUS: Final[dict[bytes, Status]] = {status.encode(): status for status in get_args(Status)}
_NOTHING_DONE: Final = (b"cold", b"unverified")


class Reply:
    """What a script answered to a command."""

    __slots__ = ("__dict__", "_refusal", "epoch", "events", "link", "rests_on", "status")

    def __init__(self, epoch: int, status: bytes, rests_on: int, link: bytes, refusal: bytes, *events: bytes) -> None:
        self.epoch = epoch
        self.status: Status = _STATUS[status]
        self.rests_on = rests_on
        """The answer may be given when Postgres has the shop's events up to here."""
        self.link = link.decode()
        """Of the event that the answer rests on."""
        self._refusal = refusal
        self.events = [Event(*events[at : at + 3]) for at in range(0, len(events), 3)]

    @classmethod
    def of(cls, raw: Sequence[Any], count: int) -> "list[Reply]":
        """What `run` answered to `count` commands."""
        if raw[0] in _NOTHING_DONE:
            return [cls(0, raw[0], 0, b"", b"") for _ in range(count)]
        return [cls(raw[0], *reply) for reply in raw[1:]]

    @cached_property
    def _refused(self) -> Json:
        """Of a `refused` reply, {code, details?}."""
        refused: Json = orjson.loads(self._refusal)
        return refused

    @property
    def refusal(self) -> BarberProError:
        """The typed error of a `refused` reply. A new one each time: kept here, it and its traceback's frames, which
        have the reply, would hold each other until the collector comes.
        """
        return BarberProError(ErrorCode(self._refused["code"]), details=self._refused.get("details") or None)

    @property
    def overloaded(self) -> bool:
        """Whether the script would not even look: too much waits for Postgres. Such an answer rests on nothing."""
        return self.status == "refused" and self._refused["code"] == ErrorCode.PERSISTENCE_UNAVAILABLE

    @property
    def judges_present(self) -> bool:
        """Whether it says how far the shop is in this Redis now: all but the repetition of a result."""
        return self.status == "ok" or (
            self.status == "refused" and self._refused["code"] != ErrorCode.IDEMPOTENCY_MISMATCH
        )

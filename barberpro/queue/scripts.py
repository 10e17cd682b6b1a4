"""The Lua scripts, one transition a file, and what they answer.

A script's text begins with the deployment's prefix, so each deployment has hashes of its own. That matters
because an unknown hash (NOSCRIPT) is how a node notices a Redis that was restarted or replaced: script caches
do not survive either. Scripts are loaded only after the memory was compared with Postgres (recovery.py).
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

TRANSITIONS: Final = (
    "join", "schedule", "reschedule", "check_in", "start", "complete", "advance", "skip", "no_show", "recall",
    "step_back", "move", "transfer", "cancel", "open", "pause", "close",
    "expire_grace", "expire_day", "expire_appointment",
)  # fmt: skip
REBUILD: Final = "rebuild"


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    source: str
    sha: bytes


def load_scripts(prefix: str) -> dict[str, Script]:
    """All scripts by name; `prefix` is the deployment's (see above)."""
    folder = files("barberpro.queue") / "lua"
    prelude = (folder / "prelude.lua").read_text()
    scripts = {}
    for name in (*TRANSITIONS, REBUILD):
        body = (folder / f"{name}.lua").read_text()
        shared = "" if name == REBUILD else prelude
        source = f"#!lua\n-- deployment: {prefix}\n{shared}\n{body}"
        # Redis names scripts by SHA-1; nothing is secured by it.
        sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest().encode()
        scripts[name] = Script(name, source, sha)
    return scripts


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


Status = Literal["ok", "replayed", "refused", "cold"]


class Reply:
    """What a script answered."""

    __slots__ = ("__dict__", "epoch", "events", "link", "payload", "rests_on", "status")

    def __init__(self, shop_id: str, raw: Sequence[Any]) -> None:
        self.status: Status = raw[0].decode()
        self.events: list[Event] = []
        if self.status == "cold":
            return
        self.epoch: int = raw[1]
        self.rests_on: int = raw[2]
        """The answer may be given when Postgres has the shop's events up to here."""
        self.link: str = raw[3].decode()
        """Of the event that the answer rests on."""
        self.payload: bytes = raw[4]
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
        refusal = orjson.loads(self.payload)
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

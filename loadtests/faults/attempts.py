"""What was sent and what came back, as the history tells it, and between which events an answer can lie."""

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from loadtests.faults.finding import clock
from loadtests.faults.history import Json
from loadtests.faults.replay import Replay

SLACK: Final = 0.002
"""Seconds by which two processes may differ about the time."""
TEMPORARY: Final = frozenset({"PERSISTENCE_UNAVAILABLE", "RATE_LIMIT_EXCEEDED", "SHUTTING_DOWN"})
"""Codes that say nothing of the shop, only that it should be tried again."""


@dataclass(slots=True)
class Attempt:
    """A call and its answer.

    low: the greatest shopSeq of the shop that an answer had told of when it was sent.
    command, details: kept of what was refused only, and of what is not answered yet.
    """

    call: int
    at: float
    shop: str
    command_id: str
    type: str
    door: str
    role: str
    user: str
    low: int
    command: Json | None
    answered: float | None = None
    outcome: str = "unanswered"
    code: str | None = None
    details: Json | None = None

    @property
    def unknown(self) -> bool:
        """Whether it may have happened, or happen still."""
        return self.outcome in {"unknown", "unanswered"}

    @property
    def final(self) -> bool:
        """Whether it was refused for what the shop was like then."""
        return self.outcome == "refused" and self.code not in TEMPORARY

    def __str__(self) -> str:
        times = f"sent {clock(self.at)}, answered {clock(self.answered)}"
        return f"call {self.call} of {self.user}: {self.type} {self.command_id} in {self.shop}, {times}"


class Attempts:
    """Pairs answers with calls, line by line, in the order of the history."""

    def __init__(self, shops: dict[str, Replay]) -> None:
        self._shops = shops
        self._under_way: dict[int, Attempt] = {}
        self._told: defaultdict[str, int] = defaultdict(int)
        self.by_command: defaultdict[tuple[str, str], list[Attempt]] = defaultdict(list)
        """By shop and commandId, in the order in which they were sent."""

    def called(self, line: Json) -> Attempt:
        command, shop = line["command"], line["shop"]
        what = (shop, command["commandId"], command["type"], line["door"], line["role"], line["user"])
        attempt = Attempt(line["call"], line["at"], *what, self._told[shop], command)
        self._under_way[attempt.call] = attempt
        self.by_command[shop, attempt.command_id].append(attempt)
        return attempt

    def answered(self, line: Json) -> Attempt | None:
        """None for an answer to nothing that was sent, or a second one."""
        attempt = self._under_way.pop(line["call"], None)
        if attempt is None:
            return None
        attempt.answered, attempt.outcome, attempt.code = line["at"], line["outcome"], line.get("code")
        if attempt.code == "PERSISTENCE_UNAVAILABLE":
            attempt.outcome = "unknown"
        if attempt.outcome == "refused":
            attempt.details = line.get("details") or {}
        else:
            attempt.command = None
        replay = self._shops.get(attempt.shop)
        event = replay.concluding(attempt.command_id) if replay is not None else None
        if attempt.outcome == "ok" and event is not None:
            self._told[attempt.shop] = max(self._told[attempt.shop], event.shop_seq)
        return attempt

    def earliest(self, replay: Replay) -> list[float]:
        """From when on each of the shop's events can have happened: its commit, or else when it was first asked for.

        Events happen in the order of shopSeq, so none before one that came to be later. What is in no history (a
        timer's, the preparations') can have happened at any time.
        """
        return list(accumulate((self._earliest(replay, seq) for seq in range(1, replay.last + 1)), max))

    def _earliest(self, replay: Replay, shop_seq: int) -> float:
        event = replay.happened.get(shop_seq)
        if event is None or event.committed is not None:
            return event.committed if event is not None and event.committed is not None else -math.inf
        attempts = self.by_command.get((replay.shop_id, event.command)) if event.command is not None else None
        return attempts[0].at if attempts else -math.inf


def highest(earliest: list[float], at: float) -> int:
    """The last event that can have happened at that time."""
    return bisect_right(earliest, at + SLACK)

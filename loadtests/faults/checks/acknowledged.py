"""What was answered with ok is in Postgres, once, with just that result, and was so when it was answered.

All ok answers of one command are equal because each equals what the command's one event says.
"""

from collections.abc import Container, Iterator

from loadtests.faults.attempts import SLACK, Attempt
from loadtests.faults.finding import Finding, clock
from loadtests.faults.history import Json
from loadtests.faults.replay import Happened, Replay

NAME = "acknowledged"


class Acknowledged:
    def __init__(self) -> None:
        self._first: set[tuple[str, str]] = set()

    def look(self, attempt: Attempt, replayed: bool, data: Json, replay: Replay | None) -> Iterator[Finding]:
        """attempt: answered with ok."""
        for told in self._problems(attempt, replayed, data, replay):
            yield Finding(NAME, f"{attempt}: {told}")

    def _problems(self, attempt: Attempt, replayed: bool, data: Json, replay: Replay | None) -> Iterator[str]:
        key = (attempt.shop, attempt.command_id)
        if not replayed and key in self._first:
            yield "answered twice as if for the first time"
        if not replayed:
            self._first.add(key)
        event = replay.concluding(attempt.command_id) if replay is not None else None
        if event is None:
            yield f"answered ok with {data}, and is in no event"
            return
        if event.type != attempt.type:
            yield f"answered ok, and event {event.shop_seq} is a {event.type}"
        if not replayed and event.committed is not None and event.committed < attempt.at - SLACK:
            yield f"answered as if for the first time, and event {event.shop_seq} had been committed before"
        if data != (expected := _result(event)):
            yield f"answered {data}, and event {event.shop_seq} says {expected}"
        if event.committed is not None and attempt.answered is not None and attempt.answered < event.committed - SLACK:
            yield f"answered before event {event.shop_seq} was committed at {clock(event.committed)}"


def unasked(replay: Replay, asked: Container[tuple[str, str]]) -> Iterator[Finding]:
    """Events that nobody asked for. asked: by shop and command id."""
    for command_id, shop_seq in replay.commands.items():
        if not command_id.startswith("timer-") and (replay.shop_id, command_id) not in asked:
            yield Finding(NAME, f"event {shop_seq} of {replay.shop_id} is of {command_id}, which nobody has sent")


def _result(event: Happened) -> Json:
    """docs/protocol.md: where the queue stands after the command, and the booking if it was about one."""
    queue = {"barberId": event.barber, "epoch": event.epoch, "seq": event.seq}
    if event.told is None:
        return {"queue": queue}
    position = event.told["position"]
    ahead = None if position is None else max(position - 1, 0)
    return {"booking": {**event.told, "aheadCount": ahead}, "queue": queue}

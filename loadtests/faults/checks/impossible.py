"""Whether an INVALID_TRANSITION was one, at a moment from the shop's event `low` to `high`."""

from collections.abc import Callable
from typing import Final

from loadtests.faults.history import Json
from loadtests.faults.replay import Happened, Life, Replay

_FROM: Final = {
    "check_in": {"scheduled"},
    "reschedule": {"scheduled"},
    "start": {"next"},
    "complete": {"serving"},
    "skip": {"next", "waiting"},
    "no_show": {"next"},
    "recall": {"skipped"},
    "step_back": {"next", "waiting"},
    "move": {"waiting"},
    "transfer": {"next", "waiting"},
    "cancel": {"scheduled", "waiting", "next"},
}
"""The statuses from which a command about a booking is possible; staff may cancel who is served, too."""


def impossible(replay: Replay, low: int, high: int, command: Json, details: Json, staff: bool) -> bool | None:
    """details: of the error. None when they say nothing that could be judged."""
    if "bookingId" in details:
        life = replay.lives.get(details["bookingId"])
        return life is not None and _of_booking(replay, life, low, high, command, details, staff)
    if "barberId" not in details:
        return None
    rule = _OF_QUEUE.get(details.get("problem") or command["type"])
    if rule is None:
        return None
    moments = replay.between(details["barberId"], low, high)
    return any(rule(moment, command, details) and _said(moment, details) for moment in moments)


def _said(moment: Happened, details: Json) -> bool:
    return bool(details.get("status") in {None, moment.status})


_OF_QUEUE: Final[dict[str, Callable[[Happened, Json, Json], bool]]] = {
    "nobody_serving_nobody_next": lambda moment, _command, _details: not moment.serving and not moment.next,
    "nobody_serving": lambda moment, _command, _details: not moment.serving,
    "nobody_next": lambda moment, _command, _details: not moment.next,
    "chair_taken": lambda moment, _command, details: bool(
        moment.serving and details.get("servingBookingId") in {None, moment.serving}
    ),
    "open": lambda moment, _command, _details: moment.status == "open",
    "pause": lambda moment, _command, _details: moment.status != "open",
    "close": lambda moment, command, _details: (
        moment.status == "closed" and not (command["waiting"] == "cancel" and moment.length > 0)
    ),
}
"""By what the details call the problem, or by the command."""


def _of_booking(
    replay: Replay, life: Life, low: int, high: int, command: Json, details: Json, staff: bool
) -> bool | None:
    allowed = _FROM.get(command["type"])
    if allowed is None:
        return None
    if command["type"] == "cancel" and staff:
        allowed = allowed | {"serving"}
    for since, until, barber, status in life.between(low, high):
        if status != details.get("status", status):
            continue
        wrong = status not in allowed or (life.ended is not None and life.ended <= until)
        if wrong and details.keys().isdisjoint({"problem", "appointmentDay"}):
            return True
        if any(
            _in_its_queue(moment, life, status, command, details) for moment in replay.between(barber, since, until)
        ):
            return True
    return False


def _in_its_queue(moment: Happened, life: Life, status: str, command: Json, details: Json) -> bool:
    """Why it is impossible from a status that allows it."""
    stood = life.at(moment.shop_seq)
    problem = details.get("problem")
    if stood is None:
        return False
    if problem == "nobody_behind":
        place = moment.place_of(status, stood[2])
        return place is not None and place >= moment.length
    if problem == "same_queue":
        return bool(moment.barber == command["toBarberId"])
    if "appointmentDay" in details:
        return bool(details["appointmentDay"] != moment.day)
    return status == "skipped" and stood[3] != moment.day

"""What is compared of a room's state: short, and without what changes with time alone or differs by audience.

queue    day|status|serving|next|waiting|skipped|completed|cancelled  tokens; who waits in order, who is skipped sorted
booking  barber|token|status|position|servingToken
display  barber=status|serving|next|the first ten who wait|how many wait; of each barber, in the order of their ids

What is not there is left empty. The functions below `facts_of` make the same texts for whoever knows a state otherwise.
"""

from collections.abc import Iterable
from typing import Any, Final

from loadtests.faults.history import Json

DISPLAYED: Final = 10
"""How many of those who wait a display shows."""


def facts_of(state: Json) -> str:
    """state: of a queue, booking or display, as an update or the answer to `subscribe` carries it."""
    room: str = state["room"]
    if room.startswith("queue:"):
        return _of_queue(state)
    return _of_booking(state) if room.startswith("booking:") else _of_display(state)


def queue_facts(
    day: str,
    status: str,
    serving: int | None,
    next_one: int | None,
    waiting: Iterable[int],
    skipped: Iterable[int],
    completed: int,
    cancelled: int,
) -> str:
    """Those in the queue by their tokens; waiting: first to last."""
    line = ",".join(map(str, waiting))
    out = ",".join(map(str, sorted(skipped)))
    return f"{day}|{status}|{_text(serving)}|{_text(next_one)}|{line}|{out}|{completed}|{cancelled}"


def booking_facts(barber: str, token: int | None, status: str, position: int | None, serving: int | None) -> str:
    return f"{barber}|{_text(token)}|{status}|{_text(position)}|{_text(serving)}"


def displayed_facts(barber: str, status: str, serving: str, next_one: str, waiting: list[str], count: int) -> str:
    """One barber's part of a display; tokens as texts, '' for nobody."""
    return f"{barber}={status}|{serving}|{next_one}|{','.join(waiting[:DISPLAYED])}|{count}"


def display_facts(parts: Iterable[str]) -> str:
    """parts: of each barber."""
    return ";".join(sorted(parts))


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _token(entry: Any) -> int | None:  # noqa: ANN401 - any JSON
    return entry["tokenNumber"] if entry else None


def _of_queue(state: Json) -> str:
    counts = state["counts"]
    return queue_facts(
        state["businessDate"],
        state["status"],
        _token(state["serving"]),
        _token(state["next"]),
        [entry["tokenNumber"] for entry in state["waiting"]],
        [entry["tokenNumber"] for entry in state["skipped"]],
        counts["completed"],
        counts["cancelled"],
    )


def _of_booking(state: Json) -> str:
    return booking_facts(
        state["barberId"], state["tokenNumber"], state["status"], state["position"], state["servingToken"]
    )


def _of_display(state: Json) -> str:
    return display_facts(
        displayed_facts(
            queue["barberId"],
            queue["status"],
            _text(_token(queue["serving"])),
            _text(_token(queue["next"])),
            [str(entry["tokenNumber"]) for entry in queue["waiting"]],
            queue["waitingCount"],
        )
        for queue in state["queues"]
    )

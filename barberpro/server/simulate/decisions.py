"""What a barber does next, from what the console shows; no I/O."""

from dataclasses import dataclass
from enum import Enum, auto

from barberpro.server.simulate.scenario import MINUTE

GRACE = 4 * MINUTE
"""How long a barber waits for one who was called."""

_FAR_LONGER = 3
"""By how many a line must be longer before a barber sends somebody over."""


class Move(Enum):
    """What the barber decides; each is one command, but for WAIT and GO_HOME."""

    WAIT = auto()
    OPEN = auto()
    PAUSE = auto()
    CLOSE = auto()
    ADVANCE = auto()
    COMPLETE = auto()
    START = auto()
    SKIP = auto()
    NO_SHOW = auto()
    RECALL = auto()
    TRANSFER = auto()
    GO_HOME = auto()


@dataclass(frozen=True, slots=True)
class Called:
    """Who is next: whether they stand in the shop, how long they were waited for (seconds), their skips."""

    present: bool
    waited: float
    skips: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a barber sees and knows.

    status: of the queue. serving: whether somebody sits in the chair; done: and is finished.
    waiting: how many wait behind `called`. late: somebody skipped has turned up.
    shorter_by: how much shorter the shortest other open line is. closing: the shop's day is over.
    """

    status: str
    serving: bool = False
    done: bool = False
    called: Called | None = None
    waiting: int = 0
    late: bool = False
    shorter_by: int = 0
    on_break: bool = False
    closing: bool = False


def decide(seen: Seen) -> Move:
    """The one next thing to do; WAIT when there is none."""
    status = _status_move(seen)
    if status is not None:
        return status
    if seen.serving:
        return _chair_move(seen)
    if seen.on_break:
        return Move.WAIT
    if seen.late:
        return Move.RECALL
    if seen.called is not None:
        return _call_move(seen, seen.called)
    return Move.GO_HOME if seen.closing else Move.WAIT


def _status_move(seen: Seen) -> Move | None:
    if seen.closing:
        return Move.CLOSE if seen.status != "closed" else None
    if seen.on_break:
        return Move.PAUSE if seen.status == "open" else None
    # A queue that closed by itself, at the turn of the business day, is opened again.
    return Move.OPEN if seen.status != "open" else None


def _chair_move(seen: Seen) -> Move:
    if not seen.done:
        return Move.TRANSFER if seen.waiting and seen.shorter_by >= _FAR_LONGER else Move.WAIT
    ready = seen.called is not None and seen.called.present
    return Move.ADVANCE if ready and not seen.on_break and not seen.late else Move.COMPLETE


def _call_move(seen: Seen, called: Called) -> Move:
    if called.present:
        return Move.START
    if called.waited < GRACE:
        return Move.WAIT
    return Move.SKIP if called.skips == 0 and seen.waiting else Move.NO_SHOW

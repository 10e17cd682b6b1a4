"""Queues: looked at, and worked; and what came of it."""

from typing import Final

from barberpro.domain.policy import Action
from barberpro.handlers.rest import queue_events, queues, reports
from barberpro.handlers.rest.operations import V1, Operation, get, patch, post
from barberpro.handlers.rest.routes.refusals import COMMAND
from barberpro.protocol.bookings import (
    CancelBooking,
    CompleteVisit,
    EventsQuery,
    MissBooking,
    QueueEvent,
    RecallBooking,
    SkipBooking,
    StartVisit,
    Submitted,
)
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import CommandRequest
from barberpro.protocol.money import Earnings, PeriodQuery
from barberpro.protocol.reports import Stats
from barberpro.protocol.states import QueueUpdated

_QUEUE: Final = f"{V1}/queue"
_MISSING: Final = (ErrorCode.NOT_FOUND,)

ROUTES: Final[tuple[Operation, ...]] = (
    get(f"{_QUEUE}/my-queue", "get_my_queue", queues.mine, Action.SEE_OWN_QUEUE, tells=QueueUpdated, refuses=_MISSING),
    get(
        f"{_QUEUE}/earnings",
        "get_earnings",
        reports.earnings,
        Action.SEE_EARNINGS,
        query=PeriodQuery,
        tells=Earnings,
        refuses=_MISSING,
    ),
    get(
        f"{_QUEUE}/stats",
        "get_stats",
        reports.stats,
        Action.SEE_STATS,
        query=PeriodQuery,
        tells=Stats,
        refuses=_MISSING,
    ),
    post(
        f"{_QUEUE}/commands",
        "run_command",
        queues.run_command,
        *queues.COMMANDS,
        takes=CommandRequest,
        tells=Submitted,
        refuses=COMMAND,
        example={
            "commandId": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            "type": "advance",
            "barberId": "bb_4t8n1c6x0azd",
            "payment": {"method": "cash", "amount": "250.00"},
        },
    ),
    get(f"{_QUEUE}/{{barberId}}", "get_queue", queues.show, Action.SEE_QUEUE, tells=QueueUpdated),
    get(
        f"{_QUEUE}/{{barberId}}/events",
        "list_events",
        queue_events.list_events,
        Action.SEE_EVENTS,
        query=EventsQuery,
        tells=list[QueueEvent],
        refuses=(ErrorCode.NO_LONGER_KEPT,),
    ),
    patch(
        f"{_QUEUE}/{{bookingId}}/status",
        "set_booking_status",
        queues.set_status,
        *queues.STATUSES,
        takes=StartVisit | CompleteVisit | CancelBooking | MissBooking | RecallBooking,
        tells=Submitted,
        refuses=COMMAND,
        example={"status": "completed", "payment": {"method": "cash", "amount": "250.00", "tip": "20.00"}},
    ),
    patch(
        f"{_QUEUE}/{{bookingId}}/skip",
        "skip_booking",
        queues.skip,
        Action.SKIP,
        takes=SkipBooking,
        tells=Submitted,
        refuses=COMMAND,
        example={"reason": "not at the door"},
    ),
)

"""Bookings, and what customers say of them."""

from typing import Final

from barberpro.domain.policy import Action
from barberpro.handlers.rest import booking_lists, booking_reads, bookings, qr_codes, ratings, tickets
from barberpro.handlers.rest.operations import V1, Operation, get, patch, post, put
from barberpro.handlers.rest.routes.refusals import BOOKING
from barberpro.protocol.access import QrQuery, TakenOver, TakeOver
from barberpro.protocol.booking_lists import BookingsQuery, ListedBooking
from barberpro.protocol.bookings import (
    BookingTold,
    CancelBooking,
    CheckInBooking,
    HistoryMeta,
    JoinLine,
    NewAppointment,
    PlaceChange,
    Submitted,
    Ticket,
    When,
)
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.ratings import AnswerReview, ModerateReview, Rate, Rated, Review

_BOOKINGS: Final = f"{V1}/bookings"
_ONE: Final = f"{_BOOKINGS}/{{bookingId}}"

ROUTES: Final[tuple[Operation, ...]] = (
    post(
        _BOOKINGS,
        "create_booking",
        bookings.create,
        Action.JOIN,
        Action.SCHEDULE,
        takes=JoinLine | NewAppointment,
        tells=Submitted,
        statuses=(201, 200),
        refuses=BOOKING,
        example={"barberId": "bb_4t8n1c6x0azd", "serviceIds": ["sv_2h6v0j5b8ynm"], "notes": "short at the sides"},
    ),
    get(
        _BOOKINGS,
        "list_bookings",
        booking_lists.list_all,
        Action.LIST_BOOKINGS,
        query=BookingsQuery,
        tells=list[ListedBooking],
        refuses=(ErrorCode.NOT_FOUND,),
    ),
    get(_ONE, "get_booking", booking_reads.show, Action.SEE_BOOKING, tells=BookingTold),
    patch(
        _ONE,
        "change_booking",
        bookings.change,
        *bookings.CHANGES,
        takes=CancelBooking | CheckInBooking | When,
        tells=Submitted,
        refuses=BOOKING,
        example={"status": "cancelled", "reason": "I cannot come"},
    ),
    get(f"{_ONE}/token", "get_booking_token", booking_reads.token, Action.SEE_BOOKING, tells=Ticket),
    get(
        f"{_ONE}/history",
        "get_booking_history",
        booking_reads.history,
        Action.SEE_BOOKING,
        tells=list[PlaceChange],
        meta=HistoryMeta,
        refuses=(ErrorCode.NO_LONGER_KEPT,),
    ),
    get(
        f"{_ONE}/qr",
        "get_booking_qr",
        tickets.qr,
        Action.HAND_ON_TICKET,
        query=QrQuery,
        files=tuple(qr_codes.TYPES.values()),
    ),
    post(
        f"{_ONE}/ticket",
        "take_over_ticket",
        tickets.fetch,
        Action.FETCH_TICKET,
        takes=TakeOver,
        tells=TakenOver,
        example={"code": "k1.dGlja2V0IGJrXzdmM2sybTlxd2U"},
    ),
    post(
        f"{_ONE}/rate",
        "rate_booking",
        ratings.rate,
        Action.RATE,
        takes=Rate,
        tells=Rated,
        statuses=(201, 200),
        refuses=(ErrorCode.INVALID_TRANSITION, ErrorCode.IDEMPOTENCY_MISMATCH),
        example={"rating": 5, "review": "Quick and neat."},
    ),
    put(
        f"{V1}/reviews/{{reviewId}}/answer",
        "answer_review",
        ratings.answer,
        Action.ANSWER_REVIEW,
        takes=AnswerReview,
        tells=Review,
        example={"text": "Thank you."},
    ),
    patch(
        f"{V1}/admin/reviews/{{reviewId}}",
        "moderate_review",
        ratings.moderate,
        Action.MODERATE_REVIEW,
        takes=ModerateReview,
        tells=Review,
        example={"hidden": True, "reason": "names a customer"},
    ),
)

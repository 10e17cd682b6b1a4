"""Who may do what: one table for every door.

A caller stands in a relation to what they ask about (`relations.py` works it out), and each action lists the callers
that may do it, each in which relation. What the table does not list is refused: with NOT_FOUND where the caller may do
such things, only not with this one, and wherever something would only be looked at; else with FORBIDDEN.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, not_found


class _Word(StrEnum):
    """Part of the table, which every command looks into: Enum's own hash is Python, and takes ten times as long."""

    __hash__ = str.__hash__


class Caller(_Word):
    """A role, and two of guests: one with a ticket, and one who has no more than the code of a shop."""

    NOBODY = "nobody"
    """Without a token."""
    CUSTOMER = "customer"
    TICKET = "ticket"
    DOOR = "door"
    BARBER = "barber"
    ADMIN = "admin"
    DISPLAY = "display"
    KIOSK = "kiosk"
    SYSTEM = "system"


_CALLERS: Final = {role.value: Caller(role.value) for role in Role if role is not Role.GUEST}


def caller_of(actor: Actor | None) -> Caller:
    """None: somebody without a token."""
    if actor is None:
        return Caller.NOBODY
    if actor.role is Role.GUEST:
        return Caller.TICKET if actor.booking_id is not None else Caller.DOOR
    return _CALLERS[actor.role.value]


class Relation(_Word):
    """How an actor stands to a shop, a queue, a booking or a device."""

    OWNER = "owner"
    """The customer of a booking, the ticket made for it; the barber of a queue; the user of an account; who runs a
    shop."""
    MEMBER = "member"
    """Works in the shop, stands in it (a screen), or has come to its door (a guest). Admins do in every shop."""
    PUBLIC = "public"
    """None, but the shop shows it to everybody."""
    STRANGER = "stranger"


class Action(_Word):
    """Everything that somebody may ask for. Commands are named by their type."""

    SEE_SYSTEM = "system.see"
    SIGN_IN = "account.sign_in"
    SEE_ACCOUNT = "account.see"
    ADD_CONTACT = "account.add_contact"
    SIGN_OUT = "account.sign_out"
    DELETE_ACCOUNT = "account.delete"
    SEE_AUDIT = "audit.see"
    SEE_LETTERS = "letter.see"
    SEE_BLOCKS = "block.see"
    CHANGE_BLOCKS = "block.change"
    SEE_QUEUE = "queue.see"
    SEE_QUEUE_FULL = "queue.see_full"
    SEE_OWN_QUEUE = "queue.see_own"
    SEE_EVENTS = "queue.see_events"
    SEE_SLOTS = "slots.see"
    SEE_AVAILABILITY = "availability.see"
    CHANGE_AVAILABILITY = "availability.change"
    WATCH_QUEUE = "queue.watch"
    SEE_BOOKING = "booking.see"
    LIST_BOOKINGS = "booking.list"
    RATE = "booking.rate"
    FIND_BARBERS = "barber.find"
    ANSWER_REVIEW = "review.answer"
    MODERATE_REVIEW = "review.moderate"
    HAND_ON_TICKET = "ticket.hand_on"
    FETCH_TICKET = "ticket.fetch"
    SEE_DISPLAY = "display.see"
    SEE_QR = "shop.see_qr"
    SEE_JOIN_CODE = "join_code.see"
    CHANGE_JOIN_CODE = "join_code.change"
    SCAN = "join_code.scan"
    ASK_PAIRING = "device.ask"
    FETCH_DEVICE_TOKEN = "device.fetch_token"  # noqa: S105 - an action, not a secret
    PAIR_DEVICE = "device.pair"
    SEE_DEVICES = "device.see"
    REVOKE_DEVICE = "device.revoke"
    SEE_SHOP = "shop.see"
    CREATE_SHOP = "shop.create"
    CHANGE_SHOP = "shop.change"
    SEE_STAFF = "staff.see"
    CHANGE_STAFF = "staff.change"
    SEE_INVITATIONS = "invitation.see"
    SEE_OWN_INVITATIONS = "invitation.see_own"
    ACCEPT_INVITATION = "invitation.accept"
    SEE_MENU = "service.see"
    CHANGE_MENU = "service.change"
    CHANGE_OFFER = "offer.change"
    CHANGE_OWN_BARBER = "barber.change_own"
    SEE_OWN_FLAGS = "flag.see_own"
    SEE_FLAGS = "flag.see"
    CHANGE_FLAGS = "flag.change"
    SEE_USERS = "user.see"
    SEE_BARBERS = "barber.see_all"
    SEE_SHOPS = "shop.see_all"
    SEE_EARNINGS = "earnings.see"
    SEE_STATS = "stats.see"
    SEE_PAYMENTS = "payment.see"
    RECORD_PAYMENT = "payment.record"
    REFUND_PAYMENT = "payment.refund"
    CORRECT_PAYMENT = "payment.correct"
    SEE_ANALYTICS = "analytics.see"
    SEE_SHOP_ANALYTICS = "shop.see_analytics"
    SEARCH_BOOKINGS = "booking.search"
    SEARCH_PAYMENTS = "payment.search"
    EXPORT_REPORTS = "report.export"
    SEE_JOBS = "job.see"

    JOIN = "join"
    SCHEDULE = "schedule"
    RESCHEDULE = "reschedule"
    CHECK_IN = "check_in"
    STEP_BACK = "step_back"
    CANCEL = "cancel"
    START = "start"
    COMPLETE = "complete"
    ADVANCE = "advance"
    SKIP = "skip"
    NO_SHOW = "no_show"
    RECALL = "recall"
    MOVE = "move"
    TRANSFER = "transfer"
    OPEN = "open"
    PAUSE = "pause"
    CLOSE = "close"


Grants = frozenset[tuple[Caller, Relation]]


def _grants(callers: tuple[Caller, ...], *relations: Relation) -> Grants:
    return frozenset((caller, relation) for caller in callers for relation in relations or tuple(Relation))


EVERYBODY: Final = _grants(tuple(Caller))
CUSTOMERS: Final = _grants((Caller.CUSTOMER,))
GUESTS: Final = _grants((Caller.TICKET, Caller.DOOR))
HOLDERS: Final = _grants((Caller.CUSTOMER, Caller.TICKET), Relation.OWNER)
STAFF: Final = _grants((Caller.BARBER, Caller.ADMIN, Caller.SYSTEM), Relation.MEMBER)
SCREENS: Final = _grants((Caller.DISPLAY, Caller.KIOSK), Relation.MEMBER)
ACCOUNTS: Final = _grants((Caller.CUSTOMER, Caller.BARBER, Caller.ADMIN), Relation.OWNER)
ADMINS: Final = _grants((Caller.ADMIN,))
RUNNERS: Final = _grants((Caller.BARBER, Caller.ADMIN), Relation.OWNER)
AT_THE_DOOR: Final = _grants((Caller.DOOR, Caller.KIOSK), Relation.MEMBER)

TABLE: Final[Mapping[Action, Grants]] = {
    Action.SEE_SYSTEM: EVERYBODY,
    Action.SIGN_IN: EVERYBODY,
    Action.SEE_ACCOUNT: ACCOUNTS,
    Action.ADD_CONTACT: ACCOUNTS,
    Action.SIGN_OUT: ACCOUNTS,
    Action.DELETE_ACCOUNT: ACCOUNTS,
    Action.SEE_AUDIT: ADMINS,
    Action.SEE_LETTERS: ADMINS,
    Action.SEE_BLOCKS: ADMINS,
    Action.CHANGE_BLOCKS: ADMINS,
    Action.SEE_QUEUE: EVERYBODY,
    Action.SEE_QUEUE_FULL: STAFF,
    Action.SEE_OWN_QUEUE: _grants((Caller.BARBER,), Relation.OWNER),
    Action.SEE_EVENTS: STAFF,
    Action.SEE_SLOTS: EVERYBODY,
    Action.SEE_AVAILABILITY: _grants((Caller.BARBER,), Relation.OWNER),
    Action.CHANGE_AVAILABILITY: _grants((Caller.BARBER,), Relation.OWNER),
    Action.WATCH_QUEUE: CUSTOMERS | GUESTS | STAFF | SCREENS,
    Action.SEE_BOOKING: HOLDERS | STAFF,
    Action.LIST_BOOKINGS: HOLDERS | STAFF,
    Action.RATE: _grants((Caller.CUSTOMER,), Relation.OWNER),
    Action.FIND_BARBERS: EVERYBODY,
    Action.ANSWER_REVIEW: RUNNERS,
    Action.MODERATE_REVIEW: ADMINS,
    Action.HAND_ON_TICKET: HOLDERS | STAFF,
    Action.FETCH_TICKET: EVERYBODY,
    # Who has come to the door sees the screen that hangs behind it.
    Action.SEE_DISPLAY: STAFF | SCREENS | AT_THE_DOOR | _grants(tuple(Caller), Relation.PUBLIC),
    Action.SEE_QR: STAFF | SCREENS,
    Action.SEE_JOIN_CODE: STAFF,
    Action.CHANGE_JOIN_CODE: STAFF,
    Action.SCAN: EVERYBODY,
    Action.ASK_PAIRING: EVERYBODY,
    Action.FETCH_DEVICE_TOKEN: EVERYBODY,
    Action.PAIR_DEVICE: STAFF,
    Action.SEE_DEVICES: STAFF,
    Action.REVOKE_DEVICE: STAFF,
    Action.SEE_SHOP: EVERYBODY,
    Action.CREATE_SHOP: _grants((Caller.BARBER, Caller.ADMIN)),
    Action.CHANGE_SHOP: RUNNERS,
    Action.SEE_STAFF: STAFF,
    Action.CHANGE_STAFF: RUNNERS,
    Action.SEE_INVITATIONS: RUNNERS,
    Action.SEE_OWN_INVITATIONS: ACCOUNTS,
    Action.ACCEPT_INVITATION: _grants((Caller.CUSTOMER, Caller.BARBER), Relation.OWNER),
    Action.SEE_MENU: STAFF,
    Action.CHANGE_MENU: RUNNERS,
    Action.CHANGE_OFFER: RUNNERS,
    Action.CHANGE_OWN_BARBER: _grants((Caller.BARBER,), Relation.OWNER),
    Action.SEE_OWN_FLAGS: ACCOUNTS,
    Action.SEE_FLAGS: ADMINS,
    Action.CHANGE_FLAGS: ADMINS,
    Action.SEE_USERS: ADMINS,
    Action.SEE_BARBERS: ADMINS,
    Action.SEE_SHOPS: ADMINS,
    Action.SEE_EARNINGS: _grants((Caller.BARBER,), Relation.OWNER),
    Action.SEE_STATS: _grants((Caller.BARBER,), Relation.OWNER),
    Action.SEE_PAYMENTS: STAFF,
    Action.RECORD_PAYMENT: STAFF,
    Action.REFUND_PAYMENT: STAFF,
    Action.CORRECT_PAYMENT: STAFF,
    Action.SEE_ANALYTICS: ADMINS,
    Action.SEE_SHOP_ANALYTICS: RUNNERS,
    Action.SEARCH_BOOKINGS: ADMINS,
    Action.SEARCH_PAYMENTS: ADMINS,
    Action.EXPORT_REPORTS: ADMINS,
    Action.SEE_JOBS: ADMINS,
    Action.JOIN: CUSTOMERS | AT_THE_DOOR | STAFF,
    Action.SCHEDULE: CUSTOMERS | STAFF,
    Action.RESCHEDULE: _grants((Caller.CUSTOMER,), Relation.OWNER) | STAFF,
    Action.CHECK_IN: HOLDERS | STAFF,
    Action.STEP_BACK: HOLDERS | STAFF,
    Action.CANCEL: HOLDERS | STAFF,
    Action.START: STAFF,
    Action.COMPLETE: STAFF,
    Action.ADVANCE: STAFF,
    Action.SKIP: STAFF,
    Action.NO_SHOW: STAFF,
    Action.RECALL: STAFF,
    Action.MOVE: STAFF,
    Action.TRANSFER: STAFF,
    Action.OPEN: STAFF,
    Action.PAUSE: STAFF,
    Action.CLOSE: STAFF,
}

_SEEN: Final = frozenset(
    {
        Action.SEE_QUEUE,
        Action.SEE_QUEUE_FULL,
        Action.SEE_EVENTS,
        Action.WATCH_QUEUE,
        Action.SEE_BOOKING,
        Action.HAND_ON_TICKET,
        Action.SEE_DISPLAY,
        Action.SEE_QR,
        Action.SEE_JOIN_CODE,
        Action.SEE_DEVICES,
        Action.SEE_STAFF,
        Action.SEE_INVITATIONS,
        Action.SEE_MENU,
    }
)
"""What one only looks at: to whomever may not see it, it does not exist."""
_EVER: Final = {action: frozenset(caller for caller, _ in grants) for action, grants in TABLE.items()}


def callers_of(*actions: Action) -> dict[Caller, frozenset[Relation]]:
    """Who may do any of them, and how they have to stand to what it is about."""
    grants = [grant for action in actions for grant in TABLE[action]]
    return {
        caller: frozenset(relation for each, relation in grants if each is caller)
        for caller in Caller
        if any(each is caller for each, _ in grants)
    }


def refusals_of(*actions: Action) -> frozenset[ErrorCode]:
    """The codes with which `require` may refuse one of them."""
    callers = callers_of(*actions)
    codes = set()
    if Caller.NOBODY not in callers:
        codes.add(ErrorCode.UNAUTHORIZED)
    if len(callers) < len(Caller) and not _SEEN.issuperset(actions):
        codes.add(ErrorCode.FORBIDDEN)
    if any(len(relations) < len(Relation) for relations in callers.values()) or _SEEN.issuperset(actions):
        codes.add(ErrorCode.NOT_FOUND)
    return frozenset(codes)


def permissions_of(actor: Actor) -> list[str]:
    """What the caller may do that nobody may without a token, to whatever it is theirs to do it to.

    For apps, which show and hide things by it; the server looks into the table.
    """
    caller = caller_of(actor)
    return [action.value for action, callers in _EVER.items() if caller in callers and Caller.NOBODY not in callers]


def allowed(actor: Actor | None, action: Action, relation: Relation) -> bool:
    """Whether the actor (None: somebody without a token), standing so to it, may do it."""
    return (caller_of(actor), relation) in TABLE[action]


def require(actor: Actor | None, action: Action, relation: Relation, resource: str) -> None:
    """Raises UNAUTHORIZED, FORBIDDEN, or NOT_FOUND of the resource, unless `allowed`."""
    if not allowed(actor, action, relation):
        require_ever(actor, action)
        raise not_found(resource)


def require_ever(actor: Actor | None, *actions: Action) -> None:
    """Before anything is looked up: whether the caller may do any of the actions at all.

    Raises UNAUTHORIZED for somebody without a token, and FORBIDDEN; of what is only looked at nothing is told here.
    """
    caller = caller_of(actor)
    for action in actions:
        if caller in _EVER[action]:
            return
    if actor is None:
        raise BarberProError(ErrorCode.UNAUTHORIZED)
    if not _SEEN.issuperset(actions):
        raise BarberProError(ErrorCode.FORBIDDEN, details={"role": actor.role.value})

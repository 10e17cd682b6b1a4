"""What a client may ask on a live connection, the same on every door."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final, TypeVar

import structlog
from pydantic import ValidationError

from barberpro.handlers.metrics import LIVE_REFUSALS, RESUMES
from barberpro.handlers.realtime.connections import Connections
from barberpro.handlers.realtime.rooms import RoomView, Seat, prepare
from barberpro.handlers.realtime.session import Session
from barberpro.handlers.services import Services
from barberpro.handlers.submission import submit
from barberpro.protocol.actors import Via
from barberpro.protocol.answers import AuthenticateAck, CommandAck, Refused, Subscribed
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Wire, parse_command
from barberpro.protocol.errors import BarberProError, bad_request, refused
from barberpro.protocol.ids import new_request_id
from barberpro.protocol.requests import Authenticate, Since
from barberpro.protocol.states import RoomState
from barberpro.storage.postgres import Away

log = structlog.get_logger(__name__)

_Model = TypeVar("_Model", bound=Wire)
_Answer = TypeVar("_Answer")
_REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id")


def parse(model: type[_Model], document: object, *, strict: bool = True) -> _Model:
    """Raises BAD_REQUEST, naming the fields. strict: False lets numbers come as texts, as they do in a URL."""
    try:
        return model.model_validate(document, strict=strict)
    except ValidationError as error:
        raise bad_request(error) from None


async def catch_up(services: Services, seat: Seat, since: Since | None) -> None:
    """Before the seat is taken: brings this node to where a client says that it is, if that is ahead of it.

    Raises PERSISTENCE_UNAVAILABLE while Postgres cannot tell: the client would be shown what is older than it has.
    """
    if since is None:
        return
    view = await prepare(services, seat)
    if (since.epoch, since.seq) > _version(view.state(services)):
        # News that another server was faster with, or what never was: Postgres knows.
        try:
            await services.views.refresh(seat.shop_id)
        except Away as error:
            raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE) from error


def subscribed(services: Services, view: RoomView, since: Since | None) -> Subscribed:
    """What a subscription begins with. It awaits nothing: right after the seat was taken, no state comes before it."""
    state = view.state(services)
    has = (since.epoch, since.seq) if since is not None else None
    up_to_date = has == _version(state)
    if since is not None:
        RESUMES["up_to_date" if up_to_date else "state",] += 1
    return {
        "room": state["room"],
        "epoch": state["epoch"],
        "seq": state["seq"],
        "upToDate": up_to_date,
        "state": None if up_to_date else state,
    }


def _version(state: RoomState) -> tuple[int, int]:
    return state["epoch"], state["seq"]


async def run_command(services: Services, session: Session, document: object) -> CommandAck:
    """Raises BarberProError, and what the stores raise while they are away."""
    session.commands.take()
    via = Via(_REQUEST_ID.get(), session.ip, session.agent)
    result = await submit(services, session.actor, parse_command(document), via)
    return {"ok": True, "replayed": result.replayed, "data": result.data}


async def answer(
    connections: Connections,
    request: Callable[..., Awaitable[_Answer]],
    *arguments: Any,  # noqa: ANN401 - the request's own
) -> _Answer | Refused:
    """What the request, called with the arguments, gives; a refusal, whatever goes wrong.

    In a task of its own: from here to its end, what it does and logs has this request's id.
    """
    request_id = new_request_id()
    _REQUEST_ID.set(request_id)
    structlog.contextvars.bind_contextvars(request_id=request_id)
    try:
        connections.begin()
        try:
            return await request(*arguments)
        finally:
            connections.done()
    except Exception as problem:
        return _refused(problem)


def _refused(problem: Exception) -> Refused:
    """Apart from `answer`: a name there for the error would hold what its traceback holds, and that the error."""
    refusal = refusal_of(problem)
    LIVE_REFUSALS[refusal.code.value,] += 1
    return refused(refusal)


def authenticate(services: Services, session: Session, document: object) -> AuthenticateAck:
    """Goes on with a new token of the same user.

    Raises BAD_REQUEST, UNAUTHORIZED, TOKEN_EXPIRED, and FORBIDDEN for somebody else's.
    """
    identity = services.tokens.verify(parse(Authenticate, document).token)
    # The seats were given for what the actor may: the same rights, or a new connection.
    if replace(identity.actor, name=None) != replace(session.actor, name=None):
        raise BarberProError(ErrorCode.FORBIDDEN, "A live connection cannot become somebody else's.")
    session.renew(identity)
    return {"ok": True, "expiresAt": session.expires_at()}


def refusal_of(problem: Exception) -> BarberProError:
    """What the client may know of it."""
    if isinstance(problem, BarberProError):
        return problem
    if isinstance(problem, Away):
        return BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE)
    log.error("request_failed", exc_info=problem)
    return BarberProError(ErrorCode.INTERNAL_ERROR)

"""What a caller of the client may have to catch, beside BarberProError."""

from collections.abc import Mapping
from typing import Any

from barberpro.protocol.codes import TEMPORARY, ErrorCode
from barberpro.protocol.errors import BarberProError


class CommandUnresolved(Exception):
    """The deadline passed without an answer: the command may or may not have taken effect.

    Repeating it with the same id is safe and tells which: `await client.repeat(error)`.
    """

    def __init__(self, document: dict[str, Any], attempts: int, cause: BaseException | None) -> None:
        """`document`: the command as it was sent. `cause`: what the last attempt ended with."""
        self.document = document
        self.command_id: str = document["commandId"]
        self.attempts = attempts
        self.cause = cause
        super().__init__(f"{document['type']} {self.command_id}: no answer after {attempts} attempts ({cause!r})")


class ServerUnreachable(Exception):
    """No connection, or no answer to a read, before the deadline."""


class ClientClosed(Exception):
    """The client was closed before, or while, it was asked."""


class ConnectionLost(Exception):
    """One connection ended, or one answer did not come in time. The client deals with it itself."""


def error_from_wire(document: object, retry_after: float | None = None) -> BarberProError:
    """The error that `{code, message, temporary, details}` tells.

    A code that this client does not know (the server is newer) becomes a known one that is repeated or not as
    the server said; details.code keeps the word. `retry_after`: seconds that the server asked to wait.
    """
    error = document if isinstance(document, Mapping) else {}
    message = str(error.get("message") or "") or None
    given = error.get("details")
    details = dict(given) if isinstance(given, Mapping) else {}
    temporary = error.get("temporary") is True
    try:
        code = ErrorCode(str(error.get("code")))
    except ValueError:
        code = ErrorCode.PERSISTENCE_UNAVAILABLE if temporary else ErrorCode.INTERNAL_ERROR
        details["code"] = error.get("code")
    known = BarberProError(code, message, details, retry_after)
    if retry_after is None and code in TEMPORARY:
        known.retry_after = None  # nothing was asked for; the backoff decides
    return known

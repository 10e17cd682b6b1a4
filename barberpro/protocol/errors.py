"""The one error that crosses every door, and how it looks on the wire."""

from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from barberpro.protocol.answers import ErrorObject, Refused
from barberpro.protocol.codes import HTTP_STATUS, MESSAGES, TEMPORARY, ErrorCode


class BarberProError(Exception):
    """A refusal that its caller may see: a code of the contract, a sentence, and details.

    Every door turns it into the same `{code, message, temporary, details}` object.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        """`retry_after`: seconds after which trying again makes sense; for temporary codes only."""
        self.code = code
        self.message = message or MESSAGES[code]
        self.details = details or {}
        self.retry_after = retry_after if retry_after is not None else (1.0 if self.temporary else None)
        super().__init__(f"{code}: {self.message}")

    @property
    def temporary(self) -> bool:
        return self.code in TEMPORARY

    @property
    def http_status(self) -> int:
        return HTTP_STATUS[self.code]

    def to_wire(self) -> ErrorObject:
        return {"code": self.code, "message": self.message, "temporary": self.temporary, "details": self.details}


def refused(error: BarberProError) -> Refused:
    """The answer on a live connection."""
    return {"ok": False, "error": error.to_wire()}


def not_found(resource: str) -> BarberProError:
    """`resource` is the kind that was looked for: booking, queue, barber, shop, room, service."""
    return BarberProError(ErrorCode.NOT_FOUND, details={"resource": resource})


def no_longer_kept(**details: object) -> BarberProError:
    """What was asked for was there once, and has been trimmed."""
    return BarberProError(ErrorCode.NO_LONGER_KEPT, details=details)


_TOLD: Final = 32
"""Fields of one refusal. Eight thousand unknown ones would make it eight times as large as what it refuses."""


def bad_field(path: str, problem: str) -> BarberProError:
    """A refusal of one field, by its path in the request."""
    return BarberProError(
        ErrorCode.BAD_REQUEST,
        f"{path}: {problem}",
        {"fields": [{"path": path, "problem": problem}]},
    )


def _words(problem: ErrorDetails) -> str:
    # pydantic's own words for this one name a class of ours.
    return "is not a JSON object" if problem["type"] == "model_type" else problem["msg"].removeprefix("Value error, ")


def _path(steps: tuple[int | str, ...]) -> str:
    # A field whose very name is refused, such as an eighth day, has pydantic's mark behind it.
    if len(steps) > 1 and steps[-1] == "[key]":
        steps = steps[:-1]
    # A field may be called "": that is not the body.
    return ".".join(map(str, steps)) if steps else "(body)"


def bad_request(error: ValidationError, drop_prefix: int = 0) -> BarberProError:
    """The BAD_REQUEST that names the fields pydantic refused; of very many, the first.

    `drop_prefix`: how many leading steps of pydantic's path are not in the caller's document (a union's tag).
    The refused input itself is not repeated: it may be private.
    """
    fields = [
        {
            "path": _path(problem["loc"][drop_prefix:]),
            "problem": _words(problem),
        }
        for problem in error.errors(include_url=False, include_context=False, include_input=False)[:_TOLD]
    ]
    summary = "; ".join(f"{field['path']}: {field['problem']}" for field in fields[:3])
    return BarberProError(ErrorCode.BAD_REQUEST, summary, {"fields": fields})

"""What an answer may look like, whatever was asked. Holds no tests itself."""

import re
from typing import Any, Final

from barberpro.protocol.codes import TEMPORARY, ErrorCode
from barberpro.protocol.commands import Wire

OF_OURS: Final = re.compile(
    r"Traceback|[A-Za-z_]+\.py\b|\bat 0x[0-9a-f]+|<class |[a-z](Error|Exception|Warning)\b|NoneType"
    r"|\b(aiohttp|asyncpg|barberpro\.|engineio|orjson|pydantic|redis\.exceptions|site-packages|socketio)\b"
)
"""What tells of the server's insides."""


def _models(model: type) -> set[str]:
    return {model.__name__}.union(*map(_models, model.__subclasses__()))


def is_refusal(error: Any) -> None:  # noqa: ANN401 - any JSON
    """Fails unless it is the contract's error, of a cause that is not ours, in words that tell nothing of us."""
    assert error.keys() == {"code", "message", "temporary", "details"}, error
    code = ErrorCode(error["code"])
    assert code is not ErrorCode.INTERNAL_ERROR, error
    assert error["temporary"] is (code in TEMPORARY), error
    for field in error["details"].get("fields", []):
        assert field.keys() == {"path", "problem"}, error
        assert isinstance(field["path"], str), error
        tells_nothing(field["problem"])


def is_ack(ack: Any) -> None:  # noqa: ANN401 - any JSON
    """Fails unless a request on a live connection was done, or refused as the contract says."""
    assert ack["ok"] in (True, False), ack
    if not ack["ok"]:
        is_refusal(ack["error"])


def tells_nothing(words: str) -> None:
    """Fails when words tell of the server's insides, or use a name of its classes."""
    assert OF_OURS.search(words) is None, words
    assert not set(re.findall(r"[A-Z][A-Za-z]+", words)[1:]) & _models(Wire), words

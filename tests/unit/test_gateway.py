"""The gateway where Redis answers what nobody understands."""

from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from barberpro.queue.calls import ScriptCall
from barberpro.queue.gateway import Gateway
from barberpro.queue.scripts import load_library

LIBRARY = load_library("test")
CALL = ScriptCall("sh_a", 0, b"key", b"{}", (b"pause", b"{}", b"{}", b"{}"))


class Answering(Gateway):
    """Sends nothing; it has been told what Redis says."""

    def __init__(self, *answers: Any) -> None:  # noqa: ANN401 - anything at all
        super().__init__(Redis(), LIBRARY, 1.0, lambda _: None, lambda: None)
        self._answers = iter(answers)

    async def _send(self, packed: Sequence[bytes]) -> list[Any]:
        return [next(self._answers) for _ in packed]


@pytest.mark.parametrize("nonsense", [None, 7, b"OK", [], [1], [1, [b"ok"]], [b"what", []]])
async def test_an_answer_that_nobody_understands_is_an_error_of_its_own_command_alone(nonsense: object) -> None:
    gateway = Answering(nonsense, [1, [b"ok", 7, b"", b""]])
    with pytest.raises((TypeError, ValueError, IndexError)):
        await gateway.call(CALL)
    reply = await gateway.call(CALL)
    assert (reply.status, reply.rests_on) == ("ok", 7)

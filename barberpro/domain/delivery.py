"""Letters on their way out: read, filled in, handed to a transport; tried again for an hour, then given up."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

import orjson
import structlog
from asyncpg import Pool

from barberpro.domain.jobs import Later, enqueue
from barberpro.domain.outbox import JOB
from barberpro.domain.templates import Text, render
from barberpro.storage.letters import (
    WaitingLetter,
    forget_letters,
    overdue_letters,
    postpone,
    settle,
    waiting_letter,
)
from barberpro.storage.postgres import Away
from barberpro.storage.sealing import Sealer

log = structlog.get_logger(__name__)

_FIRST_SECONDS: Final = 5.0
_TIMES: Final = 3.0
_MOST_SECONDS: Final = 600.0
_GIVE_UP_SECONDS: Final = 3600.0
"""Codes and links are good for minutes: what comes later than this confuses more than it helps."""
_OVERDUE_SECONDS: Final = 120.0
_KEPT_DAYS: Final = 90


class Unsent(Exception):
    """A transport could not send; a later attempt may. The message tells nothing of the recipient."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        """seconds: how long the provider asks to wait."""
        super().__init__(why)
        self.seconds = seconds


class Refused(Exception):
    """This letter will never be taken. The message tells nothing of the recipient."""


class Transport(Protocol):
    """The way out for letters of one channel."""

    async def send(self, letter_id: str, to: str, text: Text) -> str | None:
        """Hands a letter over; what the provider calls it. Raises Unsent and Refused."""

    async def close(self) -> None: ...


class Deliverer:
    """Does the jobs of letters. A node that dies right after it handed a letter over may have it sent twice."""

    def __init__(self, pool: "Pool[Any]", sealer: Sealer, transports: Mapping[str, Transport]) -> None:
        """transports: by channel."""
        self._pool = pool
        self._sealer = sealer
        self._transports = transports
        self.outcomes: Counter[tuple[str, str]] = Counter(
            {(channel, outcome): 0 for channel in transports for outcome in ("sent", "postponed", "failed")}
        )
        """Attempts here, by channel and outcome."""

    async def deliver(self, letter_id: str) -> None:
        """Raises Later when it has to be tried again."""
        try:
            letter = await waiting_letter(self._pool, letter_id)
            if letter is not None:
                await self._attempt(letter)
        except Away as error:
            raise Later(_FIRST_SECONDS, f"Postgres is away ({type(error).__name__})") from None

    async def sweep(self) -> None:
        """Puts the jobs of letters down again that have none any more: whatever became of them, a letter waits."""
        for letter_id in await overdue_letters(self._pool, _OVERDUE_SECONDS):
            async with self._pool.acquire() as connection:
                await enqueue(connection, JOB, letter_id, once=True)

    async def forget(self) -> None:
        """Lets go of what is known of letters that were settled long ago."""
        await forget_letters(self._pool, _KEPT_DAYS)

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()

    async def _attempt(self, letter: WaitingLetter) -> None:
        try:
            reference = await self._send(letter)
        except Refused as refused:
            await self._give_up(letter, str(refused))
        except Unsent as unsent:
            await self._again(letter, unsent)
        except Exception as error:
            # Its message may hold an address. Not raised: nobody would count the attempt, and it would never end.
            log.error("letter_failed", problem=type(error).__name__, letter_id=letter.letter_id)
            await self._again(letter, Unsent(f"a defect ({type(error).__name__})"))
        else:
            await settle(self._pool, letter.letter_id, None, reference)
            self._tell(letter, "sent", None)

    async def _send(self, letter: WaitingLetter) -> str | None:
        try:
            content = orjson.loads(self._sealer.unseal(letter.content_sealed))
            text = render(letter.channel, letter.template, letter.language, content["fields"])
        except (LookupError, ValueError) as error:
            # Another release posted it, or another server has the key: nothing that this one can mend.
            raise Unsent(f"cannot be read here ({type(error).__name__})") from None
        return await self._transports[letter.channel].send(letter.letter_id, content["to"], text)

    async def _again(self, letter: WaitingLetter, unsent: Unsent) -> None:
        seconds = max(min(_FIRST_SECONDS * _TIMES**letter.attempts, _MOST_SECONDS), unsent.seconds or 0)
        if time.time() + seconds > letter.created_at.timestamp() + _GIVE_UP_SECONDS:
            await self._give_up(letter, str(unsent))
            return
        await postpone(self._pool, letter.letter_id, str(unsent), seconds)
        self._tell(letter, "postponed", str(unsent))
        raise Later(seconds, str(unsent))

    async def _give_up(self, letter: WaitingLetter, problem: str) -> None:
        await settle(self._pool, letter.letter_id, problem)
        self._tell(letter, "failed", problem)

    def _tell(self, letter: WaitingLetter, outcome: str, problem: str | None) -> None:
        self.outcomes[letter.channel, outcome] += 1
        tell = log.info if problem is None else log.warning
        tell(
            "letter",
            outcome=outcome,
            problem=problem,
            letter_id=letter.letter_id,
            channel=letter.channel,
            template=letter.template,
        )

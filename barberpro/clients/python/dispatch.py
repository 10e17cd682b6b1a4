"""Sending one command until its outcome is known."""

import asyncio
from typing import Any

from barberpro.clients.python.connection import checked
from barberpro.clients.python.errors import ClientClosed, CommandUnresolved, ConnectionLost
from barberpro.clients.python.logic import Verdict, judge
from barberpro.clients.python.results import ClientStats, CommandResult, result_from_ack
from barberpro.clients.python.session import Session
from barberpro.protocol.errors import BarberProError


class Dispatch:
    """One command and its attempts, all with the one commandId: the server carries it out once."""

    def __init__(self, session: Session, document: dict[str, Any], deadline: float, stats: ClientStats) -> None:
        self._session = session
        self._document = document
        self._stats = stats
        self._expires = asyncio.get_running_loop().time() + deadline
        self._sent = 0
        self._unanswered = False
        self._renewed = False
        self._last: BaseException | None = None

    async def run(self) -> CommandResult:
        """Raises BarberProError when the server refuses for good, CommandUnresolved when it stays unknown."""
        rounds = 0
        try:
            async with asyncio.timeout_at(self._expires):
                while True:
                    rounds += 1
                    ack = await self._attempt()
                    if ack is not None:
                        return result_from_ack(str(self._document["commandId"]), ack, self._sent)
                    retry = self._session.retry
                    asked = getattr(self._last, "retry_after", None) or 0.0
                    await asyncio.sleep(retry.delay(rounds, self._session.dice, asked))
        except TimeoutError as error:
            raise CommandUnresolved(self._document, self._sent, self._last or error) from error

    async def _attempt(self) -> dict[str, Any] | None:
        """Send once. None: try again."""
        try:
            connection = await self._session.up()
        except (BarberProError, ClientClosed) as error:
            if self._unanswered:  # an earlier attempt may have been carried out
                raise CommandUnresolved(self._document, self._sent, error) from error
            raise
        self._stats.repeats += self._sent > 0
        self._sent += 1
        try:
            return checked(await connection.call("command", self._document, self._session.retry.ack_timeout))
        except ConnectionLost as error:
            self._unanswered = True
            self._last = error
        except BarberProError as refusal:
            await self._refused(refusal)
        return None

    async def _refused(self, refusal: BarberProError) -> None:
        self._last = refusal
        # PERSISTENCE_UNAVAILABLE leaves the outcome open: the command may have been written before the wait ended.
        self._unanswered = self._unanswered or refusal.temporary
        verdict = judge(refusal, may_renew=self._session.can_renew and not self._renewed)
        if verdict is Verdict.GIVE_UP:
            raise refusal
        if verdict is Verdict.RENEW_TOKEN:
            self._renewed = True
            await self._session.renew_token()

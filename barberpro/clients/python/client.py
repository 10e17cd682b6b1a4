"""The client: what an application holds."""

import asyncio
import uuid
from types import TracebackType
from typing import Any, Self

import aiohttp
from pydantic import BaseModel

from barberpro.clients.python.api.every import Endpoints
from barberpro.clients.python.closing import finish
from barberpro.clients.python.commands import Commands
from barberpro.clients.python.dispatch import Dispatch
from barberpro.clients.python.errors import ClientClosed, CommandUnresolved, ServerUnreachable
from barberpro.clients.python.feeds import Watch
from barberpro.clients.python.logic import RetryPolicy
from barberpro.clients.python.rest import Page, Rest
from barberpro.clients.python.results import ClientStats, CommandResult
from barberpro.clients.python.session import Session
from barberpro.clients.python.tokens import TokenProvider, TokenSource
from barberpro.protocol.bookings import BookingTold, PlaceChange, QueueEvent, Ticket
from barberpro.protocol.commands import parse_command
from barberpro.protocol.states import QueueUpdated


class BarberProClient(Commands):
    """One user's connection to a BarberPro server, for `async with`.

    It comes back by itself after every cut and resumes its rooms. A command is repeated, with one commandId,
    until its outcome is known or its deadline passes. Not for use from several threads.
    """

    def __init__(self, base_url: str, token: str | TokenProvider, *, retry: RetryPolicy | None = None) -> None:
        """`base_url`: scheme, host and port.

        `token`: a user's access token, a guest ticket or a display token, or a callable that gives one
        (awaited when it has to be) and is asked again when the last one expires.
        """
        self.stats = ClientStats()
        self._base_url = base_url.rstrip("/")
        self._retry = retry or RetryPolicy()
        self._tokens = TokenSource(token)
        self._session = Session(self._base_url, self._tokens, self._retry, self.stats)
        self._http: aiohttp.ClientSession | None = None
        self._api: Endpoints | None = None

    async def __aenter__(self) -> Self:
        """Connect. Raises BarberProError when refused, ServerUnreachable when the deadline passes."""
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._api = Endpoints(Rest(self._base_url, self._http, self._tokens, self._retry))
        self._session.start(self._http)
        try:
            async with asyncio.timeout(self._retry.deadline):
                await self._session.up()
        except TimeoutError as error:
            await self.close()
            raise ServerUnreachable(f"no connection within {self._retry.deadline:.0f} s") from error
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave. Watches end; commands that are under way end with CommandUnresolved."""
        await finish(self._end())

    async def _end(self) -> None:
        await self._session.close()
        if self._http is not None:
            await self._http.close()

    @property
    def connected(self) -> bool:
        """Whether there is a live connection at this moment."""
        return self._session.connected

    def watch(self, room: str) -> Watch:
        """The states of `queue:<barberId>`, `booking:<bookingId>` or `display:<shopId>`, for `async for`.

        Raises BarberProError(BAD_REQUEST) when `room` is none of these, and what ended the client when it has
        ended. What Watch says about leaving early applies.
        """
        if self._session.failure is not None:
            raise self._session.failure
        return self._session.rooms.watch(room)

    async def authenticate(self, token: str) -> str | None:
        """Present a new token on the live connection, and use it from now on.

        Returns when it expires (RFC 3339); None when there is no connection just now. Raises BarberProError
        when the server refuses it. After a token has been refused for good, this starts the client again.
        """
        expires: str | None = (await self._session.authenticate(token)).get("expiresAt")
        return expires

    async def command(
        self,
        type_: str,
        *,
        command_id: str | None = None,
        deadline: float | None = None,
        **fields: object,
    ) -> CommandResult:
        """Send a command and return its one true result, however often it had to be sent.

        `fields`: as on the wire; None means left out. `command_id`: for repeating a command of an earlier
        run. `deadline`: seconds in all. Raises BarberProError when it is refused (BAD_REQUEST before it is
        sent), and CommandUnresolved when the deadline passes first.
        """
        given = {name: _wire(value) for name, value in fields.items() if value is not None}
        document = {"commandId": command_id or str(uuid.uuid4()), "type": type_, **given}
        parse_command(document)
        return await self._send(document, deadline)

    async def repeat(self, unresolved: CommandUnresolved, *, deadline: float | None = None) -> CommandResult:
        """Go on with a command whose outcome stayed unknown; raises as `command`."""
        return await self._send(unresolved.document, deadline)

    async def _send(self, document: dict[str, Any], deadline: float | None) -> CommandResult:
        seconds = self._retry.deadline if deadline is None else deadline
        return await Dispatch(self._session, document, seconds, self.stats).run()

    @property
    def api(self) -> Endpoints:
        """REST, a method for every endpoint. Raises ClientClosed before the client is entered."""
        if self._api is None:
            raise ClientClosed("use the client as a context: async with BarberProClient(...)")
        return self._api

    # The reads that go with a line. All raise BarberProError, and ServerUnreachable when the deadline passes.

    async def get_my_queue(self) -> QueueUpdated:
        """The barber's own queue, full."""
        return await self.api.get_my_queue()

    async def get_queue(self, barber_id: str) -> QueueUpdated:
        """A queue, as the public sees it."""
        return await self.api.get_queue(barber_id)

    async def get_events(self, barber_id: str, after: int | None = None, limit: int | None = None) -> Page[QueueEvent]:
        """A queue's events with a seq above `after`, oldest first; from the first that is kept when None."""
        return await self.api.list_events(barber_id, after=after, limit=limit)

    async def get_booking(self, booking_id: str) -> BookingTold:
        return await self.api.get_booking(booking_id)

    async def get_booking_token(self, booking_id: str) -> Ticket:
        """The token (ticket number) of a booking."""
        return await self.api.get_booking_token(booking_id)

    async def get_booking_history(self, booking_id: str) -> list[PlaceChange]:
        """Every change of the booking's place, with its cause."""
        return (await self.api.get_booking_history(booking_id)).rows


def _wire(value: object) -> object:
    """A field as on the wire. What was never set stays out; in an Expect that is not the same as null."""
    return value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value

"""A whole server that people register at, and the letters that it posts to them. Holds no tests itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from barberpro.domain.accounts import challenges
from barberpro.domain.outbox import Letter, post
from barberpro.server.node import NodeOptions
from tests.support.rest import Answer
from tests.support.shops import Json
from tests.support.whole_server import WholeServer, whole_server

EMAIL = "asha@example.com"
PHONE = "+919876543210"
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


class AccountDoor:
    """letters: all that were posted, the oldest first."""

    def __init__(self, server: WholeServer, letters: list[Letter]) -> None:
        self.server = server
        self.letters = letters

    async def call(
        self, method: str, path: str, body: object = None, token: str | None = None, **headers: str
    ) -> Answer:
        """Calls `path` below /api/v1. headers: with underscores for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        raw = orjson.dumps(body) if body is not None else None
        async with self.server.client.request(method, f"/api/v1{path}", data=raw, headers=sent) as response:
            return Answer(response.status, response.headers, orjson.loads(await response.read()))

    async def auth(self, path: str, token: str | None = None, /, **body: Any) -> Answer:  # noqa: ANN401 - any JSON
        return await self.call("POST", f"/auth/{path}", body, token)

    @property
    def link_token(self) -> str:
        """Of the newest letter's link."""
        return self.letters[-1].fields["link"].partition("#")[2]

    @property
    def code(self) -> str:
        return self.letters[-1].fields["code"]

    async def by_email(self, email: str = EMAIL, password: str = PASSWORD, **more: str) -> Json:
        """Registers and confirms; what the new account was granted."""
        assert (await self.auth("register", email=email, password=password, **more)).status == 202
        granted: Json = (await self.auth("verify-email", token=self.link_token)).data
        return granted

    async def by_phone(self, phone: str = PHONE, **more: str) -> Json:
        begun = (await self.auth("register", phone=phone, **more)).data
        granted: Json = (await self.auth("verify-otp", challengeId=begun["challengeId"], code=self.code)).data
        return granted


@asynccontextmanager
async def account_door(options: NodeOptions, keys: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AccountDoor]:
    """The letters are posted as ever; besides, they can be read here."""
    letters: list[Letter] = []

    async def seen(connection: Any, sealer: Any, letter: Letter) -> None:  # noqa: ANN401 - handed on
        letters.append(letter)
        await post(connection, sealer, letter)

    monkeypatch.setattr(challenges, "post", seen)
    async with whole_server(options, keys) as server:
        yield AccountDoor(server, letters)

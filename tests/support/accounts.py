"""A whole server that people register at, and the letters that it posts to them. Holds no tests itself."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from argon2.profiles import CHEAPEST

from barberpro.domain.accounts import challenges, own_contacts, passwords
from barberpro.domain.outbox import Letter, post
from barberpro.server.node import NodeOptions
from tests.support.databases import create_database, drop_database
from tests.support.logs import nothing_wrong_is_logged
from tests.support.rest import Answer
from tests.support.shops import Json
from tests.support.whole_server import WholeServer, whole_server

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


class AccountDoor:
    """letters: all that were posted, the oldest first. keys: the directory of the server's."""

    def __init__(self, server: WholeServer, letters: list[Letter], keys: Path) -> None:
        self.server = server
        self.keys = keys
        self.letters = letters
        self._numbers = count(10_000)

    async def call(
        self, method: str, path: str, body: object = None, token: str | None = None, **headers: str
    ) -> Answer:
        """Calls `path` below /api/v1, each time from another address. headers: with underscores for hyphens."""
        number = next(self._numbers)
        sent = {"X-Forwarded-For": f"10.9.{number // 256 % 256}.{number % 256}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        raw = orjson.dumps(body) if body is not None else None
        async with self.server.client.request(method, f"/api/v1{path}", data=raw, headers=sent) as response:
            return Answer(response.status, response.headers, orjson.loads(await response.read()))

    async def auth(self, path: str, token: str | None = None, /, **body: Any) -> Answer:  # noqa: ANN401 - any JSON
        return await self.call("POST", f"/auth/{path}", body, token)

    def new_email(self) -> str:
        """Of nobody yet."""
        return f"person{next(self._numbers)}@example.com"

    def new_phone(self) -> str:
        """Of nobody yet."""
        return f"+9198765{next(self._numbers):05d}"

    @property
    def link_token(self) -> str:
        """Of the newest letter's link."""
        return self.letters[-1].fields["link"].partition("#")[2]

    @property
    def code(self) -> str:
        return self.letters[-1].fields["code"]

    async def by_email(self, email: str, password: str = PASSWORD, **more: str) -> Json:
        """Registers and confirms; what the new account was granted."""
        assert (await self.auth("register", email=email, password=password, **more)).status == 202
        granted: Json = (await self.auth("verify-email", token=self.link_token, password=password)).data
        return granted

    async def by_phone(self, phone: str, **more: str) -> Json:
        begun = (await self.auth("register", phone=phone, **more)).data
        granted: Json = (await self.auth("verify-otp", challengeId=begun["challengeId"], code=self.code)).data
        return granted


@asynccontextmanager
async def account_door(options: NodeOptions, keys: Path, **settings: object) -> AsyncIterator[AccountDoor]:
    """The letters are posted as ever; besides, they can be read here. settings: beside those of `whole_server`."""
    letters: list[Letter] = []

    async def seen(connection: Any, sealer: Any, letter: Letter) -> None:  # noqa: ANN401 - handed on
        letters.append(letter)
        await post(connection, sealer, letter)

    with pytest.MonkeyPatch.context() as patch, nothing_wrong_is_logged():
        patch.setattr(challenges, "post", seen)
        patch.setattr(own_contacts, "post", seen)
        patch.setattr(passwords, "COST", CHEAPEST)
        async with whole_server(options, keys, trusted_proxies="127.0.0.0/8", **settings) as server:
            yield AccountDoor(server, letters, keys)


@asynccontextmanager
async def shared_door(
    server_url: str, template: str, redis_url: str, keys: Path, **settings: object
) -> AsyncIterator[AccountDoor]:
    """One for a module's tests, which have people of their own each: starting one takes longer than what they do."""
    name = f"test_{uuid.uuid4().hex}"
    url = await create_database(server_url, name, template=template)
    async with account_door(NodeOptions(url, redis_url, name), keys, **settings) as door:
        yield door
    await drop_database(server_url, name)

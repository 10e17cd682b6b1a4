"""A page with nothing in it but a `BarberPro` client, for tests of the client. Holds no tests itself."""

from typing import Any

from playwright.async_api import Page, Route

from barberpro.protocol.actors import Actor
from tests.support.browsers import until
from tests.support.shops import Json
from tests.support.stage import Stage

_PATH = "/blank"
_OPEN = """
async ({ token, room, options }) => {
  const { BarberPro } = await import("/static/barberpro.js");
  window.tokens = [token];
  window.heard = { states: [], status: [], answers: [], errors: [] };
  const next = async () => tokens.length > 1 ? tokens.shift() : tokens[0];
  window.shop = new BarberPro({ token: next, ...options });
  shop.addEventListener("status", ({ detail }) => heard.status.push(detail));
  shop.addEventListener("answer", ({ detail: { command, result, error } }) =>
    heard.answers.push({ command, result, error: error && { ...error } }));
  shop.addEventListener("error", ({ detail }) => heard.errors.push(detail));
  if (room) window.stop = shop.watch(room, (state) => heard.states.push(state));
}
"""
_SEND = """
(command) => shop.send(command).then(
  (result) => ({ result }), ({ code, temporary, details }) => ({ error: { code, temporary, details } }))
"""


class ClientPage:
    """`load` begins, and begins anew as a reload does."""

    def __init__(self, stage: Stage, page: Page, actor: Actor) -> None:
        self.page = page
        self._stage = stage
        self._actor = actor

    @classmethod
    async def of(cls, stage: Stage, actor: Actor) -> "ClientPage":
        page = await stage.page()
        await page.route(f"**{_PATH}", _blank)
        return cls(stage, page, actor)

    async def load(self, room: str | None = None, token: str | None = None, **options: object) -> None:
        """room: to watch. token: the first that the client is given; a good one by default, and ever after."""
        await self.page.goto(f"{self._stage.url}{_PATH}")
        good = self._stage.token(self._actor)
        await self.page.evaluate(_OPEN, {"token": good, "room": room, "options": options})
        if token is not None:
            await self.page.evaluate("(first) => tokens.unshift(first)", token)

    async def until(self, condition: str) -> Any:  # noqa: ANN401 - any JSON
        """What the expression gives, as soon as that is true."""
        return await until(self.page, condition)

    async def send(self, command: Json) -> Json:
        """{"result"} or {"error"}."""
        told: Json = await self.page.evaluate(_SEND, command)
        return told


async def _blank(route: Route) -> None:
    await route.fulfill(content_type="text/html", body="<!doctype html><title>Blank</title>")

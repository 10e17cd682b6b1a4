"""rest.js and session.js in a browser, without a server: what comes, and when, is the test's."""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Route

import barberpro.clients
from tests.support.browsers import browser_page, until

WEB: Final = Path(barberpro.clients.__file__).parent / "web"
FILE: Final = """
async (stalledMs) => {
  const { file } = await import("/rest.js");
  window.fetch = async (_, { signal }) => new Response(new ReadableStream({
    start(stream) {
      window.stream = stream;
      signal.addEventListener("abort", () => stream.error(signal.reason));
    },
  }), { headers: { "Content-Disposition": 'attachment; filename="week.csv"' } });
  window.told = null;
  file("/somewhere", "token", stalledMs).then(
    async ({ blob, name }) => { told = `${name}: ${await blob.text()}`; }, ({ message }) => { told = message; });
}
"""

RENEWED: Final = """
async (renewedAs) => {
  const { Session } = await import("/session.js");
  const grant = (accessToken, userId) => ({ accessToken, expiresAt: "2999-01-01T00:00:00Z", user: { userId } });
  const session = new Session(grant("old", "us_1"));
  const told = [];
  session.addEventListener("over", () => told.push("over"));
  window.fetch = async (path, { headers }) => {
    if (path.endsWith("/auth/refresh")) return Response.json({ success: true, data: grant("new", renewedAs) });
    if (headers.Authorization === "Bearer new") return new Response("the rows");
    return Response.json({ success: false, error: { code: "TOKEN_EXPIRED", message: "" } }, { status: 401 });
  };
  await session.file("/somewhere").then(({ blob }) => blob.text()).catch(({ message }) => message)
    .then((text) => told.push(text));
  return [...told, session.user.userId];
}
"""


async def part(route: Route) -> None:
    name = route.request.url.rpartition("/")[2]
    if name:
        await route.fulfill(path=WEB / name)
    else:
        await route.fulfill(content_type="text/html", body="<!doctype html><title>Blank</title>")


async def test_a_file_may_take_as_long_as_it_comes_and_no_longer(chromium: str) -> None:
    async with browser_page(chromium) as page:
        await page.route("**/*", part)
        await page.clock.install()
        await page.goto("http://barberpro.example/")
        await page.evaluate(FILE, 30_000)
        for letter in ("a", "b", "c"):
            await until(page, "Boolean(window.stream)")
            await page.evaluate("(letter) => stream.enqueue(new TextEncoder().encode(letter))", letter)
            await page.clock.run_for(20_000)
        assert await page.evaluate("told") is None
        await page.evaluate("stream.close()")
        assert await until(page, "told") == "week.csv: abc"
        await page.evaluate(FILE, 30_000)
        await page.clock.run_for(31_000)
        assert await until(page, "told") == "nothing came for 30000 ms"


@pytest.mark.parametrize(
    ("renewed_as", "told"),
    [("us_1", ["the rows"]), ("us_2", ["over", "somebody else has signed in"])],
)
async def test_a_token_that_is_over_is_renewed_for_a_file_too_and_never_as_somebody_else(
    chromium: str, renewed_as: str, told: list[str]
) -> None:
    async with browser_page(chromium) as page:
        await page.route("**/*", part)
        await page.goto("http://barberpro.example/")
        assert await page.evaluate(RENEWED, renewed_as) == [*told, "us_1"]

"""rest.js in a browser, without a server: what comes, and when, is the test's."""

from pathlib import Path
from typing import Final

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

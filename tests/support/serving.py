"""aiohttp's own test server, with connections as `barberpro serve` has them. Holds no tests itself."""

from typing import Any

from aiohttp.test_utils import TestServer
from aiohttp.web_runner import BaseRunner

from barberpro.handlers.rest.malformed import EnvelopeRunner


class OurTestServer(TestServer):
    """Takes an application."""

    async def _make_runner(self, **options: Any) -> BaseRunner:  # noqa: ANN401 - aiohttp's own
        return EnvelopeRunner(self.app, **options)

"""aiohttp's own test server, with connections as `barberpro serve` has them. Holds no tests itself."""

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.web_runner import BaseRunner

from barberpro.handlers.rest.malformed import EnvelopeRunner


class OurTestServer(TestServer):
    """Takes an application. patience: the seconds that a connection has for its first request."""

    def __init__(self, app: web.Application, patience: float = 10.0, **options: Any) -> None:  # noqa: ANN401 - aiohttp's own
        super().__init__(app, **options)
        self._patience = patience

    async def _make_runner(self, **options: Any) -> BaseRunner:  # noqa: ANN401 - aiohttp's own
        return EnvelopeRunner(self.app, self._patience, **options)

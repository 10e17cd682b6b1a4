"""`python -m barberpro.server.worker`: one of the processes that share a port; only the supervisor starts it.

The first line of standard input is its settings. When standard input ends, the supervisor is gone, and it ends as well.
"""

import asyncio
import sys

import orjson
import structlog
import uvloop

from barberpro.server.embedded import StoreUrls
from barberpro.server.logs import configure_logs
from barberpro.server.serve import serving
from barberpro.server.settings import Settings
from barberpro.server.stopping import until_stopped
from barberpro.server.supervisor import REFUSED
from barberpro.server.telling import MISTAKES, words_for

log = structlog.get_logger(__name__)


def main() -> None:
    """Works until a signal comes or the supervisor is gone; exits with REFUSED, and says why, if it never will work."""
    line = sys.stdin.readline()
    if not line:
        return
    settings = Settings(**orjson.loads(line))
    configure_logs(settings.log_level, settings.log_format)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(until_stopped(_work(settings)))
    except MISTAKES as error:
        print(error, flush=True)
        sys.exit(REFUSED)
    except Exception as error:
        words = words_for(error, settings)
        if words is None:
            raise
        log.error("worker_cannot_start", why=words)
        sys.exit(1)


async def _work(settings: Settings) -> None:
    assert settings.database_url is not None  # noqa: S101 - the supervisor names both
    assert settings.redis_url is not None  # noqa: S101 - as above
    async with serving(settings, StoreUrls(settings.database_url, settings.redis_url), shared_port=True):
        await _orphaned()


async def _orphaned() -> None:
    """Returns when the supervisor is gone: its end of our standard input is closed then."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


if __name__ == "__main__":
    main()

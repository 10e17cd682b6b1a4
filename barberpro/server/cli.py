"""The command line: `barberpro serve`, `demo`, `migrate`, `seed`, `simulate`, `token`, `check`."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

import asyncpg
import click
import uvloop
from redis.exceptions import RedisError

from barberpro import __version__
from barberpro.domain.keys import KeyFileError
from barberpro.protocol.actors import Role
from barberpro.server import commands
from barberpro.server.embedded import EmbeddedServicesError
from barberpro.server.logs import configure_logs
from barberpro.server.serve import PortTakenError
from barberpro.server.settings import Settings, SettingsError, load_settings
from barberpro.storage.deployment import ShardsDifferError
from barberpro.storage.migrate import SchemaTooNewError
from barberpro.storage.sealing import SealingKeyError

_EMBEDDED_DEFAULT: Final = ".barberpro/data"
_TOLD: Final = (
    SettingsError, EmbeddedServicesError, PortTakenError, KeyFileError, SealingKeyError, ShardsDifferError,
    SchemaTooNewError, commands.CommandError,
)  # fmt: skip
_Function = TypeVar("_Function", bound=Callable[..., Any])


def main() -> None:
    """The entry point of the `barberpro` command."""
    cli(prog_name="barberpro")


def _stores(function: _Function) -> _Function:
    """The options of every command that needs the stores."""
    for option in (
        click.option("--redis-url", metavar="URL", help="Redis or Valkey. Also REDIS_URL."),
        click.option("--database-url", metavar="URL", help="Postgres. Also DATABASE_URL."),
        click.option(
            "--embedded",
            metavar="[DIR]",
            is_flag=False,
            flag_value=_EMBEDDED_DEFAULT,
            type=click.Path(file_okay=True, path_type=Path),
            help=f"Real Postgres and Valkey in DIR, by default {_EMBEDDED_DEFAULT}. Also BARBERPRO_EMBEDDED.",
        ),
    ):
        function = option(function)
    return function


def _run(settings: Settings, work: Coroutine[Any, Any, int | None]) -> None:
    """Runs a command to its end; errors that are the caller's to mend are told in one line."""
    configure_logs(settings.log_level, settings.log_format)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(_until_terminated(work))
    except _TOLD as error:
        _fail(str(error))
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _fail(f"Postgres: {error}")
    except RedisError as error:
        _fail(f"Redis: {error}")
    except OSError as error:
        _fail(_unreached(settings, error))
    except KeyboardInterrupt:
        sys.exit(130)
    except asyncio.CancelledError:
        sys.exit(143)
    else:
        sys.exit(code or 0)


def _unreached(settings: Settings, error: OSError) -> str:
    """What could not be reached: a file, or else Postgres (Redis has errors of its own)."""
    if error.filename is not None or settings.database_url is None:
        return str(error)
    address = urlsplit(settings.database_url)
    return f"DATABASE_URL: cannot reach Postgres at {address.hostname}:{address.port or 5432}: {error}"


async def _until_terminated(work: Coroutine[Any, Any, int | None]) -> int | None:
    """Runs `work`; SIGTERM cancels it, so that what it started is stopped. (Ctrl-C does so by itself.)"""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine that a task runs
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _fail(words: str) -> None:
    click.echo(f"barberpro: {words}", err=True)
    sys.exit(2)


def _settings(**given: Any) -> Settings:  # noqa: ANN401 - checked by the settings
    try:
        return load_settings(**given)
    except SettingsError as error:
        _fail(str(error))
        raise  # not reached


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """A realtime queue server for barbershops."""


@cli.command()
@_stores
@click.option("--host", help="Address to listen on. Also BARBERPRO_HOST.")
@click.option("--port", type=int, help="Port to listen on. Also BARBERPRO_PORT.")
@click.option("--workers", type=int, help="Processes that share the port. Also BARBERPRO_WORKERS.")
def serve(**given: Any) -> None:  # noqa: ANN401 - click's options
    """Serve the sockets, the REST interface and the pages."""
    settings = _settings(**given)
    _run(settings, commands.run_serve(settings))


@cli.command()
@_stores
@click.option("--host", help="Address to listen on. Also BARBERPRO_HOST.")
@click.option("--port", type=int, help="Port to listen on. Also BARBERPRO_PORT.")
@click.option("--speed", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Seconds a second.")
def demo(speed: float, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Start everything, seed a shop, and play days in it until Ctrl-C."""
    if given["database_url"] is None and given["embedded"] is None:
        given["embedded"] = Path(".barberpro/demo")
    settings = _settings(log_level="warning", **given)
    _run(settings, commands.run_demo(settings, speed))


@cli.command()
@_stores
def migrate(**given: Any) -> None:  # noqa: ANN401 - click's options
    """Bring the database's schema up to date."""
    settings = _settings(**given)
    _run(settings, commands.run_migrate(settings))


@cli.command()
@_stores
@click.option("--name", default="Corner Barbers", show_default=True, help="The shop's name.")
@click.option("--time-zone", default="Asia/Kolkata", show_default=True, help="The shop's IANA time zone.")
@click.option("--json", "as_json", is_flag=True, help="Print the shop as one JSON object.")
def seed(name: str, time_zone: str, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Create a shop of three barbers to try things with."""
    settings = _settings(**given)
    _run(settings, commands.run_seed(settings, name, time_zone, as_json=as_json))


@cli.command()
@_stores
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The server to play against.")
@click.option("--shop", metavar="ID", help="The shop to play in; a new one by default.")
@click.option("--speed", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Seconds a second.")
@click.option("--hours", type=click.FloatRange(min=0.01), default=9.0, show_default=True, help="Length of the day.")
@click.option("--random-seed", type=int, default=1, show_default=True, help="The same seed plays the same day.")
@click.option("--view", type=click.Choice(["live", "plain", "none"]), default="live", show_default=True)
def simulate(
    url: str,
    shop: str | None,
    speed: float,
    hours: float,
    random_seed: int,
    view: Literal["live", "plain", "none"],
    **given: Any,  # noqa: ANN401 - click's options
) -> None:
    """Play a shop's day over real sockets; exit 1 when a promise was broken."""
    settings = _settings(log_level="warning", **given)
    day = commands.Day(url, shop, speed, hours, random_seed, view)
    _run(settings, commands.run_simulate(settings, day))


@cli.command()
@_stores
@click.option(
    "--role",
    type=click.Choice([r.value for r in (Role.CUSTOMER, Role.BARBER, Role.ADMIN, Role.DISPLAY)]),
    required=True,
)
@click.option("--user", metavar="ID", help="The user's id; a new one by default.")
@click.option("--barber", metavar="ID", help="The barber that a barber's account stands for.")
@click.option("--shop", metavar="ID", help="The shop that a display or a barber belongs to.")
@click.option("--name", help="The customer's name, as the barber sees it.")
@click.option("--seconds", type=click.IntRange(1, 31_536_000), default=86_400, show_default=True)
def token(
    role: str,
    user: str | None,
    barber: str | None,
    shop: str | None,
    name: str | None,
    seconds: int,
    **given: Any,  # noqa: ANN401 - click's options
) -> None:
    """Print a development token. Only the keys are needed, not the stores."""
    settings = _settings(**given)
    _run(settings, commands.run_token(settings, Role(role), user, barber, shop, name, seconds))


@cli.command()
@_stores
def check(**given: Any) -> None:  # noqa: ANN401 - click's options
    """Compare Redis with Postgres and with the fold of the events; exit 1 on any difference."""
    settings = _settings(**given)
    _run(settings, commands.run_check(settings))

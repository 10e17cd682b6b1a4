"""The command line: serve, demo, migrate, seed, simulate, token, revoke, appoint, keys, check, trim, import.

What a command needs is imported in it: the server's libraries take a second to load, and neither help nor a token,
which scripts ask for again and again, has a use for them. Nor has a mistake in the settings, which are read first.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TypeVar

import click

from barberpro import __version__
from barberpro.protocol.actors import Role
from barberpro.server.option_types import Directory, Number

if TYPE_CHECKING:
    from barberpro.server.settings import Settings

_EMBEDDED_DEFAULT: Final = ".barberpro/data"
_Function = TypeVar("_Function", bound=Callable[..., Any])


def main() -> None:
    """The entry point of the `barberpro` command.

    Ctrl-C ends it with 130, however early it comes: by click's own 1, `check` says that it found something.
    """
    gc.disable()  # what is loaded stays, and to look through it for cycles again and again takes an eighth of the time
    try:
        code = cli.main(prog_name="barberpro", standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    finally:
        gc.enable()
    sys.exit(code)


def _stores(function: _Function) -> _Function:
    """The options of every command that needs the stores."""
    for option in (
        click.option("--redis-url", metavar="URL", help="Redis or Valkey, or any node of a cluster. Also REDIS_URL."),
        click.option("--database-url", metavar="URL", help="Postgres. Also DATABASE_URL."),
        click.option(
            "--embedded",
            metavar="[DIR]",
            is_flag=False,
            flag_value=_EMBEDDED_DEFAULT,
            type=Directory(path_type=Path),
            help=f"Real Postgres and Valkey in DIR, by default {_EMBEDDED_DEFAULT}. Also BARBERPRO_EMBEDDED.",
        ),
    ):
        function = option(function)
    return function


def _run(settings: "Settings", work: Coroutine[Any, Any, int | None]) -> NoReturn:
    """Runs a command to its end, and ends with its code."""
    import uvloop

    from barberpro.server.logs import configure_logs

    configure_logs(settings.log_level, settings.log_format)
    gc.enable()
    try:
        with _told(settings), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(_until_terminated(work))
    except KeyboardInterrupt:
        sys.exit(130)
    except asyncio.CancelledError:
        sys.exit(143)
    sys.exit(code or 0)


@contextmanager
def _told(settings: "Settings") -> Iterator[None]:
    """Errors in the block that are the caller's to mend are told in one line."""
    try:
        yield
    except Exception as error:
        from barberpro.server.telling import words_for

        words = words_for(error, settings)
        if words is None:
            raise
        _fail(words)


async def _until_terminated(work: Coroutine[Any, Any, int | None]) -> int | None:
    """Runs `work`; SIGTERM cancels it, so that what it started is stopped. (Ctrl-C does so by itself.)"""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine that a task runs
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _fail(words: str) -> NoReturn:
    click.echo(f"barberpro: {words}", err=True)
    sys.exit(2)


def _settings(**given: Any) -> "Settings":  # noqa: ANN401 - checked by the settings
    from barberpro.server.settings import SettingsError, load_settings

    try:
        return load_settings(**given)
    except SettingsError as error:
        _fail(str(error))


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
    from barberpro.server.serve import run_serve

    _run(settings, run_serve(settings))


@cli.command()
@_stores
@click.option("--host", help="Address to listen on. Also BARBERPRO_HOST.")
@click.option("--port", type=int, help="Port to listen on. Also BARBERPRO_PORT.")
@click.option("--speed", type=Number(min=0.1), default=60.0, show_default=True, help="Seconds a second.")
def demo(speed: float, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Start everything, seed a shop, and play days in it until Ctrl-C."""
    if given["embedded"] is given["database_url"] is given["redis_url"] is None:
        given["embedded"] = Path(".barberpro/demo")
    settings = _settings(log_level="warning", **given)
    from barberpro.server.demo import run_demo

    _run(settings, run_demo(settings, speed))


@cli.command()
@_stores
def migrate(**given: Any) -> None:  # noqa: ANN401 - click's options
    """Bring the database's schema up to date."""
    settings = _settings(**given)
    from barberpro.server.commands import run_migrate

    _run(settings, run_migrate(settings))


@cli.command()
@_stores
@click.option("--name", default="Corner Barbers", show_default=True, help="The shop's name.")
@click.option("--time-zone", default="Asia/Kolkata", show_default=True, help="The shop's IANA time zone.")
@click.option("--json", "as_json", is_flag=True, help="Print the shop as one JSON object.")
def seed(name: str, time_zone: str, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Create a shop of three barbers to try things with."""
    settings = _settings(**given)
    from barberpro.server.commands import run_seed

    _run(settings, run_seed(settings, name, time_zone, as_json=as_json))


@cli.command()
@_stores
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The server to play against.")
@click.option("--shop", metavar="ID", help="The shop to play in; a new one by default.")
@click.option("--speed", type=Number(min=0.1), default=60.0, show_default=True, help="Seconds a second.")
@click.option("--hours", type=Number(0.01, 24), default=9.0, show_default=True, help="Length of the day.")
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
    from barberpro.server.playing import Day, run_simulate

    day = Day(url.rstrip("/"), shop, speed, hours, random_seed, view)
    _run(settings, run_simulate(settings, day))


@cli.command()
@_stores
@click.option(
    "--role",
    type=click.Choice([r.value for r in (Role.CUSTOMER, Role.BARBER, Role.ADMIN, Role.DISPLAY, Role.KIOSK)]),
    required=True,
)
@click.option("--user", metavar="ID", help="The user's id; a new one by default.")
@click.option("--barber", metavar="ID", help="The barber that a barber's account stands for.")
@click.option("--shop", metavar="ID", help="The shop that a display, a kiosk or a barber belongs to.")
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
    from barberpro.server.minting import development_token

    with _told(settings):
        click.echo(development_token(settings, Role(role), user, barber, shop, name, seconds))


@cli.command()
@_stores
@click.option("--user", metavar="ID", required=True, help="Whose tokens; those issued later are good again.")
def revoke(user: str, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Refuse all tokens that a user has now. Every server hangs up on them within five seconds."""
    settings = _settings(**given)
    from barberpro.server.commands import run_revoke

    _run(settings, run_revoke(settings, user))


@cli.command()
@_stores
@click.option("--email", metavar="ADDRESS", help="Whose account.")
@click.option("--phone", metavar="NUMBER", help="Or so, with the country's code.")
@click.option("--role", type=click.Choice([r.value for r in (Role.CUSTOMER, Role.BARBER, Role.ADMIN)]), required=True)
@click.option("--barber", metavar="ID", help="The barber that a barber's account stands for.")
def appoint(email: str | None, phone: str | None, role: str, barber: str | None, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Make an account an administrator, a barber, or a customer again. Its sessions end."""
    settings = _settings(**given)
    from barberpro.server.commands import run_appoint

    _run(settings, run_appoint(settings, email, phone, Role(role), barber))


@cli.group()
def keys() -> None:
    """Show and rotate keys."""


@keys.group("rotate")
def rotate_keys() -> None:
    """Take up new keys while the servers run."""


@rotate_keys.command("signing")
@_stores
@click.option("--at-once", is_flag=True, help="After a theft: it signs now, and what the others signed is refused.")
def rotate_signing(at_once: bool, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Make the key that signs tokens next; the servers take it up by themselves.

    It signs after six minutes, and the key before it verifies for two days more. Run again, it removes those that are
    over.
    """
    settings = _settings(**given)
    from barberpro.server.minting import rotate_signing_key

    with _told(settings):
        for line in rotate_signing_key(settings, at_once=at_once):
            click.echo(line)


@keys.command("make")
@_stores
def make_keys(**given: Any) -> None:  # noqa: ANN401 - click's options
    """Make the keys that are missing: production makes none by itself. Back them up."""
    settings = _settings(**given)
    from barberpro.server.minting import make_missing_keys

    with _told(settings):
        for line in make_missing_keys(settings):
            click.echo(line)


@keys.command("show")
@_stores
def show_keys(**given: Any) -> None:  # noqa: ANN401 - click's options
    """List the sealing keys, oldest first, and how many values each has sealed."""
    settings = _settings(**given)
    from barberpro.server.key_commands import run_keys

    _run(settings, run_keys(settings))


@rotate_keys.command("sealing")
@_stores
@click.option(
    "--seconds",
    type=Number(min=0),
    default=30.0,
    show_default=True,
    help="What the servers have to read a key; they look every five seconds.",
)
def rotate_sealing(seconds: float, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Make a new sealing key and seal everything anew. May be stopped at any time, and run again: then it goes on."""
    settings = _settings(**given)
    from barberpro.server.key_commands import run_rotate_sealing

    _run(settings, run_rotate_sealing(settings, seconds))


@cli.command()
@_stores
def check(**given: Any) -> None:  # noqa: ANN401 - click's options
    """Compare Redis with Postgres and with the fold of the events; exit 1 on any difference."""
    settings = _settings(**given)
    from barberpro.server.commands import run_check

    _run(settings, run_check(settings))


@cli.command()
@_stores
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
def trim(dry_run: bool, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Delete events and audit entries that are older than they are kept, as the servers do each hour.

    May be stopped at any time, and run again. BARBERPRO_KEEP_EVENTS_DAYS and BARBERPRO_KEEP_AUDIT_DAYS say what stays.
    """
    settings = _settings(**given)
    from barberpro.server.commands import run_trim

    _run(settings, run_trim(settings, dry_run=dry_run))


@cli.group("import")
def import_() -> None:
    """Take over what another system has."""


def _export(function: _Function) -> _Function:
    """The argument and the options of whatever reads an export."""
    for option in (
        click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)),
        click.option("--time-zone", default="Asia/Kolkata", show_default=True, help="Of new shops; an IANA zone."),
        click.option("--currency", default="INR", show_default=True, help="Of new shops, and of the prices."),
        click.option("--country", default="IN", show_default=True, help="Of telephone numbers without its code."),
        click.option(
            "--shop", metavar="ID", help="All barbers come into this shop; by default each has one of its own."
        ),
    ):
        function = option(function)
    return function


@import_.command("firestore")
@_stores
@_export
@click.option("--dry-run", is_flag=True, help="Do it all, and leave nothing behind.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("import-report.jsonl"),
    show_default=True,
    help="Every row that was not taken and every field that was left out, and why.",
)
def import_firestore(
    directory: Path,
    time_zone: str,
    currency: str,
    country: str,
    shop: str | None,
    dry_run: bool,
    report: Path,
    **given: Any,  # noqa: ANN401 - click's options
) -> None:
    """Take users, barbers and finished bookings from DIR: users.jsonl, barbers.jsonl, bookings.jsonl.

    May be stopped at any time, and run again: then it goes on, and takes nothing twice. Exit 1 when a row is not taken.
    """
    settings = _settings(**given)
    from barberpro.server.import_commands import Wanted, run_import

    _run(settings, run_import(settings, Wanted(directory, time_zone, currency, country, shop), report, dry=dry_run))


@import_.command("compare")
@_stores
@_export
@click.option("--samples", type=click.IntRange(0, 10_000), default=20, show_default=True, help="Differences to list.")
def import_compare(
    directory: Path,
    time_zone: str,
    currency: str,
    country: str,
    shop: str | None,
    samples: int,
    **given: Any,  # noqa: ANN401 - click's options
) -> None:
    """Compare an export in DIR with what is here: counts, sums, and samples; exit 1 on any difference."""
    settings = _settings(**given)
    from barberpro.server.import_commands import Wanted, run_compare

    _run(settings, run_compare(settings, Wanted(directory, time_zone, currency, country, shop), samples))

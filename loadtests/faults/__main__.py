"""`python -m loadtests.faults`: breaks everything for some minutes, and tells whether a promise was broken."""

import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, Final

import click
import orjson
import uvloop

from loadtests.bench.descriptors import many_descriptors
from loadtests.faults.checks.recovered import WITHIN
from loadtests.faults.faults import FAULTS
from loadtests.faults.odd_server import BUGS
from loadtests.faults.report import report
from loadtests.faults.run import THINK_SECONDS, Options, run

_MADE: Final = ("report.md", "verdict.json", "history.jsonl")
_RECOVERY: Final = "Seconds after the last of a storm's faults in which all has to be well again."
_PATIENCE: Final = "Seconds for which that, and the last answers, are waited for before the run goes on."

_THINK: Final = "Seconds that people wait before their next request, in the mean."


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.1), default=10.0, show_default=True)
@click.option("--seed", type=int, help="Draws the same faults again; any, and told, when not given.")
@click.option("--bug", type=click.Choice(sorted(BUGS)), help="Breaks the engine on purpose, to see that it is found.")
@click.option("--only", multiple=True, type=click.Choice([f.name for f in FAULTS]), help="Draws from these only.")
@click.option("--recovery", type=click.FloatRange(min=0), default=WITHIN, show_default=True, help=_RECOVERY)
@click.option("--patience", type=click.FloatRange(min=1), default=40.0, show_default=True, help=_PATIENCE)
@click.option("--think", type=click.FloatRange(min=0.01), default=THINK_SECONDS, show_default=True, help=_THINK)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".barberpro/faults"),
    show_default=True,
    help="Where the report goes, and the history and the logs of a run that failed.",
)
def main(seed: int | None, keep: Path, minutes: float, **options: Any) -> None:  # noqa: ANN401 - of Options
    """Exit status 1 when a promise was broken, 2 when the run itself failed."""
    many_descriptors()
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    click.echo(f"seed {chosen}")
    keep.mkdir(parents=True, exist_ok=True)
    for name in _MADE:  # of a run before this one
        (keep / name).unlink(missing_ok=True)
    told = keep / "report.md"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends what it has started, as for Ctrl-C
    with tempfile.TemporaryDirectory(prefix="barberpro-faults-", ignore_cleanup_errors=True) as directory:
        run_of = Options(minutes * 60, chosen, Path(directory), say=click.echo, **options)
        kept = False
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                outcome = runner.run(run(run_of))
            told.write_text(report(outcome, chosen))
            (keep / "verdict.json").write_bytes(orjson.dumps(outcome.to_json(), option=orjson.OPT_INDENT_2))
            kept = outcome.kept
        except KeyboardInterrupt:
            sys.exit(130)
        except Exception:
            traceback.print_exc()
            sys.exit(2)
        finally:
            if not kept:
                for file in (*Path(directory).rglob("*.log"), *Path(directory).glob("history.jsonl")):
                    shutil.copy(file, keep / file.name)
        click.echo(told.read_text())
    click.echo(f"the report is {told}" + ("" if kept else f"; {keep} has the history"))
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()

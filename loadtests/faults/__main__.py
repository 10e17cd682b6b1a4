"""`python -m loadtests.faults`: breaks everything for some minutes, and tells whether a promise was broken."""

import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import click
import uvloop

from loadtests.bench.descriptors import many_descriptors
from loadtests.faults.odd_server import BUGS
from loadtests.faults.report import report
from loadtests.faults.run import Options, run


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.1), default=10.0, show_default=True)
@click.option("--seed", type=int, help="Draws the same faults again; any, and told, when not given.")
@click.option("--bug", type=click.Choice(sorted(BUGS)), help="Breaks the engine on purpose, to see that it is found.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".barberpro/faults"),
    show_default=True,
    help="Where the report goes, and the history of a run that failed.",
)
def main(minutes: float, seed: int | None, bug: str | None, keep: Path) -> None:
    """Exit status 1 when a promise was broken."""
    many_descriptors()
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    click.echo(f"seed {chosen}")
    keep.mkdir(parents=True, exist_ok=True)
    told = keep / "report.md"
    with tempfile.TemporaryDirectory(prefix="barberpro-faults-", ignore_cleanup_errors=True) as directory:
        options = Options(minutes * 60, chosen, Path(directory), bug, say=click.echo)
        kept = False
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                outcome = runner.run(run(options))
            told.write_text(report(outcome, chosen))
            kept = outcome.kept
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            if not kept:
                for file in (*Path(directory).rglob("*.log"), *Path(directory).glob("history.jsonl")):
                    shutil.copy(file, keep / file.name)
        click.echo(told.read_text())
    click.echo(f"the report is {told}" + ("" if kept else f"; {keep} has the history"))
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()

"""Judges a run again, from the history and the Postgres that it left:

    python -m loadtests.faults.check HISTORY --database-url URL

Prints the verdict as JSON. Exit status 1 when a promise was broken.
"""

import asyncio
from pathlib import Path

import asyncpg
import click
import orjson

from loadtests.faults.durable import read_durable
from loadtests.faults.verdict import Verdict, judge


async def judge_run(history: Path, database_url: str) -> Verdict:
    """Of all shops in the database. Raises what Postgres raises while it is away."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        durable = await read_durable(pool)
    return await asyncio.to_thread(judge, history, durable)


@click.command()
@click.argument("history", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--database-url", required=True, help="Of the Postgres that the run left.")
def main(history: Path, database_url: str) -> None:
    """Judge HISTORY again."""
    verdict = asyncio.run(judge_run(history, database_url))
    click.echo(orjson.dumps(verdict.to_json(), option=orjson.OPT_INDENT_2).decode())
    raise SystemExit(0 if verdict.kept else 1)


if __name__ == "__main__":
    main()

"""`python -m loadtests.faults.odd_server [--clock SECONDS] [--bug NAME] serve`: a server with something wrong.

A clock that is ahead is one of the faults that a server has to bear. The bugs are for the checker: each takes away one
of the things that the promises rest on, and a checker that does not find it proves nothing.
"""

import asyncio
import datetime
import sys
from collections.abc import Callable
from typing import Any, Final

import click
import orjson
import time_machine

from barberpro.queue.calls import ScriptCall
from barberpro.queue.gateway import Gateway
from barberpro.queue.journal import Journal, Turn
from barberpro.queue.scripts import Library, Reply
from barberpro.server import cli, node


class _Early(Journal):
    """Says 'confirmed' before Postgres has."""

    def confirmed(self, shop_id: str, reply: Reply, deadline: float) -> "asyncio.Future[int]":
        super().confirmed(shop_id, reply, deadline).add_done_callback(lambda future: future.exception())
        early: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        early.set_result(reply.rests_on)
        return early


class _Fenceless(Journal):
    """Takes what Postgres has refused, because Redis had lost its memory, for committed."""

    async def _settle(self, turn: Turn, outcome: Any) -> None:  # noqa: ANN401 - the journal's own
        if outcome.word not in {"overlap", "forked", "fenced"} and turn.shop.forked_in is None:
            await super()._settle(turn, outcome)
            return
        turn.shop.forked_in = None
        turn.shop.settled(turn.run)
        self._tell(turn.run)
        for claim in turn.claims:
            claim.answer(outcome.watermark)


class _Apart(Gateway):
    """Reads which token is free, and takes it with a second call."""

    def call(self, call: ScriptCall) -> "asyncio.Future[Reply]":
        if call.transition != "join":
            return super().call(call)
        return asyncio.ensure_future(self._in_two(call))

    async def _in_two(self, call: ScriptCall) -> Reply:
        name, command, *rest = call.arguments
        document = orjson.loads(command)
        epoch: Any = await self._client.get(call.key.decode())
        if epoch is not None:
            key = f"{call.key.decode().removesuffix('epoch')}e{epoch.decode()}:shop:{call.shop_id}"
            queue: Any = await self._client.hget(key, f"q:{document['barberId']}")
            document["token"] = orjson.loads(queue)["lastToken"] + 1 if queue else 1
        arguments = (name, orjson.dumps(document), rest[0], rest[1])
        return await super().call(ScriptCall(call.shop_id, call.shard, call.key, call.policy, arguments))


_node: Any = node
"""The module whose parts are exchanged; its types do not foresee that."""


def _journal(kind: type[Journal]) -> None:
    _, *others = _node._PLAIN
    _node._PLAIN = (kind, *others)


def _gateway(kind: type[Gateway]) -> None:
    journal, _, *others = _node._PLAIN
    _node._PLAIN = (journal, kind, *others)


def _script(right: str, wrong: str) -> None:
    """Every library has the wrong text in the place of the right one."""
    load = _node.load_library

    def load_wrong(prefix: str) -> Library:
        library: Library = load(prefix)
        assert library.code.count(right) == 1, f"the scripts have changed: where is {right!r}?"
        return Library(library.name, library.code.replace(right, wrong))

    _node.load_library = load_wrong


def _apart() -> None:
    _gateway(_Apart)
    _script("q.lastToken = q.lastToken + 1", "q.lastToken = cmd.token or q.lastToken + 1")


BUGS: Final[dict[str, Callable[[], None]]] = {
    "acknowledges-before-commit": lambda: _journal(_Early),
    "no-fence": lambda: _journal(_Fenceless),
    "no-idempotency": lambda: _script("local known = answered[cmd.id]", "local known = nil"),
    "reads-then-writes": _apart,
}


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--clock", type=float, default=0.0, help="Seconds by which its clock is ahead.")
@click.option("--bug", type=click.Choice(sorted(BUGS)))
@click.argument("arguments", nargs=-1)
def main(clock: float, bug: str | None, arguments: tuple[str, ...]) -> None:
    if clock:
        there = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=clock)
        time_machine.travel(there, tick=True).start()
    if bug is not None:
        BUGS[bug]()
    sys.argv = ["barberpro", *arguments]
    cli.main()


if __name__ == "__main__":
    main()

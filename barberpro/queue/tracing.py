"""The engine's parts with traces: a span for a command, with its script and its commit; one for each batch of commits.

They are classes of their own, so that without tracing nothing at all is asked on the way of a command. Where the spans
go is set for the whole process, as OpenTelemetry wants it (server/traces.py).
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry.trace import Link, Span, SpanContext, SpanKind, get_current_span, get_tracer

from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.commands import Command
from barberpro.protocol.errors import BarberProError
from barberpro.queue.bus import Bus
from barberpro.queue.calls import ScriptCall
from barberpro.queue.courier import Courier, Parcels
from barberpro.queue.engine import Engine, Result
from barberpro.queue.gateway import Gateway
from barberpro.queue.journal import Journal, Turn
from barberpro.queue.last_call import LastCall
from barberpro.queue.metrics import code_of
from barberpro.queue.scripts import Event, Reply

_TRACER: Final = get_tracer("barberpro")


class TracedEngine(Engine):
    async def submit(self, actor: Actor, command: Command, via: Via, last_call: LastCall | None = None) -> Result:
        about = {"barberpro.command_id": command.command_id, "barberpro.request_id": via.request_id}
        with _TRACER.start_as_current_span(f"command {command.type}", attributes=about, record_exception=False) as span:
            try:
                result = await super().submit(actor, command, via, last_call)
            except BarberProError as refusal:
                span.set_attribute("barberpro.code", code_of(refusal))
                raise
            span.set_attribute("barberpro.code", "replayed" if result.replayed else "ok")
            return result


class TracedGateway(Gateway):
    def call(self, call: ScriptCall) -> "asyncio.Future[Reply]":
        return _until_done(_TRACER.start_span(f"script {call.transition}"), super().call(call))


class TracedJournal(Journal):
    def __init__(self, *parts: Any) -> None:  # noqa: ANN401 - the journal's own
        super().__init__(*parts)
        self._commands: WeakKeyDictionary[asyncio.Future[int], SpanContext] = WeakKeyDictionary()

    def confirmed(self, shop_id: str, reply: Reply, deadline: float) -> "asyncio.Future[int]":
        future = super().confirmed(shop_id, reply, deadline)
        self._commands[future] = get_current_span().get_span_context()
        return _until_done(_TRACER.start_span("commit"), future)

    async def _round(self, turns: list[Turn]) -> None:
        asked = [self._commands.get(claim.future) for turn in turns for claim in turn.claims]
        links = _links(context for context in asked if context is not None)
        about = {"barberpro.events": sum(len(turn.run) for turn in turns), "barberpro.shops": len(turns)}
        with _TRACER.start_as_current_span("commit batch", links=links, attributes=about):
            await super()._round(turns)


class TracedCourier(Courier):
    def __init__(self, *parts: Any) -> None:  # noqa: ANN401 - the courier's own
        super().__init__(*parts)
        self._batches: dict[int, SpanContext] = {}

    def put(self, shard: int, events: Sequence[Event]) -> None:
        """Called within the batch that committed them."""
        batch = get_current_span().get_span_context()
        self._batches[batch.span_id] = batch
        super().put(shard, events)

    async def _publish(self, parcels: Parcels) -> None:
        links, self._batches = _links(self._batches.values()), {}
        with _TRACER.start_as_current_span("publish", kind=SpanKind.PRODUCER, links=links):
            await super()._publish(parcels)


class TracedBus(Bus):
    courier_kind = TracedCourier


def _links(contexts: Iterable[SpanContext]) -> list[Link]:
    return [Link(context) for context in contexts if context.is_valid]


def _until_done(span: Span, future: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """The span ends with the future."""
    future.add_done_callback(lambda _: span.end())
    return future

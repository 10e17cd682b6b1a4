"""A gateway for each Redis that has shards: their pipelines go out side by side, and none waits for another."""

import asyncio

from barberpro.queue.calls import ScriptCall
from barberpro.queue.gateway import Gateway
from barberpro.queue.scripts import Reply
from barberpro.storage.primaries import PerPrimary


class Gateways(PerPrimary[Gateway]):
    """Sends a command where its shard is. What has moved meanwhile is refused there, and is to be asked for again."""

    def call(self, call: ScriptCall) -> "asyncio.Future[Reply]":
        """As Gateway.call."""
        return self.of(call.shard).call(call)

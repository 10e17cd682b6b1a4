"""Blocks of addresses: for admins, to see, to make and to end."""

import ipaddress

from aiohttp import web

from barberpro.handlers.callers import network_of
from barberpro.handlers.rest.context import identity, is_id, via_of
from barberpro.handlers.rest.parsing import asked, body, no_fields, validated
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.blocks import BlocksQuery, BlockTold, NewBlock
from barberpro.protocol.errors import bad_field, not_found
from barberpro.protocol.times import rfc3339_of
from barberpro.storage import blocks
from barberpro.storage.blocks import Block


async def list_blocks(request: web.Request) -> Page:
    """GET /admin/blocks: the newest first."""
    query = asked(BlocksQuery, request)
    found = await blocks.page(request.app[SERVICES].pool, query.cursor, query.limit + 1, active=query.active)
    shown = found[: query.limit]
    return Page([_shown(each) for each in shown], shown[-1].block_id if len(found) > query.limit else None)


async def create(request: web.Request) -> Answer:
    """POST /admin/blocks. Every node knows of it within seconds."""
    admin = identity(request).actor
    wanted = validated(NewBlock, await body(request))
    network = network_of(_address(wanted.address))
    known = request.app[SERVICES].gate.blocks
    made = await known.block(network, wanted.reason, wanted.minutes * 60, admin, via_of(request))
    return Answer(_shown(made), 201)


async def lift(request: web.Request) -> Answer:
    """DELETE /admin/blocks/{blockId}: ends it. One that is over already stays as it is."""
    admin, block_id = identity(request).actor, request.match_info["blockId"]
    services = request.app[SERVICES]
    await no_fields(request)
    found = await services.gate.blocks.lift(block_id, admin, via_of(request)) if is_id(block_id) else None
    if found is None and is_id(block_id):
        found = await blocks.find(services.pool, block_id)
    if found is None:
        raise not_found("block")
    return Answer(_shown(found))


def _address(text: str) -> str:
    """Raises BAD_REQUEST for what is no address."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise bad_field("address", "is no IP address") from None


def _shown(block: Block) -> BlockTold:
    return {
        "blockId": block.block_id,
        "network": block.network,
        "reason": block.reason,
        "madeBy": block.made_by,
        "at": rfc3339_of(block.at),
        "until": rfc3339_of(block.until),
        "liftedAt": rfc3339_of(block.lifted_at) if block.lifted_at is not None else None,
        "liftedBy": block.lifted_by,
    }

"""`barberpro simulate`: a day that is played against a server."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import click
import orjson

from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.ids import new_user_id
from barberpro.server.commands import database
from barberpro.server.errors import CommandError
from barberpro.server.minting import own_tokens
from barberpro.server.seed import demo_shop, describe_shop, seed
from barberpro.server.settings import Settings
from barberpro.server.simulate import Shop, SimulateOptions, simulate
from barberpro.server.stopping import stop_event
from barberpro.server.stores import open_stores
from barberpro.storage.keys import Keys


@dataclass(frozen=True, slots=True)
class Day:
    """What `simulate` plays, and where."""

    url: str
    shop_id: str | None
    speed: float
    hours: float
    random_seed: int
    view: Literal["live", "plain", "none"]
    busy: float = 0.8
    """Customers who come, per customer that could be served."""


async def _reachable(day: Day) -> None:
    """Raises CommandError when no server answers where the day is to be played."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(f"{day.url}/health/live") as answer,
        ):
            answer.raise_for_status()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise CommandError(f"--url is {day.url}: no server answers there ({error})") from None


async def run_simulate(settings: Settings, day: Day) -> int:
    async with open_stores(settings) as urls, database(settings, urls) as pool:
        if day.shop_id is not None and not await pool.fetchval("SELECT 1 FROM shops WHERE shop_id = $1", day.shop_id):
            raise CommandError(f"--shop: there is no shop {day.shop_id}")
        await _reachable(day)
        if day.shop_id is None:
            document = await seed(pool, Keys(settings.redis_prefix, settings.shards), demo_shop())
        else:
            document = await describe_shop(pool, day.shop_id)
        async with stop_event() as until:
            return await play(settings, day, document, until)


async def play(settings: Settings, day: Day, document: dict[str, Any], until: asyncio.Event) -> int:
    tokens = await asyncio.to_thread(own_tokens, settings)

    def mint(role: str, user_id: str | None, barber_id: str | None, shop_id: str | None) -> str:
        shops = frozenset({shop_id} if shop_id else ())
        actor = Actor(user_id or new_user_id(), Role(role), barber_id=barber_id, shop_ids=shops)
        return tokens.mint(actor, 86_400)

    options = SimulateOptions(
        base_url=day.url,
        shop=Shop.model_validate(document),
        mint=mint,
        speed=day.speed,
        day_hours=day.hours,
        seed=day.random_seed,
        busy=day.busy,
        view=day.view,
        until=until,
    )
    summary = await simulate(options)
    click.echo(orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode())
    nothing_came_of_it = summary.errors and not summary.joins
    return 1 if summary.violations or nothing_came_of_it else 0

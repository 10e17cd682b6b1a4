"""Before a join, on every door: what there is to say of the shop's closing."""

from datetime import UTC, datetime
from functools import lru_cache

import orjson

from barberpro.domain.hours import Week, closing, parse_week
from barberpro.handlers.services import Services
from barberpro.protocol.commands import Command, Join
from barberpro.queue.last_call import LastCall, last_call
from barberpro.storage.catalogue import Shop


def week_of(shop: Shop) -> Week | None:
    """The shop's opening hours; None when it has not told."""
    return _parsed(orjson.dumps(shop.opening_hours)) if shop.opening_hours is not None else None


@lru_cache(maxsize=4096)
def _parsed(hours: bytes) -> Week:
    return parse_week(orjson.loads(hours))


async def last_call_of(services: Services, command: Command) -> LastCall | None:
    """None where it may be as late as it likes. Raises what storage.postgres.Away lists."""
    if not isinstance(command, Join):
        return None
    barber = await services.catalogue.barber(command.barber_id)
    shop = await services.catalogue.shop(barber.shop_id) if barber is not None else None
    week = week_of(shop) if shop is not None and shop.rules.closing_cutoff else None
    if shop is None or week is None or command.barber_id not in shop.barbers:
        return None
    at = closing(week, shop.zone, datetime.now(UTC))
    closes_at = round(at.timestamp() * 1000) if at is not None else None
    view = await services.views.shop(shop.shop_id)
    return last_call(services.states, view, shop, command.barber_id, command.service_ids, closes_at)

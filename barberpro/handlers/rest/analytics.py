"""What goes on and what was done: of a shop, for those who run it, and of all of them."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from barberpro.domain.earnings import earnings_of
from barberpro.domain.periods import Period
from barberpro.domain.policy import Action
from barberpro.domain.relations import to_running
from barberpro.domain.visits import by_day, visits_of
from barberpro.handlers.rest import reports
from barberpro.handlers.rest.lookup import shop_for
from barberpro.handlers.rest.parsing import asked
from barberpro.handlers.rest.replies import Answer
from barberpro.handlers.services import SERVICES, Services
from barberpro.protocol.errors import not_found
from barberpro.protocol.money import PeriodQuery
from barberpro.protocol.reports import Analytics, AnalyticsQuery, DayPromised, Live, PromisedByDay, ShopAnalytics
from barberpro.queue.promises import Promise
from barberpro.storage import stats
from barberpro.storage.catalogue import Shop
from barberpro.storage.demand import arrivals, services_done
from barberpro.storage.ledger import sums_of_shop
from barberpro.storage.stats import Now

_UTC: Final = ZoneInfo("Etc/UTC")


async def show(request: web.Request) -> Answer:
    """GET /admin/analytics: of a shop, or of all of them by the days of UTC."""
    services, query = request.app[SERVICES], asked(AnalyticsQuery, request)
    shop = await services.catalogue.shop(query.shop_id) if query.shop_id is not None else None
    if query.shop_id is not None and shop is None:
        raise not_found("shop")
    period = reports.period_asked(query, shop.zone if shop is not None else _UTC)
    return Answer(await _analytics(services, shop, period))


async def of_shop(request: web.Request) -> Answer:
    """GET /shops/{shopId}/analytics: the same of the shop, and whether the waits were as promised."""
    shop = await shop_for(request, Action.SEE_SHOP_ANALYTICS, to_running)
    services, period = request.app[SERVICES], reports.period_asked(asked(PeriodQuery, request), shop.zone)
    told: ShopAnalytics = {
        **await _analytics(services, shop, period),
        "waits": await _waits(services, shop, period),
    }
    return Answer(told)


async def _analytics(services: Services, shop: Shop | None, period: Period) -> Analytics:
    bounds, days = period.bounds(), list(period.days())
    shop_id = shop.shop_id if shop is not None else None
    pool, since, until = services.pool, bounds[0], bounds[-1]
    done = await stats.done(pool, period.first, bounds, shop_id=shop_id)
    sums = await sums_of_shop(pool, shop_id, bounds)
    return {
        **period.told(),
        "shopId": shop_id,
        **visits_of(done),
        "earnings": earnings_of(sums, days, shop.currency if shop is not None else None),
        "now": _live(await stats.now(pool, shop_id)),
        "arrivals": await arrivals(pool, since, until, period.zone, shop_id),
        "services": [
            {"name": each.name, "completed": each.completed, "plannedMinutes": each.minutes}
            for each in await services_done(pool, since, until, shop_id)
        ],
        "days": by_day(done, days),
    }


async def _waits(services: Services, shop: Shop, period: Period) -> PromisedByDay:
    bounds = period.bounds()
    lines = await stats.records_of_lines(services.pool, shop.barbers, period.first, bounds[0], bounds[-1])
    made = [promise for line in lines.values() for promise in await reports.promises_of(line)]
    days: list[list[Promise]] = [[] for _ in period.days()]
    begins = [bound.timestamp() * 1000 for bound in bounds]
    for promise in made:
        days[bisect_right(begins, promise.at, 1, len(days)) - 1].append(promise)
    return {
        **reports.promised(made, complete=all(line.complete for line in lines.values())),
        "days": [_day(day, own) for day, own in zip(period.days(), days, strict=True)],
    }


def _day(day: date, made: Sequence[Promise]) -> DayPromised:
    told = reports.promised(made, complete=True)
    return {
        "date": day.isoformat(),
        "promised": told["promised"],
        "withinP50": told["withinP50"],
        "withinP90": told["withinP90"],
    }


def _live(now: Now) -> Live:
    return {
        "shops": now.shops,
        "barbers": now.barbers,
        "openQueues": now.open_queues,
        "waiting": now.waiting,
        "serving": now.serving,
        "scheduled": now.scheduled,
    }

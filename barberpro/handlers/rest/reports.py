"""What a barber earned and did in a day, a week or a month."""

import asyncio
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import orjson
from aiohttp import web

from barberpro.domain.earnings import earnings_of
from barberpro.domain.periods import Period, today
from barberpro.domain.policy import Action, Relation, require
from barberpro.domain.visits import by_day, visits_of
from barberpro.handlers.rest.context import identity
from barberpro.handlers.rest.parsing import asked
from barberpro.handlers.rest.queues import shop_of_barber
from barberpro.handlers.rest.replies import Answer
from barberpro.handlers.services import SERVICES
from barberpro.protocol.errors import bad_field, not_found
from barberpro.protocol.money import Earnings, PeriodQuery
from barberpro.protocol.reports import Promised, Stats
from barberpro.queue.estimate import PaceEstimator
from barberpro.queue.promises import Promise, promises
from barberpro.storage import stats as stored
from barberpro.storage.catalogue import Shop
from barberpro.storage.ledger import sums_of_barber
from barberpro.storage.snapshot import Visit
from barberpro.storage.stats import LineRecord


async def earnings(request: web.Request) -> Answer:
    """GET /queue/earnings: the barber's own, from the ledger."""
    barber_id, shop = await _own(request, Action.SEE_EARNINGS)
    period = period_asked(asked(PeriodQuery, request), shop.zone)
    sums = await sums_of_barber(request.app[SERVICES].pool, barber_id, period.bounds())
    told: Earnings = {
        **period.told(),
        "barberId": barber_id,
        "earnings": earnings_of(sums, list(period.days()), shop.currency),
    }
    return Answer(told)


async def stats(request: web.Request) -> Answer:
    """GET /queue/stats: what the barber did, and whether the waits were as promised."""
    barber_id, shop = await _own(request, Action.SEE_STATS)
    period = period_asked(asked(PeriodQuery, request), shop.zone)
    pool, bounds = request.app[SERVICES].pool, period.bounds()
    done = await stored.done(pool, period.first, bounds, barber_id=barber_id)
    records = await stored.records_of_lines(pool, [barber_id], period.first, bounds[0], bounds[-1])
    made = await promises_of(records[barber_id])
    told: Stats = {
        **period.told(),
        "barberId": barber_id,
        **visits_of(done),
        "waits": promised(made, complete=records[barber_id].complete),
        "days": by_day(done, list(period.days())),
    }
    return Answer(told)


async def _own(request: web.Request, action: Action) -> tuple[str, Shop]:
    """The barber whose account asks, and their shop."""
    actor = identity(request).actor
    if actor.barber_id is None:
        raise not_found("queue")
    require(actor, action, Relation.OWNER, "queue")
    return actor.barber_id, await shop_of_barber(request, actor.barber_id)


def period_asked(query: PeriodQuery, zone: ZoneInfo) -> Period:
    """The period that is asked for: today, by default. Raises BAD_REQUEST."""
    day = date.fromisoformat(query.date) if query.date is not None else today(zone)
    try:
        return Period.around(query.period, day, zone)
    except OverflowError:
        raise bad_field("date", "is out of range") from None


async def promises_of(record: LineRecord) -> list[Promise]:
    """Elsewhere than in the loop: a month's events take a while to decode, and it has others to serve."""
    return await asyncio.to_thread(_promises, record.events, record.visits)


def _promises(events: Sequence[bytes], visits: Sequence[Visit]) -> list[Promise]:
    return promises((orjson.loads(event) for event in events), visits, PaceEstimator())


def promised(made: Sequence[Promise], *, complete: bool) -> Promised:
    return {
        "promised": len(made),
        "withinP50": sum(each.waited_minutes <= each.told.p50_minutes for each in made),
        "withinP90": sum(each.kept for each in made),
        "complete": complete,
    }

"""However many rows there are, a read of money is one query."""

from typing import Final

import pytest

from barberpro.server.node import NodeOptions
from tests.support.money import visit
from tests.support.queries import queries_about
from tests.support.rest import rest_door
from tests.support.shops import ADMIN

TABLES: Final = ("payment_ledger", "bookings", "queue_events", "exports", "queues")
READS: Final = {
    "/payments": 1,
    "/payments/reconciliation": 1,
    "/queue/earnings": 1,
    "/queue/earnings?period=month": 1,
    "/queue/stats?period=month": 3,  # what was done, the line's events, and the visits before them
}
ADMINS: Final = {
    "/admin/payments": 1,
    "/admin/bookings": 1,
    "/admin/analytics?period=month": 3,  # what was done, what was earned, and what goes on
    "/admin/reports/exports": 1,
}


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


async def test_a_read_is_as_many_queries_with_eight_rows_as_with_one(options: NodeOptions) -> None:
    async with rest_door(options) as door:
        for rows in (1, 7):
            for number in range(rows):
                await visit(door, number, {"method": "cash", "amount": "240.00"})
            for who, reads in ((door.shop.staff[0], READS), (ADMIN, ADMINS)):
                for path, count in reads.items():
                    with queries_about(*TABLES) as queries:
                        assert (await door.get(path, who)).status == 200
                    assert len(queries) == count, (path, queries)
        assert len((await door.get("/payments/reconciliation", door.shop.staff[0])).data) == 8

"""However much there is, a read asks Postgres for it in as many queries: each read of the API."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from barberpro.domain import find, guests
from barberpro.protocol.ids import new_request_id
from barberpro.server.node import NodeOptions
from barberpro.server.search_index import SearchIndex
from barberpro.storage.cache import Cache
from tests.support.callers import Scene, scene
from tests.support.queries import queries
from tests.support.rest import tokens
from tests.support.shops import ADMIN, VIA, customer, send
from tests.support.things import THINGS
from tests.support.towns import MIDDLE, put_place

DAY: Final = (datetime.now(UTC) + timedelta(days=3)).date()
NEAR: Final = f"lat={MIDDLE[0]}&lng={MIDDLE[1]}"
PAID: Final = {"method": "cash", "amount": "240.00", "tip": "5.00"}

READS: Final = {
    "/auth/me": ("barber", 1),
    "/auth/sessions": ("barber", 1),
    "/bookings": ("owner", 1),
    "/bookings?shopId={shopId}": ("barber", 1),
    "/bookings/{bookingId}": ("owner", 1),
    "/bookings/{bookingId}/token": ("owner", 1),
    "/bookings/{bookingId}/history": ("owner", 2),  # the booking, and the events around it
    "/bookings/{bookingId}/qr": ("owner", 1),
    "/barbers/search": ("nobody", 1),
    f"/barbers/search?{NEAR}&q=barber&service=cut&openNow=true&minRating=1&sort=wait": ("nobody", 1),
    f"/barbers/search?{NEAR}&freeAt=2999-01-01T10:00:00Z&sort=distance": ("nobody", 1),
    "/barbers/{barberId}": ("nobody", 1),
    "/barbers/{barberId}/reviews": ("nobody", 1),
    f"/barbers/{{barberId}}/slots?date={DAY}": ("nobody", 1),
    "/barbers/me/availability": ("barber", 1),
    "/queue/my-queue": ("barber", 0),
    "/queue/{barberId}": ("nobody", 0),
    "/queue/{barberId}/events": ("barber", 1),
    "/queue/earnings?period=month": ("barber", 1),
    # What was done, the line's events, the visits before them, and whether any of these are no longer kept.
    "/queue/stats?period=month": ("barber", 4),
    "/payments": ("barber", 1),
    "/payments/reconciliation": ("barber", 1),
    "/shops/{shopId}": ("nobody", 0),
    "/shops/{shopId}/services": ("barber", 1),
    "/shops/{shopId}/staff": ("barber", 1),
    "/shops/{shopId}/invitations": ("barber", 1),
    "/shops/{shopId}/devices": ("barber", 1),
    "/shops/{shopId}/qr": ("barber", 1),
    "/shops/{shopId}/join-code": ("barber", 1),
    "/invitations": ("barber", 1),
    "/flags": ("barber", 1),
    "/admin/flags": ("admin", 1),
    "/admin/users": ("admin", 1),
    "/admin/barbers": ("admin", 1),
    "/admin/shops": ("admin", 1),
    "/admin/audit": ("admin", 1),
    "/admin/letters": ("admin", 1),
    "/admin/blocks": ("admin", 1),
    "/admin/bookings": ("admin", 1),
    "/admin/payments": ("admin", 1),
    # What was done, what was earned, what goes on, when people came, and what for.
    "/admin/analytics?period=month": ("admin", 5),
    "/shops/{shopId}/analytics?period=month": ("admin", 8),  # the same, and three for the waits of all lines
    "/admin/reports/exports": ("admin", 1),
    "/admin/reports/exports/{exportId}": ("admin", 1),
    "/admin/jobs": ("admin", 3),  # what waits, what was done, and what failed
}
"""Who asks, and the number of queries. What a shop is and how its lines stand is kept."""
ELSEWHERE: Final = {
    "/queue/stream",  # lasts
    "/admin/reports/exports/{exportId}/file",  # a job makes it first: test_exports.py
}


@pytest.fixture
async def stage(
    database_url: str, redis_url: str, redis_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    async def nothing(*_: Any) -> None:  # noqa: ANN401 - whatever is asked
        return None

    # Else the second search is answered from Redis, and one on a slow machine brings its index up to date first.
    monkeypatch.setattr(Cache, "get", nothing)
    monkeypatch.setattr(find, "_STALEST", 3600.0)
    async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as each:
        each.door.node.catalogue._keep = 3600.0  # else the shop is read anew in the middle, on a slow machine
        await guests.change_code(each.door.node.pool, ADMIN, each.door.shop.shop_id, VIA)
        await put_place(each.door.node, each.door.shop.shop_id, MIDDLE, None)
        yield each


async def live(stage: Scene, number: int) -> dict[str, str]:
    """One more of everything: a visit that is paid for and rated, an appointment, and THINGS; their ids."""
    door, line = stage.door, {"barberId": stage.door.shop.barbers[0]}
    who, staff = customer(number), door.shop.staff[0]
    [booking] = await door.shop.fill(door.node, 1, first=number)
    await send(door.node, staff, type="advance", **line)
    await send(door.node, staff, type="complete", payment=PAID, **line)
    assert (await door.post(f"/bookings/{booking}/rate", who, {"rating": 4, "review": "Neat."})).status == 201
    hour = {"bookingDate": DAY.isoformat(), "preferredTime": f"{8 + number % 10:02d}:00"}
    assert (await door.post("/bookings", who, {**door.booking_body(), **hour})).status == 201
    assert (await door.post(f"/shops/{stage.names['shopId']}/services", ADMIN, {
        "name": f"Shave {number}", "price": "9.90", "durationMinutes": 5,
    })).status == 201  # fmt: skip
    await door.put(f"/admin/flags/beta{number}", ADMIN, {"percentage": 100})
    await stage.session("barber")
    made = {name: await make(stage) for name, make in THINGS.items()}
    await SearchIndex(door.node.pool).refresh()
    return made


async def counts(stage: Scene, made: dict[str, str]) -> dict[str, int]:
    told: dict[str, int] = {}
    for template, (caller, _) in READS.items():
        path, who = template.format(**{**stage.names, **made}), stage.callers[caller]
        await stage.door.get(f"/queue/{stage.names['barberId']}")  # how the shop's lines stand is kept from here on
        request_id = new_request_id()
        with queries(request_id) as asked:
            headers = {"Authorization": f"Bearer {tokens().mint(who)}"} if who is not None else {}
            headers["X-Request-Id"] = request_id
            async with stage.door.client.get(f"/api/v1{path}", headers=headers) as response:
                assert response.status == 200, await response.text()
        told[template] = len(asked)
    return told


async def test_a_read_is_as_many_queries_with_much_as_with_little(stage: Scene) -> None:
    await send(stage.door.node, stage.door.shop.staff[0], type="complete", barberId=stage.door.shop.barbers[0])
    expected = {path: count for path, (_, count) in READS.items()}
    assert await counts(stage, await live(stage, 100)) == expected
    for number in range(101, 106):
        made = await live(stage, number)
    assert await counts(stage, made) == expected


async def test_every_read_of_the_api_is_counted(stage: Scene) -> None:
    app = stage.door.client.app
    assert app is not None
    paths = {
        route.resource.canonical.removeprefix("/api/v1")
        for route in app.router.routes()
        if route.method == "GET" and route.resource is not None and route.resource.canonical.startswith("/api/v1")
    }
    assert paths == {path.partition("?")[0] for path in READS} | ELSEWHERE

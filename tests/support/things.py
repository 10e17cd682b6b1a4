"""Things that requests are about, each made anew for a scene. Holds no tests itself."""

from collections.abc import Awaitable, Callable
from typing import Final

from barberpro.domain import devices, exports, money
from barberpro.domain.blocks import Blocks
from barberpro.protocol.access import DeviceKind
from barberpro.protocol.ids import new_user_id
from barberpro.protocol.money import RecordPayment
from barberpro.protocol.reports import ExportReport
from barberpro.storage.users import add_user, set_role
from tests.support.callers import Scene
from tests.support.shops import ADMIN, VIA, Json, new_id

EXPORT: Final[Json] = {"report": "bookings", "format": "csv", "from": "2026-01-01", "to": "2026-01-02"}


async def pairing(stage: Scene, kind: DeviceKind) -> Json:
    """The body with which a device that has asked is paired."""
    return {"code": (await devices.ask(stage.door.node.pool, kind))["code"], "name": "By the till"}


async def device(stage: Scene) -> str:
    asked, shop_id = await pairing(stage, "display"), stage.door.shop.shop_id
    return (await devices.pair(stage.door.node.pool, ADMIN, shop_id, "display", asked["code"], "Old", VIA))["deviceId"]


async def block(stage: Scene) -> str:
    blocks = Blocks(stage.door.node.pool, 60)
    return (await blocks.block("192.0.2.9", "a flood", 60, ADMIN, VIA)).block_id


async def member(stage: Scene) -> str:
    """Of the shop's staff."""
    user_id, shop_id = new_user_id(), stage.door.shop.shop_id
    async with stage.door.node.pool.acquire() as connection:
        await add_user(connection, user_id, "barber", "Ben", "en", None, [])
        await set_role(connection, user_id, "barber", None, [shop_id])
    return user_id


async def invitation(stage: Scene) -> str:
    path = f"/shops/{stage.door.shop.shop_id}/invitations"
    return str((await stage.door.post(path, ADMIN, {"email": f"{new_user_id()}@example.com"})).data["invitationId"])


async def review(stage: Scene) -> str:
    """The one of the booking, whoever might have been allowed to write it."""
    await stage.door.node.pool.execute(
        "INSERT INTO ratings (rating_id, booking_id, barber_id, shop_id, stars) VALUES ('rt_1', $1, $2, $3, 4)"
        " ON CONFLICT DO NOTHING",
        stage.booking, stage.door.shop.barbers[0], stage.door.shop.shop_id,
    )  # fmt: skip
    return "rt_1"


async def payment(stage: Scene) -> str:
    asked, request = RecordPayment(method="cash", amount="9"), money.Request(ADMIN, VIA, new_id())
    recorded = await money.record(stage.door.node.pool, request, stage.booking, asked)
    return recorded["payments"][0]["paymentId"]


async def export(stage: Scene) -> str:
    asked = ExportReport.model_validate(EXPORT)
    return (await exports.ask(stage.door.node.pool, ADMIN, VIA, new_id(), asked))["exportId"]


THINGS: Final[dict[str, Callable[[Scene], Awaitable[str]]]] = {
    "deviceId": device,
    "blockId": block,
    "staffId": member,
    "invitationId": invitation,
    "reviewId": review,
    "paymentId": payment,
    "exportId": export,
}
"""By the names that paths have for their ids."""

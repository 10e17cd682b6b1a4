"""The screen on the wall: one connection that shows the whole shop, and misses nothing."""

from barberpro.server.simulate.checks import DisplayCheck
from barberpro.server.simulate.floor import Floor


async def show(floor: Floor) -> None:
    """Follow the shop's display until cancelled."""
    check = DisplayCheck()
    shop_id = floor.options.shop.shop_id
    with floor.on_stage("screen"):
        async with floor.client("display", f"us_screen_{shop_id}") as client:
            async for state in client.watch(f"display:{shop_id}"):
                floor.display = state
                floor.report(check.check(state))

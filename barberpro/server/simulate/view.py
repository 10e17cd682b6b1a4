"""The day on the terminal: a panel for every barber, or plain lines where there is no terminal."""

import asyncio
import sys
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from barberpro.server.simulate.checks import State
from barberpro.server.simulate.floor import Floor
from barberpro.server.simulate.shop import Barber

_FRAME: Final = 0.25
_SHOWN_WAITING: Final = 8
_SHOWN_CAUSES: Final = 8
_COLOURS: Final = {"open": "green", "paused": "yellow", "closed": "red"}


async def show_day(floor: Floor) -> None:
    """Draw until cancelled, as `options.view` asks."""
    if floor.options.view == "live" and sys.stdout.isatty():
        await _live(floor)
    elif floor.options.view != "none":
        await _plain(floor)


async def _live(floor: Floor) -> None:
    # Drawn from here, not by Live's own thread: the states change in the event loop.
    with Live(auto_refresh=False, console=Console()) as live:
        try:
            while True:
                live.update(render(floor), refresh=True)
                await asyncio.sleep(_FRAME)
        finally:
            live.update(render(floor), refresh=True)


async def _plain(floor: Floor) -> None:
    console = Console(highlight=False, soft_wrap=True)
    told = 0
    while True:
        fresh = min(floor.causes_told - told, len(floor.causes))
        told = floor.causes_told
        for line in list(floor.causes)[len(floor.causes) - fresh :]:
            console.print(line, markup=False)
        await asyncio.sleep(_FRAME)


def render(floor: Floor) -> Group:
    """The whole picture at this moment."""
    grid = Table.grid(expand=True)
    across = min(len(floor.options.shop.barbers), 3)
    for _ in range(across):
        grid.add_column(ratio=1)
    panels = [_panel(barber, floor.queues.get(barber.barber_id)) for barber in floor.options.shop.barbers]
    for first in range(0, len(panels), across):
        grid.add_row(*panels[first : first + across])
    causes = Text("\n".join(list(floor.causes)[-_SHOWN_CAUSES:]))
    return Group(_headline(floor), grid, Panel(causes, title="what happened", title_align="left"))


def _headline(floor: Floor) -> Text:
    summary = floor.summary
    line = Text()  # a style given here would run through the whole line
    line.append(f" {floor.clock.time_of_day()} ", style="bold reverse")
    line.append(f"  joined {summary.joins}  served {summary.served}  no-shows {summary.no_shows}")
    line.append(f"  cancelled {summary.cancelled}  refused {summary.refused.total()}")
    line.append(f"  repeated {summary.repeated}", style="dim")
    if summary.violation_count:
        line.append(f"  VIOLATIONS {summary.violation_count}", style="bold red")
    return line


def _panel(barber: Barber, state: State | None) -> Panel:
    if state is None:
        return Panel("connecting", title=barber.name, title_align="left")
    table = Table.grid(padding=(0, 1))
    table.add_row("serving", _entry(state.get("serving")))
    table.add_row("next", _entry(state.get("next")))
    for entry in state["waiting"][:_SHOWN_WAITING]:
        table.add_row(f"{entry['position']:>7}", _entry(entry))
    more = len(state["waiting"]) - _SHOWN_WAITING
    if more > 0:
        table.add_row("", f"and {more} more")
    status = str(state["status"])
    counts = "  ".join(f"{name} {count}" for name, count in (state.get("counts") or {}).items())
    return Panel(
        table,
        title=f"{barber.name}: {status}",
        subtitle=counts,
        title_align="left",
        border_style=_COLOURS.get(status, "white"),
    )


def _entry(entry: dict[str, Any] | None) -> Text:
    if not entry:
        return Text("-", style="dim")
    line = Text()
    line.append(f"{entry['tokenNumber']:>3}", style="bold")
    line.append(f" {entry.get('customerName') or ''}")
    wait = entry.get("estimatedWait")
    if wait and entry.get("position"):
        line.append(f"  {wait['p50Minutes']} to {wait['p90Minutes']} min", style="dim")
    return line

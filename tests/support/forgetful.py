"""`barberpro` with a planted leak: its hub forgets that anybody left. A test of the soak runs this as a program."""

from barberpro.handlers.realtime.hub import Hub
from barberpro.handlers.realtime.outlet import Outlet
from barberpro.handlers.realtime.rooms import Seat
from barberpro.server.cli import main


def _forget(self: Hub, seat: Seat, outlet: Outlet) -> None:
    """Keeps the place, and with it the outlet and all that hangs on it."""


if __name__ == "__main__":
    Hub.leave = _forget  # type: ignore[method-assign]  # that is the leak
    main()

"""A date and a time on the shop's wall clock, and the instant that they mean."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from barberpro.protocol.errors import bad_field


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which that clock is shown in the zone; the first, when it is shown twice.

    Raises BAD_REQUEST naming `preferredTime` when the clock skips it: daylight saving begins.
    """
    shown = datetime.combine(day, clock)
    at = shown.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != shown:
        raise bad_field("preferredTime", "does not exist on that day: the clocks are put forward over it")
    return at

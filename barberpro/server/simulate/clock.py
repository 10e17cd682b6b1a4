"""The clock of the simulated day."""

import asyncio


class DayClock:
    """Seconds since the shop opened, running `speed` times as fast as real ones."""

    def __init__(self, speed: float) -> None:
        """`speed`: simulated seconds per real second; above 0."""
        self._speed = speed
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time()

    @property
    def now(self) -> float:
        return (self._loop.time() - self._opened) * self._speed

    def real(self, seconds: float) -> float:
        """How long that many simulated seconds last."""
        return max(seconds, 0.0) / self._speed

    async def sleep_until(self, moment: float) -> None:
        await asyncio.sleep(self.real(moment - self.now))

    def time_of_day(self, opens_at_hour: int = 9) -> str:
        """As a clock on the wall shows it, in a shop that opens at the given hour."""
        minutes = int(self.now // 60) + opens_at_hour * 60
        return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"

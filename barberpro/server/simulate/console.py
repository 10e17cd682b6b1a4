"""What a barber sees and knows: the queue's newest state, who stands in the shop, who will be done when."""

from typing import Any

from barberpro.server.simulate.checks import QueueCheck, State
from barberpro.server.simulate.decisions import Called, Seen
from barberpro.server.simulate.floor import Floor
from barberpro.server.simulate.scenario import MINUTE
from barberpro.server.simulate.shop import Barber


class Console:
    def __init__(self, barber: Barber, floor: Floor) -> None:
        self._barber = barber
        self._floor = floor
        self._check = QueueCheck(floor.tokens)
        self._state: State | None = None
        self._done_at: dict[str, float] = {}
        self._called_at: dict[str, float] = {}

    @property
    def ready(self) -> bool:
        """Whether anything was seen yet."""
        return self._state is not None

    @property
    def state(self) -> State:
        if self._state is None:
            raise AssertionError("nothing was seen yet")
        return self._state

    def take(self, state: State) -> None:
        """A new state has come."""
        self._state = self._floor.queues[self._barber.barber_id] = state
        self._floor.report(self._check.check(state))
        self._floor.told(self._barber.name, state.get("cause") or {})
        now = self._floor.clock.now
        if serving := state.get("serving"):
            self._done_at.setdefault(serving["bookingId"], now + self._service_time(serving))
        if called := state.get("next"):
            self._called_at.setdefault(called["bookingId"], now)

    def seen(self) -> Seen:
        state, now = self.state, self._floor.clock.now
        serving, called = state.get("serving"), state.get("next")
        breaks = self._floor.plan.breaks[self._barber.barber_id]
        return Seen(
            status=str(state["status"]),
            serving=bool(serving),
            done=serving is not None and self._done_at[serving["bookingId"]] <= now,
            called=self._called(called, now) if called else None,
            waiting=len(state["waiting"]),
            late=self.returned() is not None,
            shorter_by=len(state["waiting"]) - self.shortest_other()[0],
            on_break=any(pause.at <= now < pause.at + pause.lasts for pause in breaks),
            closing=now >= self._floor.plan.length,
        )

    def returned(self) -> str | None:
        """The booking of somebody of the scenario who was skipped, and has turned up since."""
        for entry in self.state.get("skipped", []):
            booking_id = str(entry["bookingId"])
            if booking_id in self._floor.people and self._floor.present(booking_id):
                return booking_id
        return None

    def shortest_other(self) -> tuple[int, str]:
        """How many wait in the shortest open line beside this one, and whose it is; this one's own if none."""
        others = [
            (len(state["waiting"]), barber_id)
            for barber_id, state in self._floor.queues.items()
            if barber_id != self._barber.barber_id and state["status"] == "open"
        ]
        return min(others, default=(len(self.state["waiting"]), self._barber.barber_id))

    def _called(self, entry: dict[str, Any], now: float) -> Called:
        booking_id = entry["bookingId"]
        return Called(
            present=self._floor.present(booking_id),
            waited=now - self._called_at[booking_id],
            skips=int(entry.get("skipCount") or 0),
        )

    def _service_time(self, entry: dict[str, Any]) -> float:
        plan = self._floor.people.get(entry["bookingId"])
        return float(entry.get("durationMinutes") or 20) * MINUTE * (plan.haste if plan else 1.0)

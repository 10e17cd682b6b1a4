"""The people of a day: customers, barbers, screens, and guests without an app."""

import random
import uuid
from typing import Final

import gevent
from locust import task

from barberpro.protocol.actors import Actor, Role
from loadtests.day.limits import BOOKING, named
from loadtests.day.person import RACES, SILENCE_SECONDS, Caller, Person
from loadtests.day.sockets import GuestDoor, Json, Line, Refused, way_to

_ENDED: Final = frozenset({"completed", "cancelled", "skipped"})
_STEPS_BACK: Final = 0.15
_CANCELS: Final = 0.1


class Customer(Caller):
    """Joins, watches the place in the line, sometimes steps back or cancels, is served, and comes again."""

    def actor(self) -> Actor:
        self.state: Json = {}
        return Actor(f"us_{uuid.uuid4().hex}", Role.CUSTOMER, f"Customer {self.number}")

    def on_update(self, state: Json) -> None:
        # One that was on its way when the room was left is nobody's.
        if state.get("bookingId") == self.state.get("bookingId") and self.see(state):
            self.state = state

    @task
    def visit(self) -> None:
        gevent.sleep(random.uniform(0, self.pace))
        _, barber_id, services = self.chair()
        self.opened[barber_id].wait()
        try:
            booking_id = self.command("join", barberId=barber_id, serviceIds=services)["booking"]["bookingId"]
            room = {"room": f"booking:{booking_id}"}
            self.forget()
            self.state = {"bookingId": booking_id}
            with self.timed("subscribe"):
                state = self.socket.call("subscribe", room)["state"]
            if self.see(state):  # else an update was faster
                self.state = state
            self._wait_in_line(booking_id)
            self.socket.call("unsubscribe", room)
        except Refused:
            gevent.sleep(1)  # it has been told; the next visit may go better

    def _wait_in_line(self, booking_id: str) -> None:
        mood = random.random()
        while self.state["status"] not in _ENDED:
            self._shown.clear()
            if not self._shown.wait(SILENCE_SECONDS):
                self.missed("nothing was heard of the line")
                return
            if self.state["status"] != "waiting" or self.state["position"] > 4:
                continue
            try:
                if mood < _CANCELS:
                    self.command("cancel", bookingId=booking_id, reason="no time")
                    return
                if mood < _CANCELS + _STEPS_BACK:
                    mood = 1.0
                    self.command("step_back", bookingId=booking_id, places=2)
            except Refused as refusal:
                if refusal.code not in RACES:
                    raise


class Barber(Caller):
    """Opens the line and calls one after the other, and waits each time until the console shows it."""

    def actor(self) -> Actor:
        _, self._barber_id, _ = self.chair()
        self.state: Json = {}
        return Actor(f"us_{self._barber_id}", Role.BARBER, barber_id=self._barber_id)

    def on_start(self) -> None:
        super().on_start()
        self.state = self.socket.call("subscribe", {"room": f"queue:{self._barber_id}"})["state"]
        self.see(self.state)
        if self.state["status"] != "open":
            self.command("open", barberId=self._barber_id)
        self.opened[self._barber_id].set()

    def on_update(self, state: Json) -> None:
        if self.see(state):
            self.state = state

    @task
    def call_the_next(self) -> None:
        gevent.sleep(random.uniform(0.5, 1.5) * self.pace)
        if not self.state["next"] and not self.state["serving"]:
            return
        serving = self.state["serving"]
        expect = {"servingBookingId": serving["bookingId"] if serving else None}
        try:
            queue = self.command("advance", barberId=self._barber_id, expect=expect)["queue"]
        except Refused:
            return
        if not self._waits_for((queue["epoch"], queue["seq"])):
            self.missed("the console never showed the change")

    def _waits_for(self, version: tuple[int, int]) -> bool:
        with gevent.Timeout(SILENCE_SECONDS, False):
            while self._version < version:
                self._shown.clear()
                self._shown.wait()
        return self._version >= version


class Screen(Person):
    """The screen on the wall: raw WebSocket, all lines of a shop."""

    @task
    def show(self) -> None:
        shop = self.town.shops[self.number % len(self.town.shops)]
        token = self.minter.token(Actor(f"sc_{self.number}", Role.DISPLAY, shop_ids=frozenset({shop.shop_id})))
        try:
            line = Line(way_to(str(self.host), f"/ws/display/{shop.shop_id}"), token, self.see)
            try:
                line.lost()
            finally:
                line.close()
            raise ConnectionError("the server hung up on a screen")
        except OSError as error:
            self.tell("screen", 0.0, error)
            gevent.sleep(1)


class Guest(Person):
    """Joins over REST with the code on the door, and watches the booking as Server-Sent Events."""

    @task
    def visit(self) -> None:
        gevent.sleep(random.uniform(0, self.pace))
        shop_id, barber_id, services = self.chair()
        self.opened[barber_id].wait()
        door = GuestDoor(str(self.host))
        ticket = f"gt_{uuid.uuid4().hex}"
        code = self.minter.token(Actor(ticket, Role.GUEST, shop_ids=frozenset({shop_id})))
        body = {"barberId": barber_id, "serviceIds": services, "customer": {"name": "Guest"}}
        try:
            with self.timed(named(BOOKING, self.role)):
                booking_id = door.post("/api/v1/bookings", code, body)["booking"]["bookingId"]
            self.forget()
            token = self.minter.token(Actor(ticket, Role.GUEST, booking_id=booking_id))
            for state in door.stream(f"bookingId={booking_id}", token):
                self.see(state)
                if state["status"] in _ENDED:
                    return
        except Refused:
            gevent.sleep(1)
        except OSError as error:
            self.missed(str(error))

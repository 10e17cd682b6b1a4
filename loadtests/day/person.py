"""What all users of a day share: their place in the town, what they have seen, and how they tell of it.

'update seen' is from the moment that Redis decided a change (`cause.at`), before it is durable, to the moment that the
user has the state in hand. Both clocks must agree, as they do on one machine.
"""

import itertools
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, Final

from gevent.event import Event
from locust import User
from locust.env import Environment

from barberpro.protocol.actors import Actor
from barberpro.server.simulate.shop import Barber, Shop
from loadtests.day.limits import BOOKING, SEEN, named
from loadtests.day.sockets import Json, Line, Refused, way_to
from loadtests.day.town import Minter, Town

RACES: Final = frozenset({"INVALID_TRANSITION", "STALE_STATE"})
"""Refusals that happen in a shop: the barber called while the customer was pressing a button."""
SILENCE_SECONDS: Final = 30.0
"""A line that is being worked tells those in it something more often than that."""
_NOTHING: Final = (-1, -1)


class Person(User):
    """Whoever is in the town. number: from 0 in each role."""

    abstract = True
    town: ClassVar[Town]
    chairs: ClassVar[list[tuple[Shop, Barber]]]
    """Those at which a barber works."""
    minter: ClassVar[Minter]
    pace: ClassVar[float]
    """Mean seconds that a customer sits in the chair."""
    opened: ClassVar[dict[str, Event]]
    """By barber: nobody comes before the line is open."""
    _numbers: ClassVar["itertools.count[int]"]

    def __init_subclass__(cls, **more: object) -> None:
        super().__init_subclass__(**more)
        cls._numbers = itertools.count()

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.number = next(self._numbers)
        self._version = _NOTHING
        self._shown = Event()

    @property
    def role(self) -> str:
        return type(self).__name__.lower()

    def chair(self) -> tuple[str, str, list[str]]:
        """The shop, the barber and the services that are this one's, in turn."""
        shop, barber = self.chairs[self.number % len(self.chairs)]
        return shop.shop_id, barber.barber_id, [barber.services[0].service_id]

    def see(self, state: Json) -> bool:
        """Takes a state when it is newer than what is known. The first of a room was asked for, so it is no news."""
        version, known = (state["epoch"], state["seq"]), self._version
        if version <= known:
            return False
        self._version = version
        if known != _NOTHING and state.get("cause"):
            self.tell(named(SEEN, self.role), _milliseconds_since(state["cause"]["at"]))
        self._shown.set()
        return True

    def forget(self) -> None:
        """Another room comes next, with versions of its own."""
        self._version = _NOTHING

    def tell(self, name: str, milliseconds: float, problem: BaseException | None = None) -> None:
        self.environment.events.request.fire(
            request_type="live",
            name=name,
            response_time=milliseconds,
            response_length=0,
            exception=problem,
            context={},
        )

    def missed(self, problem: str) -> None:
        """An update that ought to have been seen was not."""
        self.tell(named(SEEN, self.role), SILENCE_SECONDS * 1000, TimeoutError(problem))

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Tells how long the block took, and its problem if there is one. Races are told under a name of their own."""
        began = time.perf_counter()

        def tell(told: str, problem: Exception | None = None) -> None:
            self.tell(told, (time.perf_counter() - began) * 1000, problem)

        try:
            yield
        except Refused as refusal:
            if refusal.code in RACES:
                tell(f"{refusal.code} to {name}")
            else:
                tell(name, refusal)
            raise
        except Exception as error:  # not the end of the day, which ends what is under way
            tell(name, error)
            raise
        else:
            tell(name)


class Caller(Person):
    """Somebody with the app: one Socket.IO connection for the whole day."""

    abstract = True

    def actor(self) -> Actor:
        raise NotImplementedError  # each kind of user says who it is; Locust's metaclass leaves no room for abc's

    def on_start(self) -> None:
        with self.timed("connect"):
            self.socket = Line(way_to(str(self.host)), self.minter.token(self.actor()), self.on_update)

    def on_stop(self) -> None:
        self.socket.close()

    def on_update(self, state: Json) -> None:
        self.see(state)

    def command(self, name: str, **fields: Any) -> Json:  # noqa: ANN401 - any JSON
        """The acknowledgement's data. Raises Refused."""
        document = {"commandId": str(uuid.uuid4()), "type": name, **fields}
        with self.timed(named(BOOKING, self.role) if name == "join" else name):
            data: Json = self.socket.call("command", document)["data"]
            return data


def _milliseconds_since(at: str) -> float:
    """at: RFC 3339."""
    return max(0.0, time.time() - datetime.fromisoformat(at).timestamp()) * 1000

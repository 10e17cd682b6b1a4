"""The day, for Locust. `python -m loadtests.day` starts it; by hand:

    locust -f loadtests/day/locustfile.py --headless --host URL --town FILE --users 4 --run-time 60s

'own delay' in its statistics is how late Locust wakes a user who wanted to sleep: what the load adds to the figures.
"""

import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Final

import gevent
import orjson
from gevent.event import Event
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from loadtests.day.limits import OWN_DELAY, Limits, judge
from loadtests.day.person import Person
from loadtests.day.town import Minter, Town
from loadtests.day.users import Barber, Customer, Guest, Screen

_LOOK_SECONDS: Final = 0.05
_ROLES: Final[dict[str, type[Person]]] = {
    "customers": Customer,
    "guests": Guest,
    "barbers": Barber,
    "screens": Screen,
}


def _options_of(environment: Environment) -> Namespace:
    options: Namespace | None = environment.parsed_options
    assert options is not None  # locust's own command line has made it
    return options


def _options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--town", default="", help="file with the shops and the directory of the signing key")
    parser.add_argument("--pace", type=float, default=2.0, help="mean seconds that a customer sits in the chair")
    for role in _ROLES:
        parser.add_argument(f"--{role}", type=int, default=1, help=f"how many {role}")
    parser.add_argument("--results", default="", help="file to write the figures to, as a list")
    parser.add_argument("--booking-p99", type=float, default=Limits().booking_p99, help="limit in ms")
    parser.add_argument("--seen-p99", type=float, default=Limits().seen_p99, help="limit in ms")


def _begin(environment: Environment, **_: object) -> None:
    options = _options_of(environment)
    with open(options.town, encoding="utf-8") as file:
        Person.town = Town.model_validate_json(file.read())
    Person.minter = Minter(Person.town.keys_dir)
    Person.chairs = Person.town.chairs()[: options.barbers]
    Person.opened = {barber.barber_id: Event() for _, barber in Person.chairs}
    Person.pace = options.pace
    for role, kind in _ROLES.items():
        kind.fixed_count = getattr(options, role)


def _watch_own_delay(environment: Environment, **_: object) -> None:
    gevent.spawn(_own_delay, environment.events.request.fire)


def _own_delay(fire: Callable[..., None]) -> None:
    while True:
        began = time.perf_counter()
        gevent.sleep(_LOOK_SECONDS)
        late = max(0.0, time.perf_counter() - began - _LOOK_SECONDS)
        fire(
            request_type="load",
            name=OWN_DELAY,
            response_time=late * 1000,
            response_length=0,
            exception=None,
            context={},
        )


def _judge(environment: Environment, **_: object) -> None:
    options, runner = _options_of(environment), environment.runner
    assert runner is not None
    roles = [kind.__name__.lower() for name, kind in _ROLES.items() if getattr(options, name)]
    faults = sum(each["count"] for each in runner.exceptions.values())
    verdict = judge(environment.stats.entries.values(), Limits(options.booking_p99, options.seen_p99), roles, faults)
    if options.results:
        Path(options.results).write_bytes(orjson.dumps([figure.to_json() for figure in verdict.figures]))
    environment.process_exit_code = 1 if verdict.broken else 0

    def say(**_: object) -> None:
        print(*verdict.lines, sep="\n", flush=True)

    # After Locust's own tables, so that it is what is read last.
    environment.events.quit.add_listener(say)  # type: ignore[no-untyped-call]  # locust leaves it so


for _hook, _listener in (
    (events.init_command_line_parser, _options),
    (events.init, _begin),
    (events.test_start, _watch_own_delay),
    (events.quitting, _judge),
):
    _hook.add_listener(_listener)  # type: ignore[no-untyped-call]  # locust leaves it so

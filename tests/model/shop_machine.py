"""The state machine: random commands, faults and turns of the day, on the engine and on the model at once."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.answers import CommandResult
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.queue.check import compare
from barberpro.queue.engine import Result
from barberpro.server.node import Node, NodeOptions
from tests.model.calendar import local_noon_zone, miss_appointment, trim_and_forget, turn_day
from tests.model.reference import CUSTOMERS_MAY, LIVE, Answer, Model, Refused
from tests.support.faults import lose_memory
from tests.support.shops import ADMIN, TestShop, customer, lookup, new_id, seal, send

Json = dict[str, Any]

CAPACITY, MAX_SKIPS, MINUTES = 6, 1, 20
STRANGER = Actor("us_stranger", Role.BARBER, barber_id="bb_ofanothershop")
CUSTOMERS = [customer(number) for number in range(9)]
UNKNOWN = "unknown"

WALK_INS = st.lists(st.integers(0, 1), min_size=3, max_size=10)
PLACES = st.integers(1, 4)
SLOTS = st.sampled_from([-30, 10, 20, 25, 40, 60, 80, 24 * 60])
EXPECTATIONS = st.sampled_from(
    [None, None, None, None, None, None, "seq", "old seq", "serving", "nobody serving", "other serving"]
)
# How often which command is sent: often enough that lines fill, and that everything meets everything.
KINDS = [
    kind
    for kind, times in {
        "join": 8, "schedule": 4, "reschedule": 1, "check_in": 6, "start": 1, "complete": 1, "advance": 1, "skip": 3,
        "no_show": 2, "recall": 4, "step_back": 6, "move": 3, "transfer": 3, "cancel": 1, "open": 4, "pause": 1,
        "close": 1,
    }.items()
    for _ in range(times)
]  # fmt: skip
HAPPENINGS = [
    happening
    for happening, times in {
        "somebody_sends": 48, "anybody_sends": 4, "somebody_repeats_a_command": 3,
        "somebody_repeats_what_was_refused": 3, "somebody_sends_another_command_with_a_used_id": 1,
        "midnight_passes": 2, "old_days_are_trimmed": 2, "the_timer_of_the_day_fires": 1,
        "the_timer_of_an_appointment_fires": 2, "redis_loses_its_memory": 3, "the_node_restarts": 1,
    }.items()
    for _ in range(times)
]  # fmt: skip
# Which statuses of a queue, or of a booking, a command is meant for: most commands are sent to one of these.
FITTING_QUEUE = {
    "join": ("open",), "schedule": ("open", "paused", "closed"), "advance": ("open", "paused", "closed"),
    "open": ("closed", "paused"), "pause": ("open",), "close": ("open", "paused"),
}  # fmt: skip
FITTING = {
    "reschedule": ("scheduled",), "check_in": ("scheduled",), "start": ("next",), "complete": ("serving",),
    "no_show": ("next",), "recall": ("skipped",), "move": ("waiting",), "cancel": ("scheduled", *LIVE),
}  # fmt: skip


_BOOKINGS = """
    SELECT booking_id, barber_id, status, token_number, skip_count FROM bookings WHERE shop_id = $1 ORDER BY rank
"""
_QUEUES = "SELECT barber_id, status, seq, last_token, completed, cancelled FROM queues WHERE shop_id = $1"


@dataclass
class Surroundings:
    """What the examples share: one event loop, one deployment. `node` is replaced when it is restarted."""

    loop: asyncio.Runner
    options: NodeOptions
    node: Node | None = None

    def start(self) -> Node:
        self.node = self.loop.run(Node.start(self.options, seal, lookup))
        # Its timers would fire whenever they like; the machine fires them itself.
        self.loop.run(self.node.keeper.close())
        return self.node

    def stop(self) -> None:
        if self.node is not None:
            self.loop.run(self.node.close())
            self.node = None


class ShopMachine(RuleBasedStateMachine):
    """One example: one shop with two barbers."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self.around = around
        self.node = around.node or around.start()
        self.run = around.loop.run
        self.base = datetime.now(UTC).replace(microsecond=0)
        self.shop = self.run(
            TestShop.create(
                self.node, zone=local_noon_zone(self.base), minutes=MINUTES, grace_seconds=0,
                queue_capacity=CAPACITY, max_skips=MAX_SKIPS,
            )
        )  # fmt: skip
        self.model = Model(self.shop.barbers, capacity=CAPACITY, max_skips=MAX_SKIPS, minutes=MINUTES)
        self.acknowledged: list[tuple[Actor, Json, Result]] = []
        self.refused: list[tuple[Actor, Json, ErrorCode]] = []
        """As long as Redis remembers: a rebuild is made of what happened."""

    @initialize(
        walk_ins=st.lists(st.integers(0, 1), min_size=3, max_size=10), both=st.sampled_from([True, True, False])
    )
    def the_shop_opens(self, walk_ins: list[int], both: bool) -> None:
        for barber in range(1 + both):
            self.step(self.shop.staff[barber], {"type": "open", "barberId": self.shop.barbers[barber]})
        for number, barber in enumerate(walk_ins):
            actor = CUSTOMERS[number] if number < len(CUSTOMERS) else self.shop.staff[0]
            self.step(actor, self.shop.join(barber))

    # Commands --------------------------------------------------------------------------------------------------

    @rule(data=st.data(), happening=st.sampled_from(HAPPENINGS))
    def something_happens(self, data: st.DataObject, happening: str) -> None:
        """One rule for all, as Hypothesis would choose among rules evenly, and leave some out."""
        getattr(self, happening)(data)

    def somebody_sends(self, data: st.DataObject) -> None:
        document = self.document(data)
        actor = data.draw(st.sampled_from(self.fitting_actors(document)), "actor")
        self.step(actor, document)

    def anybody_sends(self, data: st.DataObject) -> None:
        actor = data.draw(st.sampled_from([*CUSTOMERS[:2], STRANGER, ADMIN]), "actor")
        self.step(actor, self.document(data))

    def document(self, data: st.DataObject) -> Json:
        """A command that may well be possible, or not at all."""
        likely = [kind for kind in KINDS if self.fitting(kind)]
        kind = data.draw(st.sampled_from(likely * 8 + KINDS), "command")
        document: Json = {"type": kind}
        if kind in FITTING_QUEUE or (kind in {"start", "complete"} and data.draw(st.booleans(), "by barber")):
            every, name = self.shop.barbers, "barberId"
        else:
            every, name = [*self.model.bookings, f"bk_{self.shop.shop_id[3:]}_0000000000"], "bookingId"
        fitting = [subject for subject in self.fitting(kind) if subject in every]
        document[name] = data.draw(st.sampled_from(fitting * (1 + 8 * len(every)) + every), name)
        fields: dict[str, st.SearchStrategy[Any]] = {
            "join": st.just({"serviceIds": [self.shop.service]}),
            "schedule": st.fixed_dictionaries({"serviceIds": st.just([self.shop.service]), "at": SLOTS}),
            "reschedule": st.fixed_dictionaries({"at": SLOTS}),
            "recall": st.fixed_dictionaries({"to": st.sampled_from(["front", "back"])}),
            "step_back": st.fixed_dictionaries({"places": PLACES}),
            "move": st.fixed_dictionaries({"position": PLACES.map(lambda place: place + 1), "reason": st.just("so")}),
            "transfer": st.fixed_dictionaries({"toBarberId": st.sampled_from(self.shop.barbers)}),
            "close": st.fixed_dictionaries({"waiting": st.sampled_from(["keep", "cancel"])}),
        }
        if kind in fields:
            document |= data.draw(fields[kind], "fields")
        expected = self.expectation(document, data.draw(EXPECTATIONS, "expect"))
        return document | ({"expect": expected} if expected else {})

    def fitting(self, kind: str) -> list[str]:
        """The queues or bookings that the command is meant for."""
        if kind in FITTING_QUEUE:
            return [queue.barber for queue in self.model.queues.values() if queue.status in FITTING_QUEUE[kind]]
        wanted = FITTING.get(kind, ("waiting", "next"))
        return [name for name, booking in self.model.bookings.items() if booking.status in wanted and not booking.gone]

    def expectation(self, document: Json, kind: str | None) -> Json | None:
        booking = self.model.bookings.get(document.get("bookingId", ""))
        barber = booking.barber if booking is not None else document.get("barberId")
        if barber is None or kind is None:
            return None
        queue = self.model.queues[barber]
        serving = queue.serving.booking_id if queue.serving else None
        choices: dict[str, Json] = {
            "seq": {"seq": queue.seq},
            "old seq": {"seq": max(queue.seq - 1, 0)},
            "serving": {"servingBookingId": serving},
            "nobody serving": {"servingBookingId": None},
            "other serving": {"servingBookingId": UNKNOWN},
        }
        return choices[kind]

    def fitting_actors(self, document: Json) -> list[Actor]:
        """Who may well send this: the barbers of the shop, and customers for themselves."""
        if document["type"] in {"join", "schedule"}:
            standing = {booking.customer for booking in self.model.bookings.values() if booking.status in LIVE}
            idle = [actor for actor in CUSTOMERS if actor.id not in standing]
            away = {booking.customer for booking in self.model.bookings.values() if booking.status == "skipped"}
            back = [actor for actor in idle if actor.id in away]
            return [*back * 8, *idle * 4, *CUSTOMERS, *self.shop.staff]
        booking = self.model.bookings.get(document.get("bookingId", ""))
        owners = [actor for actor in CUSTOMERS if booking is not None and actor.id == booking.customer]
        return [*self.shop.staff, *(owners if document["type"] in CUSTOMERS_MAY else [])]

    def step(self, actor: Actor, document: Json) -> None:
        """The engine and the model do the same, and say the same."""
        command_id = new_id()
        answer = self.answer(actor, command_id, document)
        made = answer.data.get("booking", {}).get("bookingId", UNKNOWN) if isinstance(answer, Result) else UNKNOWN
        try:
            expected: Answer | ErrorCode = self.model.apply(actor, document, made, stranger=actor is STRANGER)
        except Refused as refused:
            expected = refused.code
        assert said(answer) == expected, f"{actor.id} sent {document}"
        if isinstance(answer, Result):
            assert not answer.replayed
            self.acknowledged.append((actor, {"commandId": command_id, **document}, answer))
        else:
            self.refused.append((actor, {"commandId": command_id, **document}, answer))

    def answer(self, actor: Actor, command_id: str, document: Json) -> Result | ErrorCode:
        wire = {"commandId": command_id, **document}
        if "at" in document:
            wire["at"] = self.base + timedelta(minutes=document["at"])
        try:
            return self.run(send(self.node, actor, **wire))
        except BarberProError as error:
            return error.code

    def somebody_repeats_a_command(self, data: st.DataObject) -> None:
        if self.acknowledged:
            actor, document, first = data.draw(st.sampled_from(self.acknowledged), "command")
            again = self.answer(actor, document["commandId"], document)
            assert isinstance(again, Result)
            assert again.replayed
            assert undated(again.data) == undated(first.data)

    def somebody_repeats_what_was_refused(self, data: st.DataObject) -> None:
        """It may be possible by now, and does not happen any more."""
        if self.refused:
            actor, document, first = data.draw(st.sampled_from(self.refused), "command")
            assert self.answer(actor, document["commandId"], document) is first

    def somebody_sends_another_command_with_a_used_id(self, data: st.DataObject) -> None:
        if self.acknowledged:
            actor, document, _ = data.draw(st.sampled_from(self.acknowledged), "command")
            other = {**document, "expect": {"seq": 1_000_000}}
            assert self.answer(actor, document["commandId"], other) is ErrorCode.IDEMPOTENCY_MISMATCH

    # Time and faults -------------------------------------------------------------------------------------------

    def midnight_passes(self, _: st.DataObject) -> None:
        self.run(turn_day(self.node, self.shop.shop_id))
        self.model.turn_day()
        self.refused.clear()

    def old_days_are_trimmed(self, _: st.DataObject) -> None:
        """Whatever happened so far was days ago, and goes; commands are forgotten by then."""
        self.run(turn_day(self.node, self.shop.shop_id, days=5))
        self.model.turn_day()
        self.run(trim_and_forget(self.node, self.shop.shop_id))
        self.acknowledged.clear()
        self.refused.clear()

    def the_timer_of_the_day_fires(self, data: st.DataObject) -> None:
        barber = data.draw(st.sampled_from(self.shop.barbers), "barber")
        self.run(self.node.engine.expire(f"day|{self.shop.shop_id}|{barber}"))
        self.model.touch(barber)

    def the_timer_of_an_appointment_fires(self, data: st.DataObject) -> None:
        scheduled = [booking for booking in self.model.bookings.values() if booking.status == "scheduled"]
        if not scheduled:
            return
        booking = data.draw(st.sampled_from(scheduled), "booking")
        if data.draw(st.booleans(), "due"):
            self.run(miss_appointment(self.node, self.shop.shop_id, booking.booking_id))
            self.model.miss(booking)
            self.refused.clear()
        self.run(self.node.engine.expire(f"late|{self.shop.shop_id}|{booking.booking_id}"))

    def redis_loses_its_memory(self, _: st.DataObject) -> None:
        self.run(lose_memory(self.node.redis, self.around.options.prefix))
        self.refused.clear()

    def the_node_restarts(self, _: st.DataObject) -> None:
        self.around.stop()
        self.node = self.around.start()

    # What always holds -----------------------------------------------------------------------------------------

    @invariant()
    def the_stores_agree_and_no_invariant_is_broken(self) -> None:
        found = self.run(compare(self.node.pool, self.node.redis, self.node.keys, [self.shop.shop_id]))
        assert not found, found

    @invariant()
    def the_rows_are_what_the_model_has(self) -> None:
        bookings, queues, lines = self.run(self.read_rows())
        assert bookings == {
            booking.booking_id: (booking.barber, booking.status, booking.token, booking.skips)
            for booking in self.model.bookings.values()
        }
        assert queues == {
            queue.barber: (queue.status, queue.seq, queue.last_token, queue.completed, queue.cancelled)
            for queue in self.model.queues.values()
            if queue.seq > 0
        }
        assert lines == {
            queue.barber: [booking.booking_id for booking in queue.line]
            for queue in self.model.queues.values()
            if queue.line
        }

    async def read_rows(self) -> tuple[Json, Json, dict[str, list[str]]]:
        """Postgres's bookings and queues, by id, and who waits, in order."""
        bookings = await self.node.pool.fetch(_BOOKINGS, self.shop.shop_id)
        queues = await self.node.pool.fetch(_QUEUES, self.shop.shop_id)
        lines: dict[str, list[str]] = {}
        for row in bookings:
            if row["status"] == "waiting":
                lines.setdefault(row["barber_id"], []).append(row["booking_id"])
        return {row[0]: tuple(row)[1:] for row in bookings}, {row[0]: tuple(row)[1:] for row in queues}, lines


def undated(data: CommandResult) -> Json:
    """A result without its business date, for `turn_day` makes all that was ever told a day older."""
    booking = {name: value for name, value in data.get("booking", {}).items() if name != "businessDate"}
    return {**data, "booking": booking}


def said(answer: Result | ErrorCode) -> Answer | ErrorCode:
    """The engine's answer in the model's words."""
    if isinstance(answer, ErrorCode):
        return answer
    queue, booking = answer.data["queue"], answer.data.get("booking")
    about = None
    if booking is not None:
        about = (booking["bookingId"], booking["status"], booking.get("tokenNumber"), booking.get("position"))
    return Answer(queue["barberId"], queue["seq"], about)

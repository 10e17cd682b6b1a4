"""The engine's door: a command goes in, its durable answer comes out."""

import asyncio
import contextlib
import hashlib
import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Any, Final, NoReturn

import orjson
import structlog
from asyncpg import Pool

from barberpro.protocol.actors import SYSTEM, Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Command, Customer, Join, Reschedule, Schedule, Transfer
from barberpro.protocol.errors import BarberProError, bad_field, not_found
from barberpro.protocol.ids import new_booking_id, new_request_id, shop_of_booking
from barberpro.queue.access import is_staff, owns_booking
from barberpro.queue.gateway import Gateway, NoScriptError, RedisAway
from barberpro.queue.journal import Journal
from barberpro.queue.recovery import Recovery
from barberpro.queue.scripts import Reply, Script
from barberpro.queue.shoplog import Fenced
from barberpro.storage.catalogue import Barber, Catalogue, Shop
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import Away
from barberpro.storage.snapshot import BOOKING

log = structlog.get_logger(__name__)

Json = dict[str, Any]
STAFF: Final = frozenset({Role.BARBER, Role.ADMIN, Role.SYSTEM})
_CUSTOMERS_OWN: Final = frozenset({"join", "schedule", "reschedule", "check_in", "step_back", "cancel"})
_GUESTS_OWN: Final = frozenset({"check_in", "step_back", "cancel"})


@dataclass(frozen=True, slots=True)
class Via:
    """How a command came: for the audit log."""

    request_id: str
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A durable answer. data: {booking?, queue: {barberId, epoch, seq}}."""

    replayed: bool
    data: Json


@dataclass(slots=True)
class _Call:
    script: Script
    shop_id: str
    shard: int
    argument: bytes


class Engine:
    """Runs commands. Safe to use from any number of tasks; every node of a deployment has one."""

    def __init__(
        self,
        catalogue: Catalogue,
        gateway: Gateway,
        journal: Journal,
        recovery: Recovery,
        scripts: dict[str, Script],
        keys: Keys,
        bookings: "Pool[Any]",
        seal: Callable[[str], str],
        patience: float = 5.0,
    ) -> None:
        """seal: encrypts a telephone number. patience: seconds until a command is told that it is not known."""
        self._catalogue = catalogue
        self._gateway = gateway
        self._journal = journal
        self._recovery = recovery
        self._scripts = scripts
        self._keys = keys
        self._bookings = bookings
        self._seal = seal
        self._patience = patience
        self._name = f"{secrets.token_hex(5)}."
        self._calls = itertools.count()

    async def submit(self, actor: Actor, command: Command, via: Via) -> Result:
        """The command's durable result.

        Raises BarberProError: a refusal (which rests on durable state only), or PERSISTENCE_UNAVAILABLE, after
        which the outcome is not known and the same command with the same id will tell it.
        """
        if self._journal.down:
            raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE)
        try:
            async with asyncio.timeout(self._patience):
                shop = await self._authorised_shop(actor, command)
                try:
                    return await self._run(self._call(actor, command, via, shop))
                except BarberProError as refusal:
                    raise await self._told_apart(actor, command, refusal) from None
        except (TimeoutError, *Away, *RedisAway) as error:
            log.warning("command_outcome_unknown", command_id=command.command_id, problem=repr(error))
            raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE) from error

    async def expire(self, timer: str) -> None:
        """Runs what a due timer asks for: `grace|shop|barber`, `day|shop|barber` or `late|shop|booking`."""
        kind, shop_id, subject = timer.split("|")
        script = {"grace": "expire_grace", "day": "expire_day", "late": "expire_appointment"}[kind]
        shop = await self._catalogue.shop(shop_id)
        if shop is None:
            return
        fields = {"bookingId": subject} if kind == "late" else {"barberId": subject}
        request_id = new_request_id()
        envelope = {"id": f"timer-{request_id}", "digest": kind, "via": {"requestId": request_id}, **fields}
        # A refusal says that there is nothing to do (any more): another node was faster.
        with contextlib.suppress(BarberProError):
            await self._run(self._encode(script, shop, SYSTEM, envelope))

    # Who may -------------------------------------------------------------------------------------------------

    async def _authorised_shop(self, actor: Actor, command: Command) -> Shop:
        """The shop that the command is about. Raises NOT_FOUND for what is not the actor's, FORBIDDEN."""
        self._may(actor, command)
        barber_id, booking_id = getattr(command, "barber_id", None), getattr(command, "booking_id", None)
        if barber_id is not None:
            barber = await self._catalogue.barber(barber_id)
            shop_id, resource = barber.shop_id if barber is not None else None, "queue"
        else:
            shop_id, resource = shop_of_booking(booking_id or ""), "booking"
        shop = await self._catalogue.shop(shop_id) if shop_id is not None else None
        if shop is None or not self._concerns(actor, shop, booking_id):
            raise not_found(resource)
        return shop

    @staticmethod
    def _may(actor: Actor, command: Command) -> None:
        allowed = (
            actor.role in STAFF
            or (actor.role is Role.CUSTOMER and command.type in _CUSTOMERS_OWN)
            or (actor.role is Role.GUEST and command.type in _GUESTS_OWN)
        )
        if not allowed:
            raise BarberProError(ErrorCode.FORBIDDEN, details={"role": actor.role.value, "command": command.type})

    @staticmethod
    def _concerns(actor: Actor, shop: Shop, booking_id: str | None) -> bool:
        """Whether the shop is the actor's to touch. A customer's own bookings are told apart in the script."""
        if actor.role is Role.GUEST:
            return booking_id is not None and booking_id == actor.booking_id
        return actor.role is Role.CUSTOMER or is_staff(actor, shop)

    async def _told_apart(self, actor: Actor, command: Command, refusal: BarberProError) -> BarberProError:
        """Redis holds live bookings only: one that it does not know may have ended, or never been.

        A status of the end never changes again, so looking it up afterwards is sound.
        """
        booking_id = getattr(command, "booking_id", None)
        if refusal.code is not ErrorCode.NOT_FOUND or booking_id is None:
            return refusal
        row = await self._bookings.fetchrow(BOOKING, booking_id)
        if row is None or not (actor.role in STAFF or owns_booking(actor, booking_id, row["customer_id"])):
            return refusal
        return BarberProError(ErrorCode.INVALID_TRANSITION, details={"bookingId": booking_id, "status": row["status"]})

    # What the script is given --------------------------------------------------------------------------------

    def _call(self, actor: Actor, command: Command, via: Via, shop: Shop) -> _Call:
        document = command.model_dump(exclude_none=True, exclude={"command_id", "expect"})
        content = [actor.id, actor.role.value, _expectation(command), document]
        envelope: Json = {
            "id": command.command_id,
            "digest": hashlib.blake2b(_canonical(content), digest_size=16).hexdigest(),
            "via": {"requestId": via.request_id, **({"ip": via.ip} if via.ip else {})},
            **_fields(command),
        }
        if command.expect is not None:
            envelope["expect"] = _expectation(command)
        if isinstance(command, Join | Schedule):
            envelope["bookingId"] = new_booking_id(shop.shop_id)
            envelope["born"] = self._born(actor, command, shop, envelope["bookingId"])
        if isinstance(command, Transfer) and command.to_barber_id not in shop.barbers:
            raise bad_field("toBarberId", "is no barber of this shop")
        return self._encode(command.type, shop, actor, envelope)

    def _encode(self, script: str, shop: Shop, actor: Actor, envelope: Json) -> _Call:
        envelope["shopId"] = shop.shop_id
        envelope["actor"] = {"id": actor.id, "role": actor.role.value}
        envelope["policy"] = shop.policy
        # With the time, it makes the link of whatever event comes of this call one of its kind.
        envelope["nonce"] = f"{self._name}{next(self._calls)}"
        return _Call(self._scripts[script], shop.shop_id, self._keys.shard_of(shop.shop_id), orjson.dumps(envelope))

    def _born(self, actor: Actor, command: Join | Schedule, shop: Shop, booking_id: str) -> Json:
        """What the booking is born with; no transition changes it."""
        services = self._services(shop.barbers[command.barber_id], command.service_ids)
        own = actor.role is Role.CUSTOMER
        customer = command.customer or (Customer(name=actor.name) if own and actor.name else None)
        born = {
            "bookingId": booking_id,
            "kind": "appointment" if isinstance(command, Schedule) else "walk_in",
            "customerId": actor.id if own else None,
            "customerName": customer.name if customer else None,
            "phoneSealed": self._seal(customer.phone) if customer and customer.phone else None,
            "services": services,
            "durationMinutes": sum(service["durationMinutes"] for service in services),
            "totalPrice": str(sum((Decimal(service["price"]) for service in services), Decimal("0.00"))),
            "currency": shop.currency,
            "notes": command.notes,
        }
        return {key: value for key, value in born.items() if value is not None}

    @staticmethod
    def _services(barber: Barber, service_ids: list[str]) -> list[Json]:
        chosen = []
        for index, service_id in enumerate(service_ids):
            service = barber.services.get(service_id)
            if service is None:
                raise bad_field(f"serviceIds.{index}", "is no service of this barber")
            chosen.append(
                {
                    "serviceId": service.service_id,
                    "name": service.name,
                    "price": str(service.price),
                    "durationMinutes": service.duration_minutes,
                }
            )
        return chosen

    # Running it ------------------------------------------------------------------------------------------------

    async def _run(self, call: _Call) -> Result:
        floor, fresh = self._journal.committed(call.shop_id), False
        while True:
            reply = await self._ask(call)
            if reply.status == "cold":
                await self._recovery.rebuild(call.shard, 0, "cold")
                continue
            if reply.overloaded:
                raise reply.refusal
            self._journal.add(reply.events)
            if reply.judges_present and reply.rests_on < floor:
                why = f"answers from {reply.rests_on}, {floor} is durable, at {call.shop_id}"
                await self._recovery.rebuild(call.shard, reply.epoch, why)
                continue
            try:
                watermark = await self._journal.confirmed(call.shop_id, reply)
            except Fenced:
                continue  # rebuilt without it: what has its effect now is the repetition
            if reply.status != "refused":
                return Result(reply.status == "replayed", orjson.loads(reply.payload))
            if reply.judges_present and reply.rests_on < watermark and not fresh:
                # Either others were faster, or this Redis has fallen back and does not know it: once more, now that
                # it is known what must not be forgotten.
                floor, fresh = watermark, True
                continue
            raise reply.refusal

    async def _ask(self, call: _Call) -> Reply:
        """One script call; repeats it when its outcome is lost, for the command's id makes that harmless."""
        delay = 0.02
        while True:
            try:
                raw = await self._gateway.call(call.script, self._keys.epoch(call.shard), call.argument)
            except NoScriptError:
                await self._recovery.scripts_unknown()
            except RedisAway as error:
                if "user_script" in str(error):
                    await self._script_broken(call, error)
                await asyncio.sleep(delay)
                delay = min(0.5, delay * 2)
            else:
                return Reply(call.shop_id, raw)

    async def _script_broken(self, call: _Call, error: BaseException) -> NoReturn:
        """An error of the script itself. It may have written half of what it meant to: nothing there is trusted."""
        log.error("script_broken", script=call.script.name, shop_id=call.shop_id, problem=str(error))
        await self._recovery.distrust(call.shard, f"{call.script.name} failed")
        raise BarberProError(ErrorCode.INTERNAL_ERROR) from error


def _canonical(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def _fields(command: Command) -> Json:
    """The command's own fields as the scripts take them."""
    fields = command.model_dump(exclude_none=True, exclude={"command_id", "type", "expect"})
    for handled in ("serviceIds", "customer", "notes"):
        fields.pop(handled, None)
    if isinstance(command, Schedule | Reschedule):
        fields["at"] = round(command.at.astimezone(UTC).timestamp() * 1000)
    return fields


def _expectation(command: Command) -> Json:
    """`serving: false` says that the caller saw nobody in the chair."""
    expect = command.expect
    saw: Json = {}
    if expect is None:
        return saw
    if expect.seq is not None:
        saw["seq"] = expect.seq
    if "serving_booking_id" in expect.model_fields_set:
        saw["serving"] = expect.serving_booking_id or False
    return saw

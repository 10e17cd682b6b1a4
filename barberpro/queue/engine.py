"""The engine's door: a command goes in, its durable answer comes out."""

import asyncio
import contextlib
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import orjson
import structlog
from asyncpg import Pool

from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.answers import CommandResult
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Command, OnBooking, OnEither, OnQueue
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.ids import shop_of_booking
from barberpro.queue.access import Access
from barberpro.queue.calls import CallBuilder, ScriptCall
from barberpro.queue.gateway import RedisAway
from barberpro.queue.gateways import Gateways
from barberpro.queue.journal import Journal
from barberpro.queue.last_call import LastCall
from barberpro.queue.metrics import acknowledged, code_of
from barberpro.queue.recovery import Recovery, is_slot_moving, is_unknown_function
from barberpro.queue.results import result_of
from barberpro.queue.scripts import Reply
from barberpro.queue.shoplog import Fenced, ImpossibleEvent
from barberpro.storage.catalogue import Catalogue, Shop
from barberpro.storage.postgres import Away
from barberpro.storage.snapshot import BOOKING

log = structlog.get_logger(__name__)

Json = dict[str, Any]
_EVENT: Final = "SELECT data FROM queue_events WHERE shop_id = $1 AND shop_seq = $2"
_TIMERS: Final = {"grace": "expire_grace", "day": "expire_day", "late": "expire_appointment"}


@dataclass(frozen=True, slots=True)
class Result:
    """A durable answer."""

    replayed: bool
    data: CommandResult


class Engine:
    """Runs commands. Safe to use from any number of tasks; every node of a deployment has one."""

    def __init__(
        self,
        access: Access,
        catalogue: Catalogue,
        gateway: Gateways,
        journal: Journal,
        recovery: Recovery,
        calls: CallBuilder,
        pool: "Pool[Any]",
        patience: float = 5.0,
    ) -> None:
        """patience: seconds until a command is told that its outcome is not known."""
        self._access = access
        self._catalogue = catalogue
        self._gateway = gateway
        self._journal = journal
        self._recovery = recovery
        self._calls = calls
        self._pool = pool
        self._patience = patience
        self.under_way = 0
        """Commands of this node that wait for their answers."""

    async def submit(self, actor: Actor, command: Command, via: Via, last_call: LastCall | None = None) -> Result:
        """The command's durable result. last_call: of a join, where the shop's closing is heeded.

        Raises BarberProError: a refusal (which rests on durable state only), or PERSISTENCE_UNAVAILABLE, after which
        the outcome is not known and the same command with the same id will tell it.
        """
        started = perf_counter()
        self.under_way += 1
        try:
            result = await self._submit(actor, command, via, last_call)
        except BaseException as problem:
            acknowledged(command.type, code_of(problem), started)
            raise
        finally:
            self.under_way -= 1
        acknowledged(command.type, "replayed" if result.replayed else "ok", started)
        return result

    async def _submit(self, actor: Actor, command: Command, via: Via, last_call: LastCall | None) -> Result:
        if self._journal.down:
            raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE)
        deadline = self._deadline()
        try:
            shop = await self._authorised_shop(actor, command)
            return await self._run(self._calls.of_command(actor, command, via, shop, last_call), deadline)
        except BarberProError as refusal:
            raise await self._told_apart(actor, command, refusal) from None
        except (TimeoutError, *Away, *RedisAway) as error:
            log.warning("command_outcome_unknown", command_id=command.command_id, problem=repr(error))
            raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE) from error

    async def expire(self, timer: str) -> bool:
        """Runs what a due timer asks for: `grace|shop|barber`, `day|shop|barber` or `late|shop|booking`.

        False when its shop no longer exists: the timer is nobody's. Raises what the stores raise while they are away;
        the timer stays due.
        """
        kind, shop_id, subject = timer.split("|")
        shop = await self._catalogue.shop(shop_id)
        if shop is None:
            return False
        fields = {"bookingId": subject} if kind == "late" else {"barberId": subject}
        # A refusal says that there is nothing to do (any more): another node was faster.
        with contextlib.suppress(BarberProError):
            await self._run(self._calls.of_timer(_TIMERS[kind], shop, fields), self._deadline())
        return True

    async def calendar_changed(self, shop_id: str, barber_id: str, revision: int) -> None:
        """From now on no appointment is made by an older calendar of the barber's, and all that were are durable.

        revision: of the calendar as it stands in Postgres. Raises PERSISTENCE_UNAVAILABLE: then neither is certain.
        """
        shop = await self._catalogue.shop(shop_id)
        if shop is None:
            raise not_found("shop")
        call = self._calls.of_timer("note_calendar", shop, {"barberId": barber_id, "revision": revision})
        try:
            await self._run(call, self._deadline())
        except BarberProError as refusal:
            if refusal.code is not ErrorCode.INVALID_TRANSITION:  # which says that it is noted
                raise
        except (TimeoutError, *Away, *RedisAway) as error:
            log.warning("calendar_unnoted", shop_id=shop_id, problem=repr(error))
            raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE) from error

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._patience

    # Who may -------------------------------------------------------------------------------------------------

    async def _authorised_shop(self, actor: Actor, command: Command) -> Shop:
        """The shop that the command is about. Raises NOT_FOUND for what is not the actor's, FORBIDDEN."""
        self._access.require_ever(actor, command.type)
        barber_id, booking_id = _subject(command)
        if barber_id is not None:
            barber = await self._catalogue.barber(barber_id)
            shop_id, resource = barber.shop_id if barber is not None else None, "queue"
        else:
            shop_id, resource = shop_of_booking(booking_id or ""), "booking"
        shop = await self._catalogue.shop(shop_id) if shop_id is not None else None
        if shop is None or not self._access.allowed(actor, command.type, shop, booking_id):
            raise not_found(resource)
        return shop

    async def _told_apart(self, actor: Actor, command: Command, refusal: BarberProError) -> BarberProError:
        """Redis holds live bookings only: one that it does not know may have ended, or never been.

        A status of the end never changes again, so looking it up afterwards is sound.
        """
        _, booking_id = _subject(command)
        if refusal.code is ErrorCode.ALREADY_IN_QUEUE and actor.role is Role.GUEST:
            return BarberProError(refusal.code)  # a telephone number is soon typed: which booking it has is not told
        if refusal.code is not ErrorCode.NOT_FOUND or booking_id is None:
            return refusal
        try:
            row = await self._pool.fetchrow(BOOKING, booking_id)
        except Away:
            return BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE)
        shop = await self._catalogue.shop(row["shop_id"]) if row is not None else None
        if row is None or shop is None or not self._access.sees(actor, shop, booking_id, row["customer_id"]):
            return refusal
        return BarberProError(ErrorCode.INVALID_TRANSITION, details={"bookingId": booking_id, "status": row["status"]})

    # Running it ------------------------------------------------------------------------------------------------

    async def _run(self, call: ScriptCall, deadline: float) -> Result:
        # No timer for each command: what is waited for below ends by itself, or at the deadline.
        floor, fresh = self._journal.committed(call.shop_id), False
        while True:
            reply = await self._ask(call, deadline)
            if reply.status == "cold":
                await self._rebuild(call, 0, "cold", deadline)
                continue
            if reply.status == "unverified":
                await self._admit(call, deadline)
                continue
            if reply.overloaded:
                raise reply.refusal
            self._journal.add(reply.events)
            if reply.judges_present and reply.rests_on < floor:
                await self._rebuild(call, reply.epoch, f"{floor} is durable, it knows {reply.rests_on}", deadline)
                continue
            try:
                watermark = await self._journal.confirmed(call.shop_id, reply, deadline)
            except ImpossibleEvent:
                log.error("event_impossible", transition=call.transition, shop_id=call.shop_id)
                raise BarberProError(ErrorCode.INTERNAL_ERROR) from None
            except Fenced:
                if asyncio.get_running_loop().time() > deadline:
                    raise TimeoutError("the shard was rebuilt again and again") from None
                continue  # rebuilt without it: what has its effect now is the repetition
            if reply.status != "refused":
                return await self._result(call.shop_id, reply)
            if reply.judges_present and reply.rests_on < watermark and not fresh:
                # Either others were faster, or this Redis has fallen back and does not know it: once more, now that
                # it is known what must not be forgotten.
                floor, fresh = watermark, True
                continue
            raise reply.refusal

    async def _result(self, shop_id: str, reply: Reply) -> Result:
        """What the command's last event tells; for a repetition that stands in Postgres, as was just confirmed."""
        if reply.status == "ok":
            return Result(False, result_of(reply.events[-1].data))
        event = await self._pool.fetchval(_EVENT, shop_id, reply.rests_on)
        return Result(True, result_of(orjson.loads(event)))

    async def _admit(self, call: ScriptCall, deadline: float) -> None:
        async with asyncio.timeout_at(deadline):
            await self._recovery.admit(call.shard)

    async def _rebuild(self, call: ScriptCall, epoch: int, why: str, deadline: float) -> None:
        async with asyncio.timeout_at(deadline):
            await self._recovery.rebuild(call.shard, epoch, f"{why}, at {call.shop_id}")

    async def _ask(self, call: ScriptCall, deadline: float) -> Reply:
        """One call; repeats it when its outcome is lost, for the command's id makes that harmless.

        Raises TimeoutError at the deadline. None begins behind it: by then the caller may have asked elsewhere, and
        been refused for good.
        """
        delay = 0.02
        while True:
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError("the command has waited for too long")
            try:
                return await self._gateway.call(call)
            except RedisAway as error:
                if is_unknown_function(error):
                    await self._admit(call, deadline)
                    continue
                if "user_function" in str(error):
                    await self._distrust(call, error)
                if asyncio.get_running_loop().time() + delay > deadline:
                    raise
                await asyncio.sleep(delay)
                delay = min(0.5, delay * 2)

    async def _distrust(self, call: ScriptCall, error: BaseException) -> None:
        """An error of the function itself. It may have written half of what it meant to: nothing there is trusted.

        Raises INTERNAL_ERROR, unless it comes of a slot that is being moved key by key: that one passes.
        """
        if is_slot_moving(error):
            log.warning("slot_moving", shard=call.shard, problem=str(error))
            with contextlib.suppress(*RedisAway):
                await self._recovery.distrust(call.shard, f"{call.transition} met half a slot")
            return
        log.error("script_broken", transition=call.transition, shop_id=call.shop_id, problem=str(error))
        await self._recovery.distrust(call.shard, f"{call.transition} failed")
        raise BarberProError(ErrorCode.INTERNAL_ERROR) from error


def _subject(command: Command) -> tuple[str | None, str | None]:
    """The barber and the booking that the command names; one of them."""
    if isinstance(command, OnQueue):
        return command.barber_id, None
    if isinstance(command, OnBooking):
        return None, command.booking_id
    if isinstance(command, OnEither):
        return command.barber_id, command.booking_id
    raise TypeError(f"{type(command).__name__} names neither a queue nor a booking")

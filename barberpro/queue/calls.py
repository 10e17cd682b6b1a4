"""What a script is given: a command with everything that it needs to know, and nothing that it must not trust."""

import hashlib
import itertools
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Any, Final

import orjson

from barberpro.protocol.actors import SYSTEM, Actor, Role, Via
from barberpro.protocol.commands import Advance, Command, Complete, Join, Reschedule, Schedule, Transfer
from barberpro.protocol.currencies import need_decimals, written
from barberpro.protocol.errors import bad_field
from barberpro.protocol.ids import new_booking_id, new_request_id
from barberpro.queue.last_call import LastCall
from barberpro.storage.catalogue import Barber, Service, Shop
from barberpro.storage.keys import Keys

Json = dict[str, Any]
_KEY_BYTES: Final = 64
"""The longest key of blake2b."""
_SPACING: Final = re.compile(r"[^0-9+]")
"""What people put between the digits of a telephone number, each in their own way."""


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One command of a shop, as the library's `run` takes it (see prelude.lua).

    arguments: the transition, the command, the stamp, and what a booking is born with.
    """

    shop_id: str
    shard: int
    key: bytes
    policy: bytes
    arguments: tuple[bytes, bytes, bytes, bytes]

    @property
    def transition(self) -> str:
        return self.arguments[0].decode()


class CallBuilder:
    """Builds script calls. One a node: `nonce` makes each of its calls one of its kind."""

    def __init__(self, keys: Keys, seal: Callable[[str], str], lookup: Callable[[str, str], str]) -> None:
        """seal: encrypts a telephone number. lookup: the keyed hash of a text (storage/sealing.py), by its kind."""
        self._keys = keys
        self._seal = seal
        self._lookup = lookup
        # A telephone number in a command would be found from a plain digest by trying all numbers.
        self._digest_key = lookup("command", "digest").encode()[:_KEY_BYTES]
        self._node = secrets.token_hex(5)
        self._numbers = itertools.count()

    def of_command(
        self, actor: Actor, command: Command, via: Via, shop: Shop, last_call: LastCall | None = None
    ) -> ScriptCall:
        """Raises BarberProError(BAD_REQUEST) for services, barbers and decimals that the shop does not have."""
        fields = command.model_dump(exclude_none=True, exclude={"command_id", "expect", "type", "calendar"})
        saw = _expectation(command)
        content = [actor.id, actor.role.value, command.type, saw, fields]
        envelope: Json = {
            "id": command.command_id,
            "digest": self._digest(content),
        }
        born = b""
        if isinstance(command, Join | Schedule):
            born = self._being_born(actor, command, shop, fields, envelope)
        if isinstance(command, Schedule | Reschedule):
            fields["at"] = round(command.at.astimezone(UTC).timestamp() * 1000)
            if command.calendar is not None:  # not of the digest: a repetition may find another one, and is the same
                envelope["calendar"] = command.calendar.model_dump(exclude_none=True)
        if isinstance(command, Complete | Advance) and command.payment is not None:
            need_decimals("payment.amount", command.payment.amount, shop.currency)
            need_decimals("payment.tip", command.payment.tip or "", shop.currency)
        if isinstance(command, Transfer) and command.to_barber_id not in shop.barbers:
            raise bad_field("toBarberId", "is no barber of this shop")
        if saw:
            envelope["expect"] = saw
        if last_call is not None:
            envelope["lastCall"] = last_call.document
        return self._call(command.type, shop, actor, via, {**fields, **envelope}, born)

    def _digest(self, content: list[Any]) -> str:
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(text, digest_size=16, key=self._digest_key).hexdigest()

    def of_timer(self, script: str, shop: Shop, fields: Json) -> ScriptCall:
        """What a due timer asks for, or whatever else the system itself does."""
        via = Via(new_request_id())
        envelope = {"id": f"timer-{via.request_id}", "digest": script, **fields}
        return self._call(script, shop, SYSTEM, via, envelope, b"")

    def _call(self, script: str, shop: Shop, actor: Actor, via: Via, envelope: Json, born: bytes) -> ScriptCall:
        who = {"id": actor.id, "role": actor.role.value}
        envelope["actor"] = who
        # With the time, it makes the link of whatever event comes of this call one of its kind.
        envelope["nonce"] = f"{self._node}.{next(self._numbers)}"
        how = {"requestId": via.request_id}
        if via.ip:
            how["ip"] = via.ip
        if via.agent:
            how["agent"] = via.agent
        stamp = orjson.dumps({"actor": who, "via": how})[1:-1]
        shard = self._keys.shard_of(shop.shop_id)
        key = self._keys.epoch(shard).encode()
        arguments = (script.encode(), orjson.dumps(envelope), stamp, born)
        return ScriptCall(shop.shop_id, shard, key, shop.policy, arguments)

    def _being_born(self, actor: Actor, command: Join | Schedule, shop: Shop, fields: Json, envelope: Json) -> bytes:
        """What the booking is born with, which no transition changes; the script itself needs little of it."""
        for told in ("serviceIds", "customer", "notes"):
            fields.pop(told, None)
        booking_id = new_booking_id(shop.shop_id)
        services = chosen_services(shop.barbers[command.barber_id], command.service_ids)
        minutes = sum(service.duration_minutes for service in services)
        name, phone = actor.name if actor.role is Role.CUSTOMER else None, None
        if command.customer:
            name, phone = command.customer.name, command.customer.phone
        envelope |= {"bookingId": booking_id, "minutes": minutes}
        customer_id = self._customer(actor, shop, phone)
        if customer_id is not None:
            envelope["customerId"] = customer_id
        born = {
            "bookingId": booking_id,
            "kind": "appointment" if isinstance(command, Schedule) else "walk_in",
            "customerId": customer_id,
            "customerName": name,
            "phoneSealed": self._seal(phone) if phone else None,
            "services": [service.wire for service in services],
            "durationMinutes": minutes,
            "totalPrice": written(sum((service.price for service in services), Decimal(0)), shop.currency),
            "currency": shop.currency,
            "notes": command.notes,
        }
        return orjson.dumps({key: value for key, value in born.items() if value is not None})

    def _customer(self, actor: Actor, shop: Shop, phone: str | None) -> str | None:
        """Who has one live booking in the shop: a customer by their account, a guest by their telephone or their code.

        None for whom staff enter, or a kiosk. A guest with a telephone is another in each shop: nobody can tell from
        events where else a number was seen.
        """
        if actor.role is Role.GUEST and phone is not None:
            return f"ph_{self._lookup(f'guest of {shop.shop_id}', _SPACING.sub('', phone))[:32]}"
        return actor.id if actor.role in {Role.CUSTOMER, Role.GUEST} else None


def chosen_services(barber: Barber, service_ids: list[str]) -> list[Service]:
    """Raises BAD_REQUEST for one that the barber does not offer."""
    chosen = []
    for index, service_id in enumerate(service_ids):
        service = barber.services.get(service_id)
        if service is None:
            raise bad_field(f"serviceIds.{index}", "is no service of this barber")
        chosen.append(service)
    return chosen


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

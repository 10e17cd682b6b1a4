"""Displays and kiosks: each asks for a code and shows it, staff enter it, and from then on it gets tokens.

The way of RFC 8628: the short code is good for a few minutes and gives away nothing; what the device proves itself with
is a secret that nobody else ever sees, of which we keep the hash.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool

from barberpro.domain.ending import revoke
from barberpro.domain.guests import minted
from barberpro.domain.identity import Tokens
from barberpro.protocol.access import AskedPairing, DeviceKind, DeviceToken, DeviceWaits, PairedDevice
from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.ids import new_device_id
from barberpro.protocol.times import rfc3339
from barberpro.storage import devices
from barberpro.storage.audit import note

_ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Of RFC 8628, section 6.1: no vowels, so no words; nothing that looks like something else."""
_LETTERS: Final = 8
_TOKEN_SECONDS: Final = 3600
_ASK_AGAIN_SECONDS: Final = 3


async def ask(pool: "Pool[Any]", kind: DeviceKind) -> AskedPairing:
    """A code for a device to show, and the secret with which it asks for its token."""
    secret = secrets.token_urlsafe(32)
    while True:
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))
        until = await devices.add_device(pool, new_device_id(), kind, _hash(secret), code)
        if until is not None:
            return {"code": f"{code[:4]}-{code[4:]}", "secret": secret, "expiresAt": _time(until)}


async def pair(
    pool: "Pool[Any]", actor: Actor, shop_id: str, kind: DeviceKind, code: str, name: str, via: Via
) -> PairedDevice:
    """Makes the device that shows the code the shop's.

    code: as it was typed. Raises NOT_FOUND, and RATE_LIMIT_EXCEEDED after ten wrong ones within ten minutes.
    """
    letters = "".join(each for each in code.upper() if each in _ALPHABET)
    async with pool.acquire() as connection, connection.transaction():
        # One at a time in each shop: else as many tries as connections would come before the first miss is noted.
        await connection.execute("SELECT 1 FROM shops WHERE shop_id = $1 FOR NO KEY UPDATE", shop_id)
        if not await devices.may_try(connection, shop_id):
            raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, retry_after=devices.PAIRING_SECONDS)
        device = await devices.pair_device(connection, shop_id, kind, letters, name, actor.id)
        if device is None:
            await devices.note_miss(connection, shop_id)
        else:
            after = {"kind": kind}
            await note(
                connection, actor, "device.paired", "device", device.device_id, after=after, via=via, shop_id=shop_id
            )
    if device is None:
        raise not_found("pairing")
    return _told(device)


async def token_of(pool: "Pool[Any]", tokens: Tokens, secret: str) -> DeviceToken | DeviceWaits:
    """A token for the device whose secret it is, or word that nobody has entered its code yet.

    Raises NOT_FOUND when there is no such device (its code has expired), and TOKEN_REVOKED.
    """
    device = await devices.device_of_secret(pool, _hash(secret))
    if device is None:
        raise not_found("device")
    if device.revoked_at is not None:
        raise BarberProError(ErrorCode.TOKEN_REVOKED)
    if device.shop_id is None:
        return {"status": "waiting", "askAgainSeconds": _ASK_AGAIN_SECONDS}
    actor = Actor(device.device_id, Role(device.kind), shop_ids=frozenset({device.shop_id}))
    return {
        "status": "paired",
        "deviceId": device.device_id,
        "kind": device.kind,
        "shopId": device.shop_id,
        **minted(tokens, actor, _TOKEN_SECONDS),
    }


async def of_shop(pool: "Pool[Any]", shop_id: str) -> list[PairedDevice]:
    """The devices that the shop has paired, and not revoked."""
    return [_told(device) for device in await devices.list_devices(pool, shop_id)]


async def revoke_device(pool: "Pool[Any]", actor: Actor, shop_id: str, device_id: str, via: Via) -> None:
    """Ends the device's tokens and its connections, for good. Raises NOT_FOUND when the shop has no such device."""
    async with pool.acquire() as connection, connection.transaction():
        device = await devices.revoke_device(connection, shop_id, device_id)
        if device is None:
            raise not_found("device")
        await revoke(connection, actor, device_id)
        await note(connection, actor, "device.revoked", "device", device_id, via=via, shop_id=shop_id)


def _hash(secret: str) -> bytes:
    """Fast is enough: the secret has 256 random bits, and cannot be guessed at any speed."""
    return hashlib.sha256(secret.encode()).digest()


def _told(device: devices.Device) -> PairedDevice:
    assert device.name is not None  # noqa: S101 - paired
    assert device.paired_at is not None  # noqa: S101 - paired
    return {
        "deviceId": device.device_id,
        "kind": device.kind,
        "name": device.name,
        "pairedAt": _time(device.paired_at),
        "pairedBy": device.paired_by,
    }


def _time(moment: datetime) -> str:
    return rfc3339(round(moment.timestamp() * 1000))

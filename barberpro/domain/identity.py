"""Access tokens: RS256, minted and verified, and the actor that each stands for."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import jwt
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from barberpro.domain.keys import SigningKey
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Name
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.ids import Id

ISSUER: Final = "barberpro"
_REMEMBERED: Final = 10_000
_LEEWAY_SECONDS: Final = 5
_ROLES: Final = {role.value: role for role in Role if role is not Role.SYSTEM}


class _Claims(BaseModel):
    """What becomes part of keys, events and screens: held to the same rules as what comes in any other way."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True)

    sub: Id
    name: Name | None = None
    barber_id: Id | None = None
    booking_id: Id | None = None
    shop_ids: list[Id] = []


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token stands for, from when and until when (seconds since the epoch), and the token's own id."""

    actor: Actor
    issued_at: float
    expires_at: float
    token_id: str


def _never(_user_id: str, _issued_at: float) -> bool:
    return False


class Tokens:
    """Mints and verifies. A verified token is remembered until it expires: RSA costs more than a look-up."""

    def __init__(self, key: SigningKey, is_revoked: Callable[[str, float], bool] = _never) -> None:
        """is_revoked: whether a token that a user (by id) was issued at a time (seconds) has been revoked."""
        self._key = key
        self._is_revoked = is_revoked
        self._public = key.private.public_key()
        self._verified: OrderedDict[str, Identity] = OrderedDict()

    def mint(self, actor: Actor, seconds: int = 3600) -> str:
        """A token for `actor`, good for `seconds`."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": actor.id,
            "userId": actor.id,
            "userType": actor.role.value,
            "shopIds": sorted(actor.shop_ids),
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_hex(12),
        }
        optional = {"name": actor.name, "barberId": actor.barber_id, "bookingId": actor.booking_id}
        claims |= {claim: value for claim, value in optional.items() if value is not None}
        return jwt.encode(claims, self._key.private, algorithm="RS256", headers={"kid": self._key.kid})

    def verify(self, token: str) -> Identity:
        """Raises BarberProError: UNAUTHORIZED, TOKEN_EXPIRED, TOKEN_REVOKED."""
        known = self._verified.get(token)
        if known is None:
            known = self._decode(token)
            self._verified[token] = known
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        if known.expires_at + _LEEWAY_SECONDS < time.time():
            self._verified.pop(token, None)
            raise BarberProError(ErrorCode.TOKEN_EXPIRED)
        if self.revoked(known):
            raise BarberProError(ErrorCode.TOKEN_REVOKED)
        return known

    def revoked(self, identity: Identity) -> bool:
        return self._is_revoked(identity.actor.id, identity.issued_at)

    def _decode(self, token: str) -> Identity:
        try:
            if jwt.get_unverified_header(token).get("kid") != self._key.kid:
                raise BarberProError(ErrorCode.UNAUTHORIZED, "The token was signed with a key that is not known here.")
            claims = jwt.decode(
                token,
                self._public,
                algorithms=["RS256"],
                issuer=ISSUER,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "jti"]},
            )
            return Identity(_actor(claims), float(claims["iat"]), float(claims["exp"]), str(claims["jti"]))
        except jwt.ExpiredSignatureError:
            raise BarberProError(ErrorCode.TOKEN_EXPIRED) from None
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            raise BarberProError(ErrorCode.UNAUTHORIZED) from None


def _actor(claims: dict[str, Any]) -> Actor:
    """Raises KeyError or ValueError for claims that make no actor."""
    checked = _Claims.model_validate(claims)
    return Actor(
        id=checked.sub,
        role=_ROLES[claims["userType"]],
        name=checked.name,
        barber_id=checked.barber_id,
        shop_ids=frozenset(checked.shop_ids),
        booking_id=checked.booking_id,
    )

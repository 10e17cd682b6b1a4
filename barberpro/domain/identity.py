"""Access tokens: RS256, minted and verified, and the actor that each stands for."""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

import jwt

from barberpro.domain.keys import SigningKey
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

ISSUER: Final = "barberpro"
_REMEMBERED: Final = 10_000
_LEEWAY_SECONDS: Final = 5
_ROLES: Final = {role.value: role for role in Role if role is not Role.SYSTEM}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token stands for, until when (seconds since the epoch), and the token's own id."""

    actor: Actor
    expires_at: float
    token_id: str


class Tokens:
    """Mints and verifies. A verified token is remembered until it expires: RSA costs more than a look-up."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
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
        """Raises BarberProError: UNAUTHORIZED, TOKEN_EXPIRED."""
        known = self._verified.get(token)
        if known is None:
            known = self._decode(token)
            self._verified[token] = known
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        if known.expires_at + _LEEWAY_SECONDS < time.time():
            self._verified.pop(token, None)
            raise BarberProError(ErrorCode.TOKEN_EXPIRED)
        return known

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
            return Identity(_actor(claims), float(claims["exp"]), str(claims["jti"]))
        except jwt.ExpiredSignatureError:
            raise BarberProError(ErrorCode.TOKEN_EXPIRED) from None
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            raise BarberProError(ErrorCode.UNAUTHORIZED) from None


def _actor(claims: dict[str, Any]) -> Actor:
    """Raises KeyError, TypeError or ValueError for claims that make no actor."""
    shop_ids = claims.get("shopIds", [])
    if not isinstance(shop_ids, list) or not all(isinstance(shop_id, str) for shop_id in shop_ids):
        raise TypeError("shopIds")
    texts = {name: claims.get(name) for name in ("name", "barberId", "bookingId")}
    if any(value is not None and not isinstance(value, str) for value in texts.values()):
        raise TypeError("name, barberId or bookingId")
    return Actor(
        id=str(claims["sub"]),
        role=_ROLES[claims["userType"]],
        name=texts["name"],
        barber_id=texts["barberId"],
        shop_ids=frozenset(shop_ids),
        booking_id=texts["bookingId"],
    )

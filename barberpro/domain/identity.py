"""Access tokens: RS256, minted and verified, and the actor that each stands for."""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import jwt
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from barberpro.domain.keys import KeyRing, SigningKey
from barberpro.domain.policy import permissions_of
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Name
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.ids import Id

ISSUER: Final = "barberpro"
LONGEST_ACCESS_SECONDS: Final = 86_400
"""For which a session's access token may be made to last."""
_REMEMBERED: Final = 10_000
_LEEWAY_SECONDS: Final = 5
_LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999: what comes after it cannot be told. Whoever names it means milliseconds, or nothing."""
_ROLES: Final = {role.value: role for role in Role if role is not Role.SYSTEM}


Second = Annotated[float, Field(ge=0, le=_LAST_SECOND)]
"""Seconds since the epoch."""


class _Claims(BaseModel):
    """What becomes part of keys, events and screens: held to the same rules as what comes in any other way."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True)

    sub: Id
    iat: Second
    exp: Second
    name: Name | None = None
    barber_id: Id | None = None
    booking_id: Id | None = None
    shop_ids: list[Id] = []
    sid: Id | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token stands for, from when and until when (seconds since the epoch), and the token's own id.

    session_id: the session that it was issued in; None for one that belongs to none. kid: names the key that signed it.
    """

    actor: Actor
    issued_at: float
    expires_at: float
    token_id: str
    session_id: str | None = None
    kid: str | None = None


def _never(_identity: Identity) -> bool:
    return False


class Tokens:
    """Mints and verifies. A verified token is remembered until it expires: RSA costs more than a look-up."""

    def __init__(self, keys: SigningKey | KeyRing, is_revoked: Callable[[Identity], bool] = _never) -> None:
        """is_revoked: whether a token that was good has been revoked."""
        self.keys = keys if isinstance(keys, KeyRing) else KeyRing((keys,))
        self._is_revoked = is_revoked
        self._verified: OrderedDict[bytes, Identity] = OrderedDict()

    def use(self, keys: KeyRing) -> None:
        """Goes on with these keys; what others signed is no longer good."""
        self.keys = keys
        self._verified.clear()

    def mint(
        self,
        actor: Actor,
        seconds: int = 3600,
        *,
        session_id: str | None = None,
        email: str | None = None,
        phone: str | None = None,
    ) -> str:
        """A token for `actor`, good for `seconds`. session_id: of the session whose end is its end, too."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": actor.id,
            "userId": actor.id,
            "userType": actor.role.value,
            "shopIds": sorted(actor.shop_ids),
            "permissions": permissions_of(actor),
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_hex(12),
        }
        optional = {
            "name": actor.name,
            "barberId": actor.barber_id,
            "bookingId": actor.booking_id,
            "sid": session_id,
            "email": email,
            "phone": phone,
        }
        claims |= {claim: value for claim, value in optional.items() if value is not None}
        key = self.keys.signing(now)
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})

    def verify(self, token: str) -> Identity:
        """Raises BarberProError: UNAUTHORIZED, TOKEN_EXPIRED, TOKEN_REVOKED."""
        # A token is a kilobyte, and nobody needs it twice.
        name = hashlib.blake2b(token.encode(errors="replace"), digest_size=20).digest()
        known = self._verified.get(name)
        if known is None:
            known = self._decode(token)
            self._verified[name] = known
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        if known.expires_at + _LEEWAY_SECONDS < time.time():
            self._verified.pop(name, None)
            raise BarberProError(ErrorCode.TOKEN_EXPIRED)
        if self.revoked(known):
            raise BarberProError(ErrorCode.TOKEN_REVOKED)
        return known

    def revoked(self, identity: Identity) -> bool:
        """Whether a token that was good is no longer: it was revoked, or the key that signed it was taken away."""
        taken_away = identity.kid is not None and self.keys.verifying(identity.kid, time.time()) is None
        return taken_away or self._is_revoked(identity)

    def _decode(self, token: str) -> Identity:
        try:
            key = self.keys.verifying(jwt.get_unverified_header(token).get("kid"), time.time())
            if key is None:
                raise BarberProError(ErrorCode.UNAUTHORIZED, "The token was signed with a key that is not known here.")
            claims = jwt.decode(
                token,
                key.public,
                algorithms=["RS256"],
                issuer=ISSUER,
                leeway=_LEEWAY_SECONDS,
                # That it was issued "later" says that another server's clock is ahead of this one's, and nothing else.
                options={"require": ["exp", "iat", "sub", "jti"], "verify_iat": False},
            )
            checked = _Claims.model_validate(claims)
            actor = _actor(checked, claims["userType"])
            return Identity(actor, checked.iat, checked.exp, str(claims["jti"]), checked.sid, key.kid)
        except jwt.ExpiredSignatureError:
            raise BarberProError(ErrorCode.TOKEN_EXPIRED) from None
        except (jwt.PyJWTError, KeyError, OverflowError, TypeError, ValueError):
            raise BarberProError(ErrorCode.UNAUTHORIZED) from None


_NO_SHOPS: Final[frozenset[str]] = frozenset()
"""Most tokens': ten thousand are remembered, and an empty set of its own is 200 bytes."""


def _actor(claims: _Claims, role: str) -> Actor:
    """Raises KeyError when nobody has this role."""
    return Actor(
        id=claims.sub,
        role=_ROLES[role],
        name=claims.name,
        barber_id=claims.barber_id,
        shop_ids=frozenset(claims.shop_ids) if claims.shop_ids else _NO_SHOPS,
        booking_id=claims.booking_id,
    )

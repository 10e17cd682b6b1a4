"""How often a caller may do a thing, counted in Redis for all nodes together. rules.py says how often."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import structlog
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from barberpro.domain.policy import Caller, caller_of
from barberpro.handlers.display_tokens import is_public_screen
from barberpro.handlers.ratelimit.rules import Per, Rated, Rule, rules
from barberpro.protocol.actors import Actor
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.storage.primaries import Primaries

log = structlog.get_logger(__name__)

_SOURCE: Final = (files(__name__) / "gcra.lua").read_text()
_PATIENCE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a rule. retry_after: seconds until the next may come; 0 when this one may."""

    rule: Rule
    remaining: int
    retry_after: float = 0.0

    @property
    def allowed(self) -> bool:
        return self.retry_after == 0.0

    @property
    def limit(self) -> int:
        return self.rule.limit

    def check(self) -> None:
        """Raises RATE_LIMIT_EXCEEDED with the seconds to wait."""
        if not self.allowed:
            raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, retry_after=self.retry_after)


def counted_user(actor: Actor | None) -> str | None:
    """The user as whom an actor is counted; None for whoever counts as their network.

    A good token is not enough: each scan of the code at the door gives another, and of a shop's public screens all
    have the same.
    """
    if actor is None or caller_of(actor) is Caller.DOOR or is_public_screen(actor):
        return None
    return actor.id


@dataclass(frozen=True, slots=True)
class Subjects:
    """Of whom something is counted. network: as handlers.callers.network_of names it; user: as counted_user does."""

    network: str
    user: str | None = None

    def of(self, per: Per) -> str:
        """The one that is counted."""
        return f"user:{self.user}" if per is Per.CALLER and self.user is not None else f"network:{self.network}"


class RateLimiter:
    """One for a node; the count is Redis's, so all nodes of a deployment share it."""

    def __init__(
        self, primaries: Primaries, prefix: str, requests_per_minute: int, lookup: Callable[[str, str], str]
    ) -> None:
        """requests_per_minute: 0 switches off what may be switched off.

        lookup: a keyed hash, as Sealer.lookup, so that no key tells whose it is: most are addresses.
        """
        self._primaries = primaries
        self._lookup = lookup
        self._script: AsyncScript = primaries.at(prefix).register_script(_SOURCE)
        self._prefix = prefix
        self._rules: dict[Rated, list[Rule]] = {}
        for rule in rules(requests_per_minute):
            self._rules.setdefault(rule.rated, []).append(rule)

    async def take(self, rated: Rated, subjects: Subjects) -> Quota | None:
        """Counts one; what is left by the rule that leaves least. None when no rule is for it.

        It stops at the first rule that refuses: what it did not let in is not counted by the rules behind it.
        Raises PERSISTENCE_UNAVAILABLE when a rule that guards secrets cannot be counted.
        """
        tightest: Quota | None = None
        for rule in self._rules.get(rated, ()):
            subject = self._lookup("rate", subjects.of(rule.per))
            quota = await self._count(rule, f"{self._prefix}:rate:{rated}:{rule.per}:{subject}")
            if not quota.allowed:
                return quota
            if tightest is None or quota.remaining < tightest.remaining:
                tightest = quota
        return tightest

    async def _count(self, rule: Rule, key: str) -> Quota:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                reply = await self._script([key], [rule.limit, rule.seconds * 1000], self._primaries.at(key))
        except (RedisError, OSError) as error:
            log.warning("rate_limit_uncounted", action=rule.rated.value, problem=repr(error))
            self._primaries.doubt()
            if rule.guards:
                # Passwords could be tried without end; and who is signed in already is not held up by this.
                raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE, "Try again in a moment.") from None
            # Let pass: the limit protects the service, and turning everybody away would be worse than any flood
            # that could come in meanwhile. Reads go on from memory, commands are refused for want of Redis.
            return Quota(rule, rule.limit)
        allowed, remaining, wait_ms = reply
        return Quota(rule, remaining, 0.0 if allowed else max(wait_ms, 1) / 1000)

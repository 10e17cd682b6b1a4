"""A live connection's session: who it is, which rooms it sits in, and when its token ends."""

from dataclasses import dataclass, field
from typing import Self

from barberpro.domain.identity import Identity
from barberpro.handlers.realtime.pace import Pace
from barberpro.handlers.realtime.rooms import Seat
from barberpro.handlers.services import Limits
from barberpro.protocol.actors import Actor
from barberpro.protocol.times import rfc3339


@dataclass(slots=True)
class Session:
    """identity may be renewed on the live connection. commands, requests: how often. seats: by room name.

    agent: what the client's program calls itself.
    """

    identity: Identity
    ip: str | None
    agent: str | None
    commands: Pace
    requests: Pace
    seats: dict[str, Seat] = field(default_factory=dict)
    warned: bool = False
    """Whether it was told that its present token ends."""

    @classmethod
    def of(cls, identity: Identity, ip: str | None, agent: str | None, limits: Limits) -> Self:
        return cls(identity, ip, agent, Pace.of_commands(limits), Pace.of_requests(limits))

    @property
    def actor(self) -> Actor:
        return self.identity.actor

    def renew(self, identity: Identity) -> None:
        """Goes on with another token of the same actor, which may end later or sooner."""
        self.identity, self.warned = identity, False

    def expires_at(self) -> str:
        return rfc3339(round(self.identity.expires_at * 1000))

"""What the doors are given: everything they may call, wired by the composition root."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from asyncpg import Pool

from barberpro.domain.accounts.service import Accounts
from barberpro.domain.find import Find
from barberpro.domain.identity import Tokens
from barberpro.domain.no_shows import NoShows
from barberpro.handlers.callers import Proxies
from barberpro.handlers.origins import Origins
from barberpro.handlers.ratelimit.gate import Gate
from barberpro.queue.engine import Engine
from barberpro.queue.states import StateBuilder
from barberpro.queue.views import Views
from barberpro.storage.catalogue import Catalogue
from barberpro.storage.keys import Keys


@dataclass(frozen=True, slots=True)
class Limits:
    """protocol.md section 6; each is a setting."""

    requests_per_minute: int = 100
    rooms_per_connection: int = 64
    connections_per_user: int = 20
    message_bytes: int = 65_536
    waiting_bytes: int = 262_144
    """What may wait for a slow client; beyond it, only the newest state of each room."""
    slow_seconds: float = 5.0
    requote_seconds: float = 60.0
    """Waits change with time alone: so often a room is shown anew."""
    handshake_seconds: float = 10.0
    commands: int = 30
    commands_seconds: float = 10.0
    """At most so many commands a connection in so many seconds."""
    body_seconds: float = 10.0
    """How long a request's body may take to come in."""
    drain_seconds: float = 5.0
    """How long a connection's end waits for the answers to what it asked before."""
    session_grace_seconds: float = 30.0
    session_warning_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Services:
    engine: Engine
    views: Views
    catalogue: Catalogue
    states: StateBuilder
    tokens: Tokens
    pool: "Pool[Any]"
    keys: Keys
    limits: Limits
    gate: Gate
    no_shows: NoShows
    find: Find
    proxies: Proxies
    origins: Origins
    public_url: str | None = None
    """Where the pages are for everybody outside, such as https://queue.example; None: where the caller reached us."""


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
ACCOUNTS: web.AppKey[Accounts] = web.AppKey("accounts", Accounts)

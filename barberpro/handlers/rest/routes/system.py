"""The server itself."""

from typing import Final

from barberpro.domain.policy import Action
from barberpro.handlers.rest import exposition, health, jwks
from barberpro.handlers.rest.operations import Operation, Plain, get
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.system import Alive, KeySet, Ready

ROUTES: Final[tuple[Operation | Plain, ...]] = (
    get("/health/live", "get_live", health.live, Action.SEE_SYSTEM, tells=Alive),
    get(
        "/health/ready",
        "get_ready",
        health.ready,
        Action.SEE_SYSTEM,
        tells=Ready,
        refuses=(ErrorCode.PERSISTENCE_UNAVAILABLE,),
    ),
    Plain(
        path="/metrics",
        name="get_metrics",
        call=exposition.metrics,
        files=("text/plain", "application/openmetrics-text"),
    ),
    Plain(
        path="/.well-known/jwks.json",
        name="get_jwks",
        call=jwks.jwks,
        files=("application/json",),
        tells=KeySet,
    ),
)

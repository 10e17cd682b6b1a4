"""What the server tells of itself."""

from typing import Literal

from typing_extensions import TypedDict


class Alive(TypedDict):
    live: Literal[True]


class Ready(TypedDict):
    """parts: of each that the server needs, whether it works."""

    ready: Literal[True]
    parts: dict[str, bool]


class Key(TypedDict):
    """The public half of a key that signs tokens, as RFC 7517 writes it."""

    kty: str
    use: str
    alg: str
    kid: str
    n: str
    e: str


class KeySet(TypedDict):
    keys: list[Key]


class DisplayToken(TypedDict):
    """For a shop's screen; good for at least 12 hours more."""

    token: str


class Nothing(TypedDict):
    """There is nothing to tell."""

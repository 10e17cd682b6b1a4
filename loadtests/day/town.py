"""What the users of a load test need to know of the server: its shops, and the key that signs their tokens."""

from pathlib import Path

from pydantic import BaseModel

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import signing_key
from barberpro.protocol.actors import Actor
from barberpro.server.simulate.shop import Barber, Shop

_DAY_SECONDS = 86_400


class Town(BaseModel):
    """Written to a file by whoever starts the day, and read by each Locust process."""

    keys_dir: Path
    shops: list[Shop]

    def chairs(self) -> list[tuple[Shop, Barber]]:
        return [(shop, barber) for shop in self.shops for barber in shop.barbers]


class Minter:
    """Mints tokens with the deployment's own key, as its sign-in would."""

    def __init__(self, keys_dir: Path) -> None:
        self._tokens = Tokens(signing_key(keys_dir, create=False))

    def token(self, actor: Actor) -> str:
        return self._tokens.mint(actor, _DAY_SECONDS)

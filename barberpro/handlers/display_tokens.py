"""The tokens of the shops' public screens: one a shop, kept, for signing costs far more than looking it up."""

import time
from collections import OrderedDict
from typing import Final

from barberpro.domain.identity import Tokens
from barberpro.protocol.actors import Actor, Role

_SECONDS: Final = 24 * 3600
_KEPT: Final = 10_000
_PREFIX: Final = "ds_"


def is_public_screen(actor: Actor) -> bool:
    """Whether the token is one of these, which is everybody's: a paired screen has an id of its own."""
    return actor.role is Role.DISPLAY and actor.id.startswith(_PREFIX)


class DisplayTokens:
    """What such a token shows is public, and it opens nothing else, so all screens of a shop may share it."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def of(self, shop_id: str) -> str:
        """A token for the shop's screens that has at least half of its 24 hours left."""
        token, until = self._kept.get(shop_id, ("", 0.0))
        if until <= time.time():
            actor = Actor(id=f"{_PREFIX}{shop_id}", role=Role.DISPLAY, shop_ids=frozenset({shop_id}))
            token = self._tokens.mint(actor, _SECONDS)
            self._kept[shop_id] = token, time.time() + _SECONDS / 2
            self._kept.move_to_end(shop_id)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return token

"""Callers who may, and things that there are, for requests that were made up. Holds no tests itself."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from barberpro.domain.policy import Action, caller_of, callers_of
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.ids import new_user_id
from barberpro.storage.users import add_user
from tests.support.callers import Scene
from tests.support.rest import tokens
from tests.support.shops import Json, customer
from tests.support.things import THINGS

_SPARE: Final = 40
_EVERY: Final = 5
"""One request in so many is anybody's, and about nothing that there is."""
ENDS_AN_ACCOUNT: Final = "delete_account"


class Visitors:
    """Deals out callers and ids, in turns, so that the same run asks the same."""

    def __init__(self, stage: Scene, known: Mapping[str, object], spare: list[Actor]) -> None:
        """known: a value that there is, by a field's name. spare: people whose accounts may end."""
        people = [who for who in stage.callers.values() if who is not None]
        self._people: Iterator[Actor] = itertools.cycle(people)
        self._by_action: dict[frozenset[str], Iterator[Actor]] = {}
        self._all = people
        self._spare = iter(spare)
        self._known = dict(known)
        self._turn = itertools.count()
        self._address = itertools.count()

    @classmethod
    async def to(cls, stage: Scene) -> "Visitors":
        """With one of everything made for them."""
        known: dict[str, object] = {**stage.names, **{name: await make(stage) for name, make in THINGS.items()}}
        known |= {"serviceId": stage.door.shop.service, "serviceIds": [stage.door.shop.service]}
        known |= {"toBarberId": stage.door.shop.barbers[1]}
        spare = [replace(customer(1), id=new_user_id()) for _ in range(_SPARE)]
        async with stage.door.node.pool.acquire() as connection:
            for who in spare:
                await add_user(connection, who.id, Role.CUSTOMER.value, "Spare", "en", None, [])
        return cls(stage, known, spare)

    def headers(self, operation: Json) -> dict[str, str]:
        """Whose request it is. operation: as in openapi.json. Each comes from another address: what guards secrets
        would soon refuse all but the first."""
        far, near = divmod(next(self._address) % 65_536, 256)
        headers = {"X-Forwarded-For": f"10.{far}.{near}.1"}
        who = self._who(operation)
        return {**headers, "Authorization": f"Bearer {tokens().mint(who)}"} if who is not None else headers

    def _who(self, operation: Json) -> Actor | None:
        if operation["operationId"] == ENDS_AN_ACCOUNT:
            return next(self._spare, None)
        if next(self._turn) % _EVERY == 0:
            return next(self._people)
        actions = frozenset(operation["x-access"])
        if actions not in self._by_action:
            may = callers_of(*map(Action, actions))
            self._by_action[actions] = itertools.cycle([each for each in self._all if caller_of(each) in may])
        return next(self._by_action[actions], None)

    def placed(self, part: Any, *, always: bool = False) -> Any:  # noqa: ANN401 - any JSON
        """The same with ids that there are; of five, one is left as it was."""
        if not always and next(self._turn) % _EVERY == 0:
            return part
        if isinstance(part, dict):
            return {
                name: self._known[name]
                if name in self._known and value is not None
                else self.placed(value, always=True)
                for name, value in part.items()
            }
        return [self.placed(each, always=True) for each in part] if isinstance(part, list) else part

"""Whose an account is, for somebody who has shown that a contact is theirs."""

from collections.abc import Sequence

from barberpro.domain.accounts.sessions import actor_of
from barberpro.protocol.actors import Actor, Via
from barberpro.storage.audit import note
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.users import SealedContact, User, open_account, user_by_contact, user_by_id


async def opened(
    connection: AnyConnection, shown: Sequence[SealedContact], via: Via | None = None, by: Actor | None = None
) -> User | None:
    """The account that has one of the contacts, locked; None when none has.

    shown: all that is known to be the same person's. An account that was imported came with contacts that were only
    claimed: what is not shown by whoever opens it first goes, or somebody else could open it, too. by: who vouches for
    the contact; None: whose account it is.
    """
    for contact in shown:
        user = await user_by_contact(connection, contact.channel, contact.lookup, lock=True)
        if user is None:
            continue
        let_go = await open_account(connection, user.user_id, [each.lookup for each in shown])
        if let_go is not None:
            after = {"letGo": let_go}
            await note(connection, by or actor_of(user), "account.opened", "user", user.user_id, after=after, via=via)
            user = await user_by_id(connection, user.user_id)
        return user
    return None

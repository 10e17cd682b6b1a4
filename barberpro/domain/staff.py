"""Who works in a shop: invited, accepted, let go; and what barbers tell of themselves."""

from typing import Any, Final

from asyncpg import Pool

from barberpro.domain.accounts.challenges import Challenges
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.revocations import Revocations
from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, bad_field, not_found
from barberpro.protocol.ids import new_barber_id
from barberpro.protocol.shops import ChangeBarber
from barberpro.protocol.staff import Accepted, AcceptInvitation, Invite
from barberpro.storage.audit import note
from barberpro.storage.catalogue import Shop
from barberpro.storage.challenges import StoredChallenge
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.revocations import revoke_tokens
from barberpro.storage.shops import lock_shop
from barberpro.storage.staff import (
    Invitation,
    add_barber,
    add_invitation,
    add_owner,
    find_invitation,
    invitations_of,
    invitations_to,
    invited_lately,
    is_busy,
    is_deserted,
    let_go,
    locked_barber,
    locked_member,
    owners_of,
    set_barber,
)
from barberpro.storage.users import User, set_role, user_by_id

_INVITATIONS_A_DAY: Final = 50
"""Of one account: each is a letter to somebody who has not asked for it."""


class Staff:
    def __init__(self, pool: "Pool[Any]", contacts: Contacts, challenges: Challenges, revocations: Revocations) -> None:
        self._pool = pool
        self._contacts = contacts
        self._challenges = challenges
        self._revocations = revocations

    # Invitations -----------------------------------------------------------------------------------------------

    async def invite(self, actor: Actor, shop: Shop, wanted: Invite, key: str | None, via: Via) -> str:
        """Sends a link or a code; the invitation's id. Nothing tells whether there is an account with the contact.

        Raises RATE_LIMIT_EXCEEDED.
        """
        # The id comes of the key: those of two shops must not be the same.
        own_key = f"{shop.shop_id}.{key}" if key is not None else None
        async with self._pool.acquire() as connection, connection.transaction():
            if await invited_lately(connection, actor.id) >= _INVITATIONS_A_DAY:
                raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, retry_after=3600)
            begun = await self._challenges.begin(
                connection,
                "invite",
                wanted.contact,
                wanted={"shopName": shop.name},
                language=wanted.language,
                key=own_key,
            )
            invitation_id = begun.challenge_id
            if await add_invitation(connection, invitation_id, shop.shop_id, wanted.role, wanted.name, actor.id):
                after = {"role": wanted.role, "channel": begun.channel, "name": wanted.name}
                await note(
                    connection, actor, "staff.invited", "invitation", invitation_id,
                    after=after, via=via, shop_id=shop.shop_id,
                )  # fmt: skip
        return invitation_id

    async def invitations(self, shop_id: str) -> list[Invitation]:
        """Those of the shop that are open."""
        return await invitations_of(self._pool, shop_id)

    def contact_of(self, invitation: Invitation) -> str:
        return self._contacts.sealer.unseal(invitation.contact_sealed)

    async def own_invitations(self, actor: Actor) -> list[Invitation]:
        """Those that went to the actor's address or number."""
        return await invitations_to(self._pool, actor.id)

    async def withdraw(self, actor: Actor, shop_id: str, invitation_id: str, via: Via) -> None:
        """Raises NOT_FOUND when the shop has no such open invitation."""
        async with self._pool.acquire() as connection, connection.transaction():
            found = await find_invitation(connection, invitation_id)
            if found is None or found.shop_id != shop_id:
                raise not_found("invitation")
            await self._challenges.withdraw(connection, invitation_id)
            await note(connection, actor, "staff.uninvited", "invitation", invitation_id, via=via, shop_id=shop_id)

    async def accept(self, actor: Actor, told: AcceptInvitation, via: Via) -> Accepted:
        """The account that has the contact works in the shop from now on; its next token tells so.

        Raises NOT_FOUND for an invitation that is not the account's, or not open; BAD_REQUEST for a wrong secret;
        INVALID_TRANSITION when the account cannot work there.
        """
        invitation_id = told.invitation_id or (told.token or "").partition(".")[0]
        async with self._pool.acquire() as connection, connection.transaction():
            # Its challenge is locked before the user, as by all who lock both.
            invitation = await find_invitation(connection, invitation_id, lock=True)
            if invitation is None:
                raise not_found("invitation")
            _fitting(invitation, await user_by_id(connection, actor.id), told)
            shown = await self._shown(connection, told, invitation_id)
            if not isinstance(shown, BarberProError):
                return await self._joined(connection, invitation, actor.id, told, via)
        raise shown  # after the commit: the try is counted

    async def _shown(
        self, connection: AnyConnection, told: AcceptInvitation, invitation_id: str
    ) -> StoredChallenge | BarberProError:
        if told.token is not None:
            return await self._challenges.by_link(connection, "invite", told.token)
        return await self._challenges.by_code(connection, "invite", invitation_id, told.code or "")

    async def _joined(
        self, connection: AnyConnection, invitation: Invitation, user_id: str, told: AcceptInvitation, via: Via
    ) -> Accepted:
        user, name = _fitting(invitation, await user_by_id(connection, user_id, lock=True), told)
        shop_id, barber_id = invitation.shop_id, None
        await lock_shop(connection, shop_id)
        if invitation.role == "barber":
            if await is_deserted(connection, invitation):
                raise not_found("invitation")  # nobody runs the shop any more
            barber_id = new_barber_id()
            await add_barber(connection, shop_id, barber_id, name)
        else:
            await add_owner(connection, shop_id, user.user_id)
        shops = sorted(user.shop_ids | {shop_id})
        await set_role(connection, user.user_id, Role.BARBER.value, barber_id or user.barber_id, shops)
        accepted: Accepted = {
            "shopId": shop_id,
            "role": invitation.role,
            "barberId": barber_id,
        }
        before, after = {"userType": user.role}, {"userType": Role.BARBER.value, **accepted}
        actor = Actor(user.user_id, Role(user.role))
        await note(
            connection, actor, "staff.joined", "user", user.user_id,
            before=before, after=after, via=via, shop_id=shop_id,
        )  # fmt: skip
        return accepted

    # Who works there -------------------------------------------------------------------------------------------

    async def remove(self, actor: Actor, shop_id: str, staff_id: str, via: Via) -> None:
        """staff_id: the user's, or the barber's. Their tokens end; a renewed one tells of what is left to them.

        Raises NOT_FOUND, and INVALID_TRANSITION while their line is open or has somebody in it, or for the last owner.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            member = await locked_member(connection, shop_id, staff_id)
            if member is None:
                raise not_found("staff")
            await lock_shop(connection, shop_id)
            user_id, barber_id = member
            if barber_id is not None and await is_busy(connection, barber_id):
                raise BarberProError(
                    ErrorCode.INVALID_TRANSITION, "Their line has to be closed, and without anybody or appointments."
                )
            owners = await owners_of(connection, shop_id)
            if owners == {user_id}:
                raise BarberProError(ErrorCode.INVALID_TRANSITION, "The last owner stays: invite another one first.")
            await let_go(connection, shop_id, user_id, barber_id)
            if user_id is not None:
                await revoke_tokens(connection, user_id)
            before = {"barberId": barber_id, "owner": user_id in owners}
            await note(
                connection, actor, "staff.removed", "user" if user_id is not None else "barber", staff_id,
                before=before, via=via, shop_id=shop_id,
            )  # fmt: skip
        await self._revocations.look()

    async def change_barber(self, actor: Actor, shop_id: str, barber_id: str, wanted: ChangeBarber, via: Via) -> None:
        """Raises NOT_FOUND."""
        given = wanted.model_fields_set
        async with self._pool.acquire() as connection, connection.transaction():
            await lock_shop(connection, shop_id)
            present = await locked_barber(connection, barber_id)
            if present is None:
                raise not_found("barber")
            name = wanted.name if "name" in given else present["name"]
            photo_url = wanted.photo_url if "photo_url" in given else present["photo_url"]
            if (name, photo_url) == (present["name"], present["photo_url"]):
                return
            await set_barber(connection, barber_id, name, photo_url)
            before = {"name": present["name"], "photoUrl": present["photo_url"]}
            after = {"name": name, "photoUrl": photo_url}
            await note(
                connection, actor, "barber.changed", "barber", barber_id,
                before=before, after=after, via=via, shop_id=shop_id,
            )  # fmt: skip


def _lookups(user: User) -> list[str]:
    """What the user's address and number are found by."""
    return [lookup for lookup in (user.email_lookup, user.phone_lookup) if lookup is not None]


def _fitting(invitation: Invitation, user: User | None, told: AcceptInvitation) -> tuple[User, str]:
    """Whoever accepts it, and what they are called there. Raises NOT_FOUND, INVALID_TRANSITION or BAD_REQUEST."""
    if user is None or invitation.contact_lookup not in _lookups(user):
        raise not_found("invitation")
    if user.role == Role.ADMIN.value:
        raise BarberProError(ErrorCode.INVALID_TRANSITION, "An administrator's account works in no shop.")
    name = told.name or invitation.name or user.name
    if invitation.role == "barber" and user.barber_id is not None:
        raise BarberProError(ErrorCode.INVALID_TRANSITION, "The account has a line already: one account, one line.")
    if invitation.role == "barber" and name is None:
        raise bad_field("name", "is missing: neither the invitation nor the account has one")
    return user, name or ""

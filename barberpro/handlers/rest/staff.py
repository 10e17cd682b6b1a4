"""A shop's staff: shown, invited, let go."""

from aiohttp import web

from barberpro.domain.policy import Action
from barberpro.domain.relations import to_running
from barberpro.domain.staff import Staff
from barberpro.handlers.rest.context import identity, via_of
from barberpro.handlers.rest.lookup import shop_for
from barberpro.handlers.rest.parsing import body, command_id, no_fields, path_id, validated
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.services import ACCOUNTS, SERVICES
from barberpro.protocol.staff import (
    AcceptInvitation,
    InvitationTold,
    Invite,
    Invited,
    OwnInvitationTold,
    StaffTold,
)
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.staff import Invitation, Member, staff_of


async def show(request: web.Request) -> Page:
    """GET /shops/{shopId}/staff: barbers, those without an account among them, and owners."""
    shop = await shop_for(request, Action.SEE_STAFF)
    return Page([_member_told(each) for each in await staff_of(request.app[SERVICES].pool, shop.shop_id)])


async def remove(request: web.Request) -> Answer:
    """DELETE /shops/{shopId}/staff/{staffId}: the id of a user, or of a barber."""
    await no_fields(request)
    shop = await shop_for(request, Action.CHANGE_STAFF, to_running)
    staff_id = path_id(request, "staffId", "staff")
    await _staff(request).remove(identity(request).actor, shop.shop_id, staff_id, via_of(request))
    request.app[SERVICES].catalogue.forget(shop.shop_id)
    return Answer({})


async def invite(request: web.Request) -> Answer:
    """POST /shops/{shopId}/invitations: a letter with a link, or a code by SMS."""
    shop = await shop_for(request, Action.CHANGE_STAFF, to_running)
    wanted = validated(Invite, await body(request))
    actor, key = identity(request).actor, command_id(request)
    invitation_id = await _staff(request).invite(actor, shop, wanted, key, via_of(request))
    told: Invited = {"invitationId": invitation_id, "channel": wanted.contact.channel}
    return Answer(told, 201)


async def invitations(request: web.Request) -> Page:
    """GET /shops/{shopId}/invitations: those that are open, the newest first."""
    shop = await shop_for(request, Action.SEE_INVITATIONS, to_running)
    staff = _staff(request)
    return Page([_invitation_told(staff, each) for each in await staff.invitations(shop.shop_id)])


async def withdraw(request: web.Request) -> Answer:
    """DELETE /shops/{shopId}/invitations/{invitationId}."""
    await no_fields(request)
    shop = await shop_for(request, Action.CHANGE_STAFF, to_running)
    invitation_id = path_id(request, "invitationId", "invitation")
    await _staff(request).withdraw(identity(request).actor, shop.shop_id, invitation_id, via_of(request))
    return Answer({})


async def own_invitations(request: web.Request) -> Page:
    """GET /invitations: those to one's own address or number."""
    found = await _staff(request).own_invitations(identity(request).actor)
    return Page([_own_told(each) for each in found])


async def accept(request: web.Request) -> Answer:
    """POST /invitations/accept: by the account that is invited."""
    told = validated(AcceptInvitation, await body(request))
    accepted = await _staff(request).accept(identity(request).actor, told, via_of(request))
    request.app[SERVICES].catalogue.forget(accepted["shopId"])
    return Answer(accepted)


def _staff(request: web.Request) -> Staff:
    return request.app[ACCOUNTS].staff


def _member_told(member: Member) -> StaffTold:
    return {
        "userId": member.user_id,
        "barberId": member.barber_id,
        "name": member.name,
        "photoUrl": member.photo_url,
        "owner": member.owner,
    }


def _invitation_told(staff: Staff, invitation: Invitation) -> InvitationTold:
    return {
        "invitationId": invitation.challenge_id,
        "role": invitation.role,
        "name": invitation.name,
        "channel": invitation.channel,
        "contact": staff.contact_of(invitation),
        "madeBy": invitation.made_by,
        "madeAt": rfc3339_of(invitation.made_at),
        "expiresAt": rfc3339_of(invitation.expires_at),
    }


def _own_told(invitation: Invitation) -> OwnInvitationTold:
    return {
        "invitationId": invitation.challenge_id,
        "shopId": invitation.shop_id,
        "shopName": invitation.shop_name,
        "role": invitation.role,
        "channel": invitation.channel,
        "expiresAt": rfc3339_of(invitation.expires_at),
    }

"""Every path of the REST door."""

from aiohttp import web

from barberpro.domain.policy import Action
from barberpro.handlers.rest import (
    account,
    analytics,
    audit,
    auth,
    barbers,
    blocks,
    booking_lists,
    booking_reads,
    booking_search,
    bookings,
    calendar,
    devices,
    exports,
    exposition,
    flags,
    guests,
    health,
    jwks,
    letters,
    menu,
    payments,
    people,
    qr_codes,
    queue_events,
    queues,
    ratings,
    reports,
    shops,
    staff,
    tickets,
)
from barberpro.handlers.rest.admission import admission
from barberpro.handlers.rest.cross_origin import cross_origin, put_cross_origin_headers
from barberpro.handlers.rest.errors import answer_errors
from barberpro.handlers.rest.hygiene import put_security_headers
from barberpro.handlers.rest.observe import observe, put_headers
from barberpro.handlers.rest.replies import endpoint

_V1 = "/api/v1"
_SHOP = f"{_V1}/shops/{{shopId}}"

ROUTES = (
    web.get("/health/live", endpoint(health.live, Action.SEE_SYSTEM)),
    web.get("/health/ready", endpoint(health.ready, Action.SEE_SYSTEM)),
    web.get("/metrics", exposition.metrics),
    web.get("/.well-known/jwks.json", jwks.jwks),
    web.post(f"{_V1}/auth/register", endpoint(auth.register, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/login", endpoint(auth.login, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/login/google", endpoint(auth.login_google, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/login/firebase", endpoint(auth.login_firebase, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/verify-otp", endpoint(auth.verify_otp, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/resend-otp", endpoint(auth.resend_otp, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/verify-email", endpoint(auth.verify_email, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/forgot-password", endpoint(auth.forgot_password, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/reset-password", endpoint(auth.reset_password, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/refresh", endpoint(auth.refresh, Action.SIGN_IN)),
    web.post(f"{_V1}/auth/logout", endpoint(account.logout, Action.SIGN_OUT)),
    web.get(f"{_V1}/auth/me", endpoint(account.me, Action.SEE_ACCOUNT)),
    web.post(f"{_V1}/auth/contacts", endpoint(account.add_contact, Action.ADD_CONTACT)),
    web.post(f"{_V1}/auth/contacts/verify", endpoint(account.confirm_contact, Action.ADD_CONTACT)),
    web.get(f"{_V1}/auth/sessions", endpoint(account.sessions, Action.SEE_ACCOUNT)),
    web.delete(f"{_V1}/auth/sessions/{{sessionId}}", endpoint(account.end_session, Action.SIGN_OUT)),
    web.delete(f"{_V1}/auth/account", endpoint(account.delete, Action.DELETE_ACCOUNT)),
    web.post(f"{_V1}/bookings", endpoint(bookings.create, Action.JOIN, Action.SCHEDULE)),
    web.get(f"{_V1}/bookings", endpoint(booking_lists.list_all, Action.LIST_BOOKINGS, query=booking_lists.QUERY)),
    web.get(f"{_V1}/bookings/{{bookingId}}", endpoint(booking_reads.show, Action.SEE_BOOKING)),
    web.patch(f"{_V1}/bookings/{{bookingId}}", endpoint(bookings.change, *bookings.CHANGES)),
    web.get(f"{_V1}/bookings/{{bookingId}}/token", endpoint(booking_reads.token, Action.SEE_BOOKING)),
    web.get(f"{_V1}/bookings/{{bookingId}}/history", endpoint(booking_reads.history, Action.SEE_BOOKING)),
    web.post(f"{_V1}/bookings/{{bookingId}}/rate", endpoint(ratings.rate, Action.RATE)),
    web.put(f"{_V1}/reviews/{{reviewId}}/answer", endpoint(ratings.answer, Action.ANSWER_REVIEW)),
    web.get(f"{_V1}/barbers/search", endpoint(barbers.search, Action.FIND_BARBERS, query=barbers.SEARCH_QUERY)),
    web.get(f"{_V1}/barbers/{{barberId}}", endpoint(barbers.show, Action.FIND_BARBERS)),
    web.get(
        f"{_V1}/barbers/{{barberId}}/reviews",
        endpoint(barbers.reviews, Action.FIND_BARBERS, query=barbers.REVIEWS_QUERY),
    ),
    web.get(f"{_V1}/bookings/{{bookingId}}/qr", endpoint(tickets.qr, Action.HAND_ON_TICKET, query=qr_codes.QUERY)),
    web.post(f"{_V1}/bookings/{{bookingId}}/ticket", endpoint(tickets.fetch, Action.FETCH_TICKET)),
    # aiohttp prefers a fixed path to one with a name in it, whatever their order here.
    web.get(f"{_V1}/queue/my-queue", endpoint(queues.mine, Action.SEE_OWN_QUEUE)),
    web.get(f"{_V1}/queue/earnings", endpoint(reports.earnings, Action.SEE_EARNINGS, query=reports.QUERY)),
    web.get(f"{_V1}/queue/stats", endpoint(reports.stats, Action.SEE_STATS, query=reports.QUERY)),
    web.post(f"{_V1}/queue/commands", endpoint(queues.run_command, *queues.COMMANDS)),
    web.get(f"{_V1}/queue/{{barberId}}", endpoint(queues.show, Action.SEE_QUEUE)),
    web.get(
        f"{_V1}/queue/{{barberId}}/events",
        endpoint(queue_events.list_events, Action.SEE_EVENTS, query=queue_events.QUERY),
    ),
    web.get(f"{_V1}/barbers/me/availability", endpoint(calendar.show, Action.SEE_AVAILABILITY)),
    web.patch(f"{_V1}/barbers/me/availability", endpoint(calendar.change, Action.CHANGE_AVAILABILITY)),
    web.get(
        f"{_V1}/barbers/{{barberId}}/slots", endpoint(calendar.slots, Action.SEE_SLOTS, query=calendar.SLOTS_QUERY)
    ),
    web.patch(f"{_V1}/queue/{{bookingId}}/status", endpoint(queues.set_status, *queues.STATUSES)),
    web.patch(f"{_V1}/queue/{{bookingId}}/skip", endpoint(queues.skip, Action.SKIP)),
    web.post(f"{_SHOP}/scan", endpoint(guests.scan, Action.SCAN)),
    web.get(f"{_SHOP}/qr", endpoint(guests.qr, Action.SEE_QR, query=qr_codes.QUERY)),
    web.get(f"{_SHOP}/join-code", endpoint(guests.show_code, Action.SEE_JOIN_CODE)),
    web.post(f"{_SHOP}/join-code", endpoint(guests.change_code, Action.CHANGE_JOIN_CODE)),
    web.delete(f"{_SHOP}/join-code", endpoint(guests.withdraw_code, Action.CHANGE_JOIN_CODE)),
    web.post(f"{_V1}/devices", endpoint(devices.ask, Action.ASK_PAIRING)),
    web.post(f"{_V1}/devices/token", endpoint(devices.token, Action.FETCH_DEVICE_TOKEN)),
    web.post(f"{_SHOP}/displays/pair", endpoint(devices.pair("display"), Action.PAIR_DEVICE)),
    web.post(f"{_SHOP}/kiosks/pair", endpoint(devices.pair("kiosk"), Action.PAIR_DEVICE)),
    web.get(f"{_SHOP}/devices", endpoint(devices.show_all, Action.SEE_DEVICES)),
    web.delete(f"{_SHOP}/devices/{{deviceId}}", endpoint(devices.revoke, Action.REVOKE_DEVICE)),
    web.post(f"{_V1}/shops", endpoint(shops.create, Action.CREATE_SHOP)),
    web.get(_SHOP, endpoint(shops.show, Action.SEE_SHOP)),
    web.patch(_SHOP, endpoint(shops.change, Action.CHANGE_SHOP)),
    web.get(f"{_SHOP}/services", endpoint(menu.show, Action.SEE_MENU)),
    web.post(f"{_SHOP}/services", endpoint(menu.create, Action.CHANGE_MENU)),
    web.patch(f"{_SHOP}/services/{{serviceId}}", endpoint(menu.change, Action.CHANGE_MENU)),
    web.put(f"{_SHOP}/barbers/{{barberId}}/services/{{serviceId}}", endpoint(menu.offer, Action.CHANGE_OFFER)),
    web.get(f"{_SHOP}/staff", endpoint(staff.show, Action.SEE_STAFF)),
    web.delete(f"{_SHOP}/staff/{{staffId}}", endpoint(staff.remove, Action.CHANGE_STAFF)),
    web.get(f"{_SHOP}/invitations", endpoint(staff.invitations, Action.SEE_INVITATIONS)),
    web.post(f"{_SHOP}/invitations", endpoint(staff.invite, Action.CHANGE_STAFF)),
    web.delete(f"{_SHOP}/invitations/{{invitationId}}", endpoint(staff.withdraw, Action.CHANGE_STAFF)),
    web.get(f"{_V1}/invitations", endpoint(staff.own_invitations, Action.SEE_OWN_INVITATIONS)),
    web.post(f"{_V1}/invitations/accept", endpoint(staff.accept, Action.ACCEPT_INVITATION)),
    web.patch(f"{_V1}/barbers/me", endpoint(shops.change_barber, Action.CHANGE_OWN_BARBER)),
    web.get(f"{_V1}/flags", endpoint(flags.own, Action.SEE_OWN_FLAGS)),
    web.get(f"{_V1}/admin/flags", endpoint(flags.list_all, Action.SEE_FLAGS, query=flags.QUERY)),
    web.put(f"{_V1}/admin/flags/{{flagName}}", endpoint(flags.change, Action.CHANGE_FLAGS)),
    web.delete(f"{_V1}/admin/flags/{{flagName}}", endpoint(flags.remove, Action.CHANGE_FLAGS)),
    web.get(f"{_V1}/admin/users", endpoint(people.users, Action.SEE_USERS, query=people.USERS_QUERY)),
    web.get(f"{_V1}/admin/barbers", endpoint(people.barbers, Action.SEE_BARBERS, query=people.BARBERS_QUERY)),
    web.get(f"{_V1}/admin/shops", endpoint(people.shops, Action.SEE_SHOPS, query=people.SHOPS_QUERY)),
    web.get(f"{_V1}/payments", endpoint(payments.list_own, Action.SEE_PAYMENTS, query=payments.QUERY)),
    web.get(
        f"{_V1}/payments/reconciliation",
        endpoint(payments.reconcile, Action.SEE_PAYMENTS, query=payments.RECONCILIATION_QUERY),
    ),
    web.post(f"{_V1}/payments/{{bookingId}}/record", endpoint(payments.record, Action.RECORD_PAYMENT)),
    web.post(f"{_V1}/payments/{{paymentId}}/refund", endpoint(payments.refund, Action.REFUND_PAYMENT)),
    web.post(f"{_V1}/payments/{{paymentId}}/correct", endpoint(payments.correct, Action.CORRECT_PAYMENT)),
    web.get(
        f"{_V1}/admin/analytics",
        endpoint(analytics.show, Action.SEE_ANALYTICS, query=analytics.QUERY),
    ),
    web.get(f"{_SHOP}/analytics", endpoint(analytics.of_shop, Action.SEE_SHOP_ANALYTICS, query=analytics.SHOP_QUERY)),
    web.get(
        f"{_V1}/admin/bookings",
        endpoint(booking_search.list_all, Action.SEARCH_BOOKINGS, query=booking_search.QUERY),
    ),
    web.get(f"{_V1}/admin/payments", endpoint(payments.list_all, Action.SEARCH_PAYMENTS, query=payments.QUERY)),
    web.post(f"{_V1}/admin/reports/export", endpoint(exports.ask, Action.EXPORT_REPORTS)),
    web.get(f"{_V1}/admin/reports/exports", endpoint(exports.list_all, Action.EXPORT_REPORTS, query=exports.QUERY)),
    web.get(f"{_V1}/admin/reports/exports/{{exportId}}", endpoint(exports.show, Action.EXPORT_REPORTS)),
    web.get(f"{_V1}/admin/reports/exports/{{exportId}}/file", endpoint(exports.download, Action.EXPORT_REPORTS)),
    web.get(f"{_V1}/admin/jobs", endpoint(exports.jobs, Action.SEE_JOBS)),
    web.get(f"{_V1}/admin/audit", endpoint(audit.list_audit, Action.SEE_AUDIT, query=audit.QUERY)),
    web.patch(f"{_V1}/admin/reviews/{{reviewId}}", endpoint(ratings.moderate, Action.MODERATE_REVIEW)),
    web.get(f"{_V1}/admin/blocks", endpoint(blocks.list_blocks, Action.SEE_BLOCKS, query=blocks.QUERY)),
    web.post(f"{_V1}/admin/blocks", endpoint(blocks.create, Action.CHANGE_BLOCKS)),
    web.delete(f"{_V1}/admin/blocks/{{blockId}}", endpoint(blocks.lift, Action.CHANGE_BLOCKS)),
    web.get(f"{_V1}/admin/letters", endpoint(letters.list_all, Action.SEE_LETTERS, query=letters.QUERY)),
)


def setup_rest(app: web.Application) -> None:
    """Adds the middlewares and the routes. `app[SERVICES]` must be set; `app[health.READY]` and
    `app[exposition.FIGURES]` before it serves.

    The middlewares are for every path of the app: what a page or a handshake raises becomes an envelope as well,
    and who is blocked is so everywhere. Tokens are looked at, and requests counted, under /api/ and
    where a screen gets its token.
    """
    app.middlewares.extend([observe, answer_errors, cross_origin, admission])
    app.on_response_prepare.extend([put_headers, put_cross_origin_headers, put_security_headers])
    app.add_routes(ROUTES)

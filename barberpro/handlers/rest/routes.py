"""Every path of the REST door."""

from aiohttp import web

from barberpro.handlers.ratelimit import RateLimiter
from barberpro.handlers.rest import (
    account,
    audit,
    auth,
    booking_reads,
    bookings,
    exposition,
    health,
    jwks,
    letters,
    queue_events,
    queues,
)
from barberpro.handlers.rest.admission import admission
from barberpro.handlers.rest.errors import answer_errors
from barberpro.handlers.rest.observe import observe, put_headers
from barberpro.handlers.rest.replies import endpoint
from barberpro.handlers.services import SERVICES

_V1 = "/api/v1"

ROUTES = (
    web.get("/health/live", endpoint(health.live)),
    web.get("/health/ready", endpoint(health.ready)),
    web.get("/metrics", exposition.metrics),
    web.get("/.well-known/jwks.json", jwks.jwks),
    web.post(f"{_V1}/auth/register", endpoint(auth.register)),
    web.post(f"{_V1}/auth/login", endpoint(auth.login)),
    web.post(f"{_V1}/auth/login/google", endpoint(auth.login_google)),
    web.post(f"{_V1}/auth/login/firebase", endpoint(auth.login_firebase)),
    web.post(f"{_V1}/auth/verify-otp", endpoint(auth.verify_otp)),
    web.post(f"{_V1}/auth/resend-otp", endpoint(auth.resend_otp)),
    web.post(f"{_V1}/auth/verify-email", endpoint(auth.verify_email)),
    web.post(f"{_V1}/auth/forgot-password", endpoint(auth.forgot_password)),
    web.post(f"{_V1}/auth/reset-password", endpoint(auth.reset_password)),
    web.post(f"{_V1}/auth/refresh", endpoint(auth.refresh)),
    web.post(f"{_V1}/auth/logout", endpoint(account.logout)),
    web.get(f"{_V1}/auth/me", endpoint(account.me)),
    web.get(f"{_V1}/auth/sessions", endpoint(account.sessions)),
    web.delete(f"{_V1}/auth/sessions/{{sessionId}}", endpoint(account.end_session)),
    web.delete(f"{_V1}/auth/account", endpoint(account.delete)),
    web.post(f"{_V1}/bookings", endpoint(bookings.create)),
    web.get(f"{_V1}/bookings/{{bookingId}}", endpoint(booking_reads.show)),
    web.patch(f"{_V1}/bookings/{{bookingId}}", endpoint(bookings.change)),
    web.get(f"{_V1}/bookings/{{bookingId}}/token", endpoint(booking_reads.token)),
    web.get(f"{_V1}/bookings/{{bookingId}}/history", endpoint(booking_reads.history)),
    # aiohttp prefers a fixed path to one with a name in it, whatever their order here.
    web.get(f"{_V1}/queue/my-queue", endpoint(queues.mine)),
    web.post(f"{_V1}/queue/commands", endpoint(queues.run_command)),
    web.get(f"{_V1}/queue/{{barberId}}", endpoint(queues.show)),
    web.get(f"{_V1}/queue/{{barberId}}/events", endpoint(queue_events.list_events, queue_events.QUERY)),
    web.patch(f"{_V1}/queue/{{bookingId}}/status", endpoint(queues.set_status)),
    web.patch(f"{_V1}/queue/{{bookingId}}/skip", endpoint(queues.skip)),
    web.get(f"{_V1}/admin/audit", endpoint(audit.list_audit, audit.QUERY)),
    web.get(f"{_V1}/admin/letters", endpoint(letters.list_all, letters.QUERY)),
)


def setup_rest(app: web.Application) -> None:
    """Adds the middlewares and the routes. `app[SERVICES]` must be set; `app[health.READY]` and
    `app[exposition.FIGURES]` before it serves.

    The first two middlewares are for every path of the app: what a page or a handshake raises becomes an envelope
    as well. Tokens and rates are looked at under /api/, and where a screen gets its token.
    """
    services = app[SERVICES]
    limiter = RateLimiter(services.redis, services.redis_prefix, services.limits.requests_per_minute)
    app.middlewares.extend([observe, answer_errors, admission(limiter)])
    app.on_response_prepare.append(put_headers)
    app.add_routes(ROUTES)

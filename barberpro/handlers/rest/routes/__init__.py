"""Every path of the REST door: each endpoint, with all that is to be known of it, in one table an area."""

from typing import Final

from aiohttp import web

from barberpro.handlers.rest.admission import admission
from barberpro.handlers.rest.cross_origin import cross_origin, put_cross_origin_headers
from barberpro.handlers.rest.errors import answer_errors
from barberpro.handlers.rest.hygiene import put_security_headers
from barberpro.handlers.rest.observe import observe, put_headers
from barberpro.handlers.rest.operations import Operation, Plain
from barberpro.handlers.rest.routes import admin, auth, bookings, finding, payments, queue, shops, system

ROUTES: Final[tuple[Operation | Plain, ...]] = (
    *system.ROUTES,
    *auth.ROUTES,
    *bookings.ROUTES,
    *finding.ROUTES,
    *queue.ROUTES,
    *shops.ROUTES,
    *payments.ROUTES,
    *admin.ROUTES,
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
    app.add_routes([web.route(route.method, route.path, route.handler) for route in ROUTES])

"""Every path of the REST door."""

from aiohttp import web

from barberpro.handlers.rest import blocks, booking_reads, bookings, exposition, health, queue_events, queues
from barberpro.handlers.rest.admission import admission
from barberpro.handlers.rest.cross_origin import cross_origin, put_cross_origin_headers
from barberpro.handlers.rest.errors import answer_errors
from barberpro.handlers.rest.hygiene import put_security_headers
from barberpro.handlers.rest.observe import observe, put_headers
from barberpro.handlers.rest.replies import endpoint

_V1 = "/api/v1"

ROUTES = (
    web.get("/health/live", endpoint(health.live)),
    web.get("/health/ready", endpoint(health.ready)),
    web.get("/metrics", exposition.metrics),
    web.post(f"{_V1}/bookings", endpoint(bookings.create)),
    web.get(f"{_V1}/bookings/{{bookingId}}", endpoint(booking_reads.show)),
    web.patch(f"{_V1}/bookings/{{bookingId}}", endpoint(bookings.change)),
    web.get(f"{_V1}/bookings/{{bookingId}}/token", endpoint(booking_reads.token)),
    web.get(f"{_V1}/bookings/{{bookingId}}/history", endpoint(booking_reads.history)),
    web.get(f"{_V1}/admin/blocks", endpoint(blocks.list_blocks, blocks.QUERY)),
    web.post(f"{_V1}/admin/blocks", endpoint(blocks.create)),
    web.delete(f"{_V1}/admin/blocks/{{blockId}}", endpoint(blocks.lift)),
    # aiohttp prefers a fixed path to one with a name in it, whatever their order here.
    web.get(f"{_V1}/queue/my-queue", endpoint(queues.mine)),
    web.post(f"{_V1}/queue/commands", endpoint(queues.run_command)),
    web.get(f"{_V1}/queue/{{barberId}}", endpoint(queues.show)),
    web.get(f"{_V1}/queue/{{barberId}}/events", endpoint(queue_events.list_events, queue_events.QUERY)),
    web.patch(f"{_V1}/queue/{{bookingId}}/status", endpoint(queues.set_status)),
    web.patch(f"{_V1}/queue/{{bookingId}}/skip", endpoint(queues.skip)),
)


def setup_rest(app: web.Application) -> None:
    """Adds the middlewares and the routes. `app[SERVICES]` must be set; `app[health.READY]` and
    `app[exposition.FIGURES]` before it serves.

    The middlewares are for every path of the app: what a page or a handshake raises becomes an envelope as well,
    and who is blocked is so everywhere. Tokens are looked at under /api/, and where a screen gets its token.
    """
    app.middlewares.extend([observe, answer_errors, cross_origin, admission])
    app.on_response_prepare.extend([put_headers, put_cross_origin_headers, put_security_headers])
    app.add_routes(ROUTES)

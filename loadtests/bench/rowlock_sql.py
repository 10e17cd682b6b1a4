"""The statements of the peer 'row-lock postgres'. $1 is the queue and $2 the booking, where there is one."""

from typing import Final

from loadtests.bench.floor import MAX_SKIPS


def _with_tail(sql: str) -> str:
    """{tail}: the rank behind all who wait in queue $1."""
    tail = "1 + coalesce((SELECT max(rank) FROM bookings WHERE queue_id = $1 AND status = 'waiting'), 0)"
    return sql.format(tail=tail, max_skips=MAX_SKIPS)


LOCK: Final = "SELECT status, seq, last_token, serving FROM queues WHERE queue_id = $1 FOR UPDATE"
LOCK_BOTH: Final = """
    SELECT queue_id, status, seq, last_token, serving FROM queues
    WHERE queue_id = ANY ($1::text[]) ORDER BY queue_id FOR UPDATE
"""
RECORD: Final = """
    WITH q AS (
        UPDATE queues SET seq = $2, last_token = $3, serving = $4 WHERE queue_id = $1
    ), e AS (
        INSERT INTO events (queue_id, seq, type, booking_id, command_id, data) VALUES ($1, $2, $5, $6, $7, $8)
    )
    INSERT INTO audit_logs (actor_id, actor_role, action, object_id, request_id) VALUES ($9, $10, $5, $6, 'req_bench')
"""
JOIN: Final = _with_tail("""
    INSERT INTO bookings (booking_id, shop_id, queue_id, customer_id, customer_name, services, total_price, status,
                          token_number, rank)
    VALUES ($2, $3, $1, $4, $5, $6, 250.00, 'waiting', $7, {tail})
""")
ADVANCE: Final = """
    WITH done AS (UPDATE bookings SET status = 'completed', ended_at = now() WHERE booking_id = $2)
    UPDATE bookings SET status = 'serving', started_at = now(), rank = NULL
    WHERE booking_id =
        (SELECT booking_id FROM bookings WHERE queue_id = $1 AND status = 'waiting' ORDER BY rank LIMIT 1)
    RETURNING booking_id
"""
SKIP: Final = _with_tail("""
    UPDATE bookings SET skip_count = skip_count + 1, rank = {tail},
        status = CASE WHEN skip_count >= {max_skips} THEN 'skipped' ELSE 'waiting' END
    WHERE booking_id = $2 AND queue_id = $1 AND status = 'waiting' RETURNING status
""")
NO_SHOW: Final = """
    UPDATE bookings SET status = 'skipped' WHERE booking_id = $2 AND status = 'waiting' AND booking_id =
        (SELECT booking_id FROM bookings WHERE queue_id = $1 AND status = 'waiting' ORDER BY rank LIMIT 1)
    RETURNING status
"""
RECALL: Final = _with_tail("""
    UPDATE bookings SET status = 'waiting', rank = {tail}
    WHERE booking_id = $2 AND queue_id = $1 AND status = 'skipped' RETURNING status
""")
_PLACE: Final = """
    UPDATE bookings b SET rank = coalesce(
        (SELECT CASE count(*) WHEN 2 THEN avg(rank) WHEN 1 THEN min(rank) + 1 END FROM
            (SELECT rank FROM bookings WHERE queue_id = $1 AND status = 'waiting' AND booking_id <> $2
             ORDER BY rank OFFSET {before} LIMIT 2) AS pair),
        1 + (SELECT max(rank) FROM bookings WHERE queue_id = $1 AND status = 'waiting'))
    WHERE booking_id = $2 AND queue_id = $1 AND status = 'waiting' RETURNING status
"""
MOVE: Final = _PLACE.format(before="greatest($3::integer - 2, 0)")
STEP_BACK: Final = _PLACE.format(
    before="""(SELECT count(*) FROM bookings o JOIN bookings me ON me.booking_id = $2
               WHERE o.queue_id = $1 AND o.status = 'waiting' AND o.rank < me.rank) + $3::integer - 1"""
)
TRANSFER: Final = _with_tail("""
    UPDATE bookings SET queue_id = $1, token_number = $4, rank = {tail}
    WHERE booking_id = $2 AND queue_id = $3 AND status = 'waiting' RETURNING status
""")
CANCEL: Final = """
    UPDATE bookings SET status = 'cancelled', ended_at = now(), rank = NULL
    WHERE booking_id = $2 AND queue_id = $1 AND status = 'waiting' RETURNING status
"""

ON_BOOKING: Final = {
    "skip": SKIP, "no_show": NO_SHOW, "recall": RECALL, "move": MOVE, "step_back": STEP_BACK, "cancel": CANCEL,
}  # fmt: skip

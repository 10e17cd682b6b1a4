-- Money: a ledger to which lines are only ever added, and reports as files.

-- As many decimals as the currency has; the type of a column cannot tell. No table is rewritten by this.
ALTER TABLE services ALTER COLUMN price TYPE numeric;
ALTER TABLE barber_services ALTER COLUMN price TYPE numeric;
ALTER TABLE bookings ALTER COLUMN total_price TYPE numeric;

CREATE TABLE payment_ledger (
    payment_id    text PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('charge', 'tip', 'refund', 'correction')),
    purpose       text NOT NULL CHECK (purpose IN ('service', 'tip')),
    shop_id       text NOT NULL,
    barber_id     text NOT NULL,
    booking_id    text NOT NULL,
    method        text NOT NULL CHECK (method IN ('cash', 'card', 'upi')),
    amount        numeric NOT NULL CHECK (abs(amount) < 1e12 AND scale(amount) <= 4),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    of_payment_id text REFERENCES payment_ledger,
    reason        text,
    at            timestamptz NOT NULL DEFAULT now(),
    actor_id      text NOT NULL,
    actor_role    text NOT NULL,
    request_id    text,
    shop_seq      bigint,
    command_id    text,
    digest        text,
    CHECK ((kind IN ('refund', 'correction')) = (of_payment_id IS NOT NULL)),
    CHECK (CASE kind WHEN 'charge' THEN amount >= 0 AND purpose = 'service'
                     WHEN 'tip' THEN amount > 0 AND purpose = 'tip'
                     WHEN 'refund' THEN amount < 0
                     ELSE amount <> 0 END)
);
COMMENT ON TABLE payment_ledger IS 'Append-only: what was paid, given back and put right. The sum of any of its lines is money.';
COMMENT ON COLUMN payment_ledger.purpose IS 'What the money is for; of a refund or a correction, what its payment is for.';
COMMENT ON COLUMN payment_ledger.amount IS 'Signed: a refund is below 0.';
COMMENT ON COLUMN payment_ledger.of_payment_id IS 'The charge or tip that a refund gives back, or a correction puts right.';
COMMENT ON COLUMN payment_ledger.shop_seq IS 'The event that brought it; null when it was recorded by itself.';
COMMENT ON COLUMN payment_ledger.command_id IS 'The Idempotency-Key of the request that wrote it: repeated, it writes no other.';
COMMENT ON COLUMN payment_ledger.digest IS 'Of that request: the same key with another is refused.';
CREATE UNIQUE INDEX payment_ledger_once ON payment_ledger (shop_id, command_id, kind) WHERE command_id IS NOT NULL;
CREATE INDEX payment_ledger_of_shop ON payment_ledger (shop_id, at);
CREATE INDEX payment_ledger_of_barber ON payment_ledger (barber_id, at);
CREATE INDEX payment_ledger_of_booking ON payment_ledger (booking_id);
CREATE INDEX payment_ledger_of_payment ON payment_ledger (of_payment_id) WHERE of_payment_id IS NOT NULL;
CREATE INDEX payment_ledger_by_time ON payment_ledger (at);
CREATE TRIGGER payment_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was noted before there was a ledger.
INSERT INTO payment_ledger (payment_id, kind, purpose, shop_id, barber_id, booking_id, method, amount, currency, at,
                            actor_id, actor_role, request_id, shop_seq)
SELECT 'pm_' || substr(b.booking_id, 4) || m.suffix, m.kind, m.purpose, b.shop_id, b.barber_id, b.booking_id,
       b.payment ->> 'method', m.amount::numeric, b.currency, coalesce(b.ended_at, b.created_at),
       coalesce(e.actor_id, 'system'), coalesce(e.actor_role, 'system'), e.data #>> '{via,requestId}', b.shop_seq
FROM bookings b
LEFT JOIN queue_events e USING (shop_id, shop_seq)
CROSS JOIN LATERAL (VALUES ('charge', 'service', '', b.payment ->> 'amount'),
                           ('tip', 'tip', 't', b.payment ->> 'tip')) AS m (kind, purpose, suffix, amount)
WHERE b.payment ->> 'amount' IS NOT NULL AND (m.kind = 'charge' OR m.amount::numeric > 0);

-- As it was, and the ledger's lines in the same commit. The bookings are read after they were written.
CREATE OR REPLACE FUNCTION commit_events(p_shops text[], p_epochs bigint[], p_firsts bigint[], p_upon text[], p_events text, p_born text) RETURNS TABLE(r_shop_id text, r_outcome text, r_watermark bigint, r_link text, r_epoch bigint)
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
    v_shops text[]; v_outcomes text[]; v_good text[]; v_all boolean;
BEGIN
    -- Row locks in one order, so that two servers never wait for each other in a circle. FOR UPDATE reads the
    -- newest version of a row, so from here to the end of the transaction the watermarks are the truth.
    WITH locked AS MATERIALIZED (
        SELECT w.shop_id, w.epoch, w.shop_seq, w.link FROM watermarks w
        WHERE w.shop_id = ANY (p_shops) ORDER BY w.shop_id FOR UPDATE
    ), judged AS MATERIALIZED (
        SELECT p.shop_id,
            CASE WHEN l.shop_id IS NULL THEN 'unknown'
                 WHEN p.first IS NULL THEN 'asked'
                 WHEN p.first <= l.shop_seq THEN 'overlap'
                 WHEN p.epoch <> l.epoch THEN 'fenced'
                 WHEN p.first > l.shop_seq + 1 THEN 'gap'
                 WHEN p.upon <> l.link THEN 'forked'
                 ELSE 'committed' END AS outcome
        FROM unnest(p_shops, p_epochs, p_firsts, p_upon) AS p (shop_id, epoch, first, upon)
        LEFT JOIN locked l USING (shop_id)
    )
    SELECT array_agg(j.shop_id), array_agg(j.outcome),
           array_agg(j.shop_id) FILTER (WHERE j.outcome = 'committed'),
           coalesce(bool_and(j.outcome IN ('committed', 'asked')), true)
    INTO v_shops, v_outcomes, v_good, v_all FROM judged j;

    IF v_good IS NOT NULL THEN
        -- Of its own: were it part of `batch`, each use of an event below would parse its text anew.
        WITH parsed AS MATERIALIZED (
            SELECT u.event::jsonb AS data, u.born::jsonb AS born
            FROM unnest(string_to_array(p_events, E'\n'), string_to_array(p_born, E'\n', '')) AS u (event, born)
        ), batch AS MATERIALIZED (
            SELECT e.data, e.born, e.data ->> 'shopId' AS shop_id, (e.data ->> 'shopSeq')::bigint AS shop_seq,
                   e.data ->> 'barberId' AS barber_id, (e.data ->> 'seq')::bigint AS seq,
                   e.data ->> 'type' AS type, millis(e.data ->> 'at') AS at, (e.data ->> 'day')::date AS day,
                   e.data ->> 'bookingId' AS booking_id
            FROM parsed e
            WHERE v_all OR e.data ->> 'shopId' = ANY (v_good)
        ), new_events AS (
            INSERT INTO queue_events (shop_id, shop_seq, barber_id, seq, epoch, type, at, business_date,
                                      booking_id, token_allocated, actor_id, actor_role, data)
            SELECT b.shop_id, b.shop_seq, b.barber_id, b.seq, (b.data ->> 'epoch')::bigint, b.type, b.at, b.day,
                   b.booking_id, (b.data ->> 'tokenAllocated')::integer, b.data #>> '{actor,id}',
                   b.data #>> '{actor,role}', b.data
            FROM batch b
        ), changed AS MATERIALIZED (
            -- One row a booking: its newest state in the batch, and what it was born with if it was born in it.
            SELECT c.change ->> 'bookingId' AS booking_id, max(b.shop_id) AS shop_id, max(b.shop_seq) AS shop_seq,
                   (array_agg(c.change ORDER BY b.shop_seq DESC))[1] AS state,
                   (array_agg(b.born) FILTER (WHERE b.born ->> 'bookingId' = c.change ->> 'bookingId'))[1] AS born
            FROM batch b CROSS JOIN LATERAL jsonb_array_elements(b.data -> 'changes') AS c (change)
            GROUP BY 1
        ), new_bookings AS (
            INSERT INTO bookings (booking_id, shop_id, kind, customer_id, customer_name, phone_sealed, services,
                duration_minutes, total_price, currency, notes, created_at,
                barber_id, status, business_date, token_number, rank, skip_count, appointment_at, joined_at,
                called_at, started_at, ended_at, end_reason, cancelled_by, payment, shop_seq)
            SELECT c.booking_id, c.shop_id, c.born ->> 'kind', c.born ->> 'customerId', c.born ->> 'customerName',
                c.born ->> 'phoneSealed', c.born -> 'services', (c.born ->> 'durationMinutes')::integer,
                (c.born ->> 'totalPrice')::numeric, c.born ->> 'currency', c.born ->> 'notes',
                millis(c.born ->> 'createdAt'),
                c.state ->> 'barberId', c.state ->> 'status', (c.state ->> 'day')::date,
                (c.state ->> 'token')::integer, (c.state ->> 'rank')::bigint, (c.state ->> 'skips')::integer,
                millis(c.state ->> 'appointmentAt'), millis(c.state ->> 'joinedAt'),
                millis(c.state ->> 'calledAt'), millis(c.state ->> 'startedAt'), millis(c.state ->> 'endedAt'), c.state ->> 'endReason',
                c.state ->> 'cancelledBy', c.state -> 'payment', c.shop_seq
            FROM changed c WHERE c.born IS NOT NULL
        ), old_bookings AS (
            UPDATE bookings b SET
                barber_id = c.state ->> 'barberId', status = c.state ->> 'status',
                business_date = (c.state ->> 'day')::date, token_number = (c.state ->> 'token')::integer,
                rank = (c.state ->> 'rank')::bigint, skip_count = (c.state ->> 'skips')::integer,
                appointment_at = millis(c.state ->> 'appointmentAt'),
                joined_at = millis(c.state ->> 'joinedAt'), called_at = millis(c.state ->> 'calledAt'),
                started_at = millis(c.state ->> 'startedAt'), ended_at = millis(c.state ->> 'endedAt'),
                end_reason = c.state ->> 'endReason', cancelled_by = c.state ->> 'cancelledBy',
                payment = c.state -> 'payment', shop_seq = c.shop_seq
            FROM changed c WHERE c.born IS NULL AND b.booking_id = c.booking_id
        ), new_queues AS (
            INSERT INTO queues (barber_id, shop_id, status, pause_reason, seq, business_date, last_token,
                                completed, cancelled, grace_for, grace_due_at, shop_seq, updated_at)
            SELECT DISTINCT ON (b.barber_id) b.barber_id, b.shop_id, q ->> 'status', q ->> 'pauseReason', b.seq,
                   b.day, (q ->> 'lastToken')::integer, (q ->> 'completed')::integer,
                   (q ->> 'cancelled')::integer, q ->> 'graceFor', millis(q ->> 'graceDueAt'), b.shop_seq, b.at
            FROM batch b CROSS JOIN LATERAL (SELECT b.data -> 'queue') AS _ (q)
            ORDER BY b.barber_id, b.seq DESC
            ON CONFLICT (barber_id) DO UPDATE SET
                status = excluded.status, pause_reason = excluded.pause_reason, seq = excluded.seq,
                business_date = excluded.business_date, last_token = excluded.last_token,
                completed = excluded.completed, cancelled = excluded.cancelled, grace_for = excluded.grace_for,
                grace_due_at = excluded.grace_due_at, shop_seq = excluded.shop_seq,
                updated_at = excluded.updated_at
        )
        UPDATE watermarks w SET shop_seq = t.shop_seq, link = t.link
        FROM (SELECT DISTINCT ON (b.shop_id) b.shop_id, b.shop_seq, b.data ->> 'link' AS link
              FROM batch b ORDER BY b.shop_id, b.shop_seq DESC) t
        WHERE w.shop_id = t.shop_id;

        -- What was paid at a 'complete' or 'advance'. A batch without any costs the search for the word.
        IF strpos(p_events, '"payment":{') > 0 THEN
            WITH parsed AS MATERIALIZED (
                SELECT u.event::jsonb AS data FROM unnest(string_to_array(p_events, E'\n')) AS u (event)
                WHERE strpos(u.event, '"payment":{') > 0
            ), paid AS MATERIALIZED (
                SELECT c.change ->> 'bookingId' AS booking_id, c.change -> 'payment' AS payment,
                       millis(e.data ->> 'at') AS at, e.data #>> '{actor,id}' AS actor_id,
                       e.data #>> '{actor,role}' AS actor_role, e.data #>> '{via,requestId}' AS request_id,
                       (e.data ->> 'shopSeq')::bigint AS shop_seq
                FROM parsed e CROSS JOIN LATERAL jsonb_array_elements(e.data -> 'changes') AS c (change)
                WHERE c.change ? 'payment' AND (v_all OR e.data ->> 'shopId' = ANY (v_good))
            )
            INSERT INTO payment_ledger (payment_id, kind, purpose, shop_id, barber_id, booking_id, method, amount,
                                        currency, at, actor_id, actor_role, request_id, shop_seq)
            SELECT 'pm_' || substr(b.booking_id, 4) || m.suffix, m.kind, m.purpose, b.shop_id, b.barber_id,
                   b.booking_id, p.payment ->> 'method', m.amount::numeric, b.currency, p.at, p.actor_id,
                   p.actor_role, p.request_id, p.shop_seq
            FROM paid p JOIN bookings b USING (booking_id)
            CROSS JOIN LATERAL (VALUES ('charge', 'service', '', p.payment ->> 'amount'),
                                       ('tip', 'tip', 't', p.payment ->> 'tip')) AS m (kind, purpose, suffix, amount)
            WHERE m.kind = 'charge' OR m.amount::numeric > 0
            ON CONFLICT (payment_id) DO NOTHING;
        END IF;
    END IF;

    RETURN QUERY SELECT p.shop_id, p.outcome, w.shop_seq, w.link, w.epoch
    FROM unnest(v_shops, v_outcomes) AS p (shop_id, outcome) LEFT JOIN watermarks w USING (shop_id);
END $$;

-- Reports as files: made by a job, fetched until they expire.

CREATE TABLE exports (
    export_id  text PRIMARY KEY,
    made_by    text NOT NULL,
    wanted     jsonb NOT NULL,
    status     text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'done', 'failed')),
    attempts   integer NOT NULL DEFAULT 0,
    rows_done  integer NOT NULL DEFAULT 0,
    bytes      bigint,
    problem    text,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    expires_at timestamptz NOT NULL,
    command_id text,
    CHECK ((status IN ('done', 'failed')) = (ended_at IS NOT NULL)),
    UNIQUE (made_by, command_id)
);
COMMENT ON COLUMN exports.wanted IS '{report, format, from, to, shopId}.';
COMMENT ON COLUMN exports.problem IS 'Why it failed, in words that name nobody.';
COMMENT ON COLUMN exports.command_id IS 'The Idempotency-Key of the request: repeated, it makes no other.';
CREATE INDEX exports_by_end ON exports (expires_at);

CREATE TABLE export_parts (
    export_id text NOT NULL REFERENCES exports ON DELETE CASCADE,
    part      integer NOT NULL,
    body      bytea NOT NULL,
    PRIMARY KEY (export_id, part)
);
COMMENT ON TABLE export_parts IS 'The file, in parts; whichever node is asked has it.';

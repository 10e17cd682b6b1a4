-- What all migrations together make, for reading. Nothing runs this file; a test compares it with the
-- migrations. After a new migration: python -m tests.integration.regenerate_schema

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';

CREATE EXTENSION IF NOT EXISTS cube WITH SCHEMA public;

COMMENT ON EXTENSION cube IS 'data type for multidimensional cubes';

CREATE TYPE public.pgqueuer_status AS ENUM (
    'queued',
    'picked',
    'successful',
    'exception',
    'canceled',
    'deleted',
    'failed'
);

CREATE FUNCTION public.appointment_span(at timestamp with time zone, minutes integer) RETURNS tstzrange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN tstzrange(at, (at + ((minutes)::double precision * '00:01:00'::interval)));

CREATE FUNCTION public.commit_events(p_shops text[], p_epochs bigint[], p_firsts bigint[], p_upon text[], p_events text, p_born text) RETURNS TABLE(r_shop_id text, r_outcome text, r_watermark bigint, r_link text, r_epoch bigint)
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

CREATE FUNCTION public.count_rating() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.hidden_at IS NULL THEN
        UPDATE barber_ratings r SET count = r.count - 1, stars = r.stars - OLD.stars WHERE r.barber_id = OLD.barber_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.hidden_at IS NULL THEN
        INSERT INTO barber_ratings AS r (barber_id, count, stars) VALUES (NEW.barber_id, 1, NEW.stars)
        ON CONFLICT (barber_id) DO UPDATE SET count = r.count + 1, stars = r.stars + excluded.stars;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.fn_pgqueuer_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$;

CREATE FUNCTION public.guard_checkpoint() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.shop_id <> OLD.shop_id OR NEW.shop_seq <= OLD.shop_seq) THEN
        RAISE EXCEPTION 'a checkpoint only rises' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (
        SELECT FROM queue_events e
        WHERE e.shop_id = NEW.shop_id AND e.shop_seq = NEW.shop_seq AND e.epoch = NEW.epoch
          AND e.data ->> 'link' = NEW.link AND e.business_date = NEW.business_date
          AND e.business_date < (now() AT TIME ZONE 'UTC')::date - 3
          AND NOT EXISTS (
              SELECT FROM queue_events n
              WHERE n.shop_id = e.shop_id AND n.shop_seq = e.shop_seq + 1 AND n.business_date <= e.business_date
          )
    ) THEN
        RAISE EXCEPTION 'a checkpoint stands at the last event of a day that is over for three days'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.millis(n text) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(((n)::double precision / (1000)::double precision));

CREATE FUNCTION public.open_at(week jsonb, zone text, at timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (EXISTS (SELECT FROM jsonb_array_elements((open_at.week -> to_char((open_at.at AT TIME ZONE open_at.zone), 'dy'::text))) hours(span) WHERE (((to_char((open_at.at AT TIME ZONE open_at.zone), 'HH24:MI'::text) COLLATE "C") >= (hours.span ->> 0)) AND ((to_char((open_at.at AT TIME ZONE open_at.zone), 'HH24:MI'::text) COLLATE "C") < (hours.span ->> 1)))));

COMMENT ON FUNCTION public.open_at(week jsonb, zone text, at timestamp with time zone) IS 'Whether the clock in the shop shows a time of its opening hours.';

CREATE FUNCTION public.raise_revision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END $$;

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION public.refuse_loss() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gone g LEFT JOIN checkpoints c USING (shop_id)
        WHERE c.shop_id IS NULL OR g.shop_seq > c.shop_seq
    ) THEN
        RAISE EXCEPTION '% is append-only above the checkpoint', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.refuse_young_loss() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM gone g WHERE g.at > now() - interval '365 days') THEN
        RAISE EXCEPTION '% is append-only for a year', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.tell_revocation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('revocations', '');
    RETURN NULL;
END $$;

CREATE FUNCTION public.touch_shop() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_row jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    UPDATE shops SET revision = revision WHERE shop_id =
        coalesce(v_row ->> 'shop_id', (SELECT b.shop_id FROM barbers b WHERE b.barber_id = v_row ->> 'barber_id'));
    RETURN NULL;
END $$;

CREATE FUNCTION public.trim_events(p_shop_id text, p_upon bigint, p_shop_seq bigint, p_state text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_gone bigint;
BEGIN
    INSERT INTO checkpoints AS c (shop_id, shop_seq, epoch, link, business_date, state)
    SELECT e.shop_id, e.shop_seq, e.epoch, e.data ->> 'link', e.business_date, p_state::jsonb
    FROM queue_events e WHERE e.shop_id = p_shop_id AND e.shop_seq = p_shop_seq
    ON CONFLICT (shop_id) DO UPDATE SET
        shop_seq = excluded.shop_seq, epoch = excluded.epoch, link = excluded.link,
        business_date = excluded.business_date, state = excluded.state, made_at = now()
    WHERE c.shop_seq = p_upon;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    DELETE FROM queue_events WHERE shop_id = p_shop_id AND shop_seq <= p_shop_seq;
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    RETURN v_gone;
END $$;

CREATE FUNCTION public.wait_of(mean double precision, variance double precision, expected double precision, square double precision, elapsed double precision, OUT p50 integer, OUT p90 integer) RETURNS record
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
DECLARE
    m double precision := mean; v double precision := variance;
    lasted double precision := least(elapsed, 3.0 * expected);
    sigma double precision; z double precision; longer double precision; left_ double precision; middle double precision;
BEGIN
    IF expected IS NOT NULL AND lasted <= 0 THEN
        m := m + expected;
        v := v + square * expected ^ 2;
    ELSIF expected IS NOT NULL THEN
        sigma := sqrt(ln(1 + square));
        z := ln(lasted / expected) / sigma + sigma / 2;
        longer := erfc(z / sqrt(2.0));
        left_ := expected * erfc((z - sigma) / sqrt(2.0)) / longer;
        m := m + left_ - lasted;
        v := v + expected ^ 2 * (1 + square) * erfc((z - 2 * sigma) / sqrt(2.0)) / longer - left_ ^ 2;
    END IF;
    sigma := ln(1 + v / m ^ 2);
    middle := m * exp(-sigma / 2);
    p50 := round(middle);
    p90 := ceil(middle * exp(1.2816 * sqrt(sigma)));
END $$;

CREATE FUNCTION public.works_at(calendar jsonb, opening jsonb, zone text, at timestamp with time zone, minutes integer) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
DECLARE
    v_begins timestamp := at AT TIME ZONE zone;
    v_ends timestamp := (at + minutes * interval '1 minute') AT TIME ZONE zone;
    v_day text := to_char(v_begins, 'YYYY-MM-DD');
    v_week jsonb := coalesce(nullif(calendar -> 'shifts', 'null'), opening);
    v_shifts jsonb; v_breaks jsonb := calendar -> 'breaks' -> to_char(v_begins, 'dy');
    v_from text COLLATE "C" := to_char(v_begins, 'HH24:MI:SS');
    v_until text COLLATE "C" := to_char(v_ends, 'HH24:MI:SS');
BEGIN
    IF calendar -> 'daysOff' ? v_day THEN
        RETURN false;
    END IF;
    IF v_ends::date > v_begins::date THEN
        v_until := CASE WHEN v_until = '00:00:00' THEN '24:00:00' ELSE '99' END;
    END IF;
    SELECT e -> 'shifts' INTO v_shifts FROM jsonb_array_elements(calendar -> 'exceptions') e WHERE e ->> 'date' = v_day;
    IF FOUND THEN
        v_breaks := NULL;
    ELSIF v_week IS NULL THEN
        v_shifts := '[["00:00", "24:00"]]';
    ELSE
        v_shifts := v_week -> to_char(v_begins, 'dy');
    END IF;
    RETURN EXISTS (
        SELECT FROM jsonb_array_elements(v_shifts) s WHERE s ->> 0 || ':00' <= v_from AND s ->> 1 || ':00' >= v_until
    ) AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(v_breaks) b WHERE b ->> 0 || ':00' < v_until AND b ->> 1 || ':00' > v_from
    );
END $$;

COMMENT ON FUNCTION public.works_at(calendar jsonb, opening jsonb, zone text, at timestamp with time zone, minutes integer) IS 'Whether a barber is there for so many minutes; none that go past midnight.';

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.audit_entries (
    audit_id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor_id text NOT NULL,
    actor_role text NOT NULL,
    action text NOT NULL,
    shop_id text,
    object_type text NOT NULL,
    object_id text NOT NULL,
    request_id text,
    ip text,
    detail jsonb,
    agent text,
    before jsonb,
    after jsonb
);

COMMENT ON COLUMN public.audit_entries.detail IS 'What the action did.';

COMMENT ON COLUMN public.audit_entries.agent IS 'What the caller''s program calls itself.';

COMMENT ON COLUMN public.audit_entries.before IS 'The fields that changed, as they were; of personal ones only that they are there.';

COMMENT ON COLUMN public.audit_entries.after IS 'The same fields as they are now.';

ALTER TABLE public.audit_entries ALTER COLUMN audit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_entries_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.queue_events (
    shop_id text NOT NULL,
    shop_seq bigint NOT NULL,
    barber_id text NOT NULL,
    seq bigint NOT NULL,
    epoch bigint NOT NULL,
    type text NOT NULL,
    at timestamp with time zone NOT NULL,
    business_date date NOT NULL,
    booking_id text,
    token_allocated integer,
    actor_id text NOT NULL,
    actor_role text NOT NULL,
    data jsonb NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02');

COMMENT ON COLUMN public.queue_events.token_allocated IS 'The token that this event gave out, if it did.';

COMMENT ON COLUMN public.queue_events.data IS 'The whole event as the script wrote it. No name, phone or note: those stand in bookings alone.';

CREATE VIEW public.audit_logs AS
 SELECT audit_entries.at,
    audit_entries.actor_id,
    audit_entries.actor_role,
    audit_entries.action,
    audit_entries.shop_id,
    audit_entries.object_type,
    audit_entries.object_id,
    audit_entries.request_id,
    audit_entries.ip,
    NULL::bigint AS shop_seq,
    audit_entries.detail,
    audit_entries.agent,
    audit_entries.before,
    audit_entries.after
   FROM public.audit_entries
UNION ALL
 SELECT queue_events.at,
    queue_events.actor_id,
    queue_events.actor_role,
    ('queue.'::text || queue_events.type) AS action,
    queue_events.shop_id,
        CASE
            WHEN (queue_events.booking_id IS NULL) THEN 'queue'::text
            ELSE 'booking'::text
        END AS object_type,
    COALESCE(queue_events.booking_id, queue_events.barber_id) AS object_id,
    (queue_events.data #>> '{via,requestId}'::text[]) AS request_id,
    (queue_events.data #>> '{via,ip}'::text[]) AS ip,
    queue_events.shop_seq,
    NULL::jsonb AS detail,
    (queue_events.data #>> '{via,agent}'::text[]) AS agent,
    NULL::jsonb AS before,
    NULL::jsonb AS after
   FROM public.queue_events;

COMMENT ON VIEW public.audit_logs IS 'Who did what, when and from where.';

COMMENT ON COLUMN public.audit_logs.shop_seq IS 'Of a queue''s transition: before and after stand in that event.';

CREATE TABLE public.barber_lines (
    barber_id text NOT NULL,
    until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    since timestamp with time zone NOT NULL,
    status text NOT NULL,
    waiting integer NOT NULL,
    mean double precision NOT NULL,
    variance double precision NOT NULL,
    expected double precision,
    square double precision,
    seated_at timestamp with time zone,
    CONSTRAINT barber_lines_check CHECK ((((expected IS NULL) = (seated_at IS NULL)) AND ((square IS NULL) = (seated_at IS NULL))))
);

COMMENT ON TABLE public.barber_lines IS 'What a newcomer would wait for (barberpro/queue/estimate.py, Outlook); wait_of tells how long.';

CREATE TABLE public.barber_ratings (
    barber_id text NOT NULL,
    count integer NOT NULL,
    stars integer NOT NULL,
    CONSTRAINT barber_ratings_check CHECK (((stars >= count) AND (stars <= (5 * count)))),
    CONSTRAINT barber_ratings_count_check CHECK ((count >= 0))
);

COMMENT ON TABLE public.barber_ratings IS 'How many ratings of a barber are not hidden, and the sum of their stars: the average is exact.';

CREATE TABLE public.barber_services (
    barber_id text NOT NULL,
    service_id text NOT NULL,
    price numeric,
    duration_minutes integer,
    CONSTRAINT barber_services_duration_minutes_check CHECK (((duration_minutes >= 1) AND (duration_minutes <= 600))),
    CONSTRAINT barber_services_price_check CHECK ((price >= (0)::numeric))
);

COMMENT ON TABLE public.barber_services IS 'What a barber offers; price and minutes when they differ from the shop''s.';

CREATE TABLE public.barbers (
    barber_id text NOT NULL,
    shop_id text NOT NULL,
    name text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    photo_url text
);

CREATE TABLE public.bookings (
    booking_id text NOT NULL,
    shop_id text NOT NULL,
    kind text NOT NULL,
    customer_id text,
    customer_name text,
    phone_sealed text,
    services jsonb NOT NULL,
    duration_minutes integer NOT NULL,
    total_price numeric NOT NULL,
    currency text NOT NULL,
    notes text,
    created_at timestamp with time zone NOT NULL,
    barber_id text NOT NULL,
    status text NOT NULL,
    business_date date,
    token_number integer,
    rank bigint,
    skip_count integer DEFAULT 0 NOT NULL,
    appointment_at timestamp with time zone,
    joined_at timestamp with time zone,
    called_at timestamp with time zone,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    end_reason text,
    cancelled_by text,
    payment jsonb,
    shop_seq bigint NOT NULL,
    CONSTRAINT bookings_kind_check CHECK ((kind = ANY (ARRAY['walk_in'::text, 'appointment'::text]))),
    CONSTRAINT bookings_status_check CHECK ((status = ANY (ARRAY['scheduled'::text, 'waiting'::text, 'next'::text, 'serving'::text, 'completed'::text, 'cancelled'::text, 'skipped'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.bookings IS 'No foreign keys to shops and barbers: each would lock a row of theirs for each booking. What writes a booking writes
    its queue, too, and advances its shop''s watermark; those refer to them.';

COMMENT ON COLUMN public.bookings.phone_sealed IS 'AES-256-GCM, with the key''s id; never in the clear.';

COMMENT ON COLUMN public.bookings.rank IS 'Orders those who wait, lowest first; null for all others.';

COMMENT ON COLUMN public.bookings.ended_at IS 'Completed, cancelled, or skipped when its business day ended.';

COMMENT ON COLUMN public.bookings.shop_seq IS 'The last event that changed this booking; 0: it was taken over, and no event tells of it.';

CREATE TABLE public.calendars (
    barber_id text NOT NULL,
    document jsonb NOT NULL,
    revision bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT calendars_revision_check CHECK ((revision > 0))
);

COMMENT ON TABLE public.calendars IS 'When a barber works. Without a row: as the shop is open.';

COMMENT ON COLUMN public.calendars.document IS '{shifts?, breaks, exceptions, daysOff} (barberpro/protocol/calendar.py).';

COMMENT ON COLUMN public.calendars.revision IS 'Rises by 1 with every change: no appointment is made by an older one.';

CREATE TABLE public.challenges (
    challenge_id text NOT NULL,
    purpose text NOT NULL,
    user_id text,
    channel text NOT NULL,
    contact_sealed text NOT NULL,
    contact_lookup text NOT NULL,
    secret_sealed text NOT NULL,
    wanted jsonb DEFAULT '{}'::jsonb NOT NULL,
    language text NOT NULL,
    instead text,
    tries integer DEFAULT 0 NOT NULL,
    asked integer DEFAULT 1 NOT NULL,
    sent_at timestamp with time zone[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT challenges_added_to CHECK (((purpose = 'add_contact'::text) = (user_id IS NOT NULL))),
    CONSTRAINT challenges_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text]))),
    CONSTRAINT challenges_purpose_check CHECK ((purpose = ANY (ARRAY['register'::text, 'reset'::text, 'add_contact'::text, 'invite'::text])))
);

COMMENT ON COLUMN public.challenges.user_id IS 'Whose account the contact is to be added to; only they may answer.';

COMMENT ON COLUMN public.challenges.secret_sealed IS 'Its SHA-256, sealed: six digits are guessed from a plain hash at once.';

COMMENT ON COLUMN public.challenges.wanted IS 'What is registered: {userType, name?, passwordHash?}.';

COMMENT ON COLUMN public.challenges.instead IS 'The letter that was sent without the secret, so that no answer is right: the asker is not to know.';

COMMENT ON COLUMN public.challenges.asked IS 'How often it was asked for, whether or not a letter went out.';

COMMENT ON COLUMN public.challenges.sent_at IS 'When letters went out.';

CREATE TABLE public.checkpoints (
    shop_id text NOT NULL,
    shop_seq bigint NOT NULL,
    epoch bigint NOT NULL,
    link text NOT NULL,
    business_date date NOT NULL,
    state jsonb NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.checkpoints IS 'What a shop''s first events came to, up to shop_seq: those are no longer kept.';

COMMENT ON COLUMN public.checkpoints.business_date IS 'The last day that is no longer kept. Days go whole.';

COMMENT ON COLUMN public.checkpoints.state IS 'The fold of the events up to shop_seq (barberpro/queue/history.py).';

CREATE VIEW public.commands AS
 SELECT shop_id,
    (data #>> '{command,id}'::text[]) AS command_id,
    (data #>> '{command,digest}'::text[]) AS digest,
    shop_seq,
    at,
    (data ->> 'link'::text) AS link
   FROM public.queue_events
  WHERE (data ? 'command'::text);

COMMENT ON COLUMN public.commands.digest IS 'Of the content and the actor: the same id with another digest is refused.';

CREATE TABLE public.deployment (
    only_row boolean DEFAULT true NOT NULL,
    shards integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT deployment_only_row_check CHECK (only_row),
    CONSTRAINT deployment_shards_check CHECK (((shards >= 1) AND (shards <= 4096)))
);

COMMENT ON COLUMN public.deployment.shards IS 'Fixed when the data is created: every Redis key''s hash tag depends on it.';

CREATE TABLE public.devices (
    device_id text NOT NULL,
    kind text NOT NULL,
    secret_hash bytea NOT NULL,
    code text,
    code_expires_at timestamp with time zone NOT NULL,
    shop_id text,
    name text,
    paired_at timestamp with time zone,
    paired_by text,
    revoked_at timestamp with time zone,
    CONSTRAINT devices_check CHECK (((shop_id IS NULL) = (paired_at IS NULL))),
    CONSTRAINT devices_kind_check CHECK ((kind = ANY (ARRAY['display'::text, 'kiosk'::text])))
);

COMMENT ON COLUMN public.devices.secret_hash IS 'SHA-256 of 256 random bits that the device alone has.';

COMMENT ON COLUMN public.devices.code IS 'What the device shows until staff confirm it; null once it has expired.';

COMMENT ON COLUMN public.devices.shop_id IS 'Null until it is paired; one that is not paired in time is deleted.';

CREATE TABLE public.export_parts (
    export_id text NOT NULL,
    part integer NOT NULL,
    body bytea NOT NULL
);

COMMENT ON TABLE public.export_parts IS 'The file, in parts; whichever node is asked has it.';

CREATE TABLE public.exports (
    export_id text NOT NULL,
    made_by text NOT NULL,
    wanted jsonb NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    rows_done integer DEFAULT 0 NOT NULL,
    bytes bigint,
    problem text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    command_id text,
    CONSTRAINT exports_check CHECK (((status = ANY (ARRAY['done'::text, 'failed'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT exports_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'failed'::text])))
);

COMMENT ON COLUMN public.exports.wanted IS '{report, format, from, to, shopId}.';

COMMENT ON COLUMN public.exports.problem IS 'Why it failed, in words that name nobody.';

COMMENT ON COLUMN public.exports.command_id IS 'The Idempotency-Key of the request: repeated, it makes no other.';

CREATE TABLE public.feature_flags (
    name text NOT NULL,
    description text,
    percentage integer NOT NULL,
    target_users text[] DEFAULT '{}'::text[] NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text NOT NULL,
    CONSTRAINT feature_flags_name_check CHECK ((name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,63}$'::text)),
    CONSTRAINT feature_flags_percentage_check CHECK (((percentage >= 0) AND (percentage <= 100)))
);

COMMENT ON COLUMN public.feature_flags.percentage IS 'Of all users, by a stable hash of the flag and the user (barberpro/domain/flags.py); target_users see it besides.';

CREATE TABLE public.import_marks (
    shop_id text NOT NULL,
    bookings bigint NOT NULL,
    digest numeric NOT NULL
);

COMMENT ON TABLE public.import_marks IS 'What stands for a shop''s bookings that no event tells of: their number, and the sum of their 128-bit hashes, as a checkpoint has them.';

CREATE TABLE public.import_problems (
    import_id bigint NOT NULL,
    number bigint NOT NULL,
    file text NOT NULL,
    line integer NOT NULL,
    source_id text,
    field text,
    reason text NOT NULL,
    taken boolean NOT NULL
);

COMMENT ON TABLE public.import_problems IS 'The last run''s report. No value of a personal field is in it.';

COMMENT ON COLUMN public.import_problems.taken IS 'Whether the row was taken all the same, without that field.';

ALTER TABLE public.import_problems ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.import_problems_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.imported_rows (
    collection text NOT NULL,
    source_id text NOT NULL,
    target_id text NOT NULL,
    import_id bigint NOT NULL,
    line integer NOT NULL,
    digest bytea NOT NULL,
    said jsonb
);

COMMENT ON TABLE public.imported_rows IS 'What each document became. Stays: a row that is here is not taken again, even if what it became is gone.';

COMMENT ON COLUMN public.imported_rows.import_id IS 'The run that met it last; line, digest: where, and of what it said when it was taken.';

COMMENT ON COLUMN public.imported_rows.said IS 'Totals that the document claims, compared with the rows at the end.';

CREATE TABLE public.imports (
    import_id bigint NOT NULL,
    source text NOT NULL,
    options jsonb NOT NULL,
    progress jsonb DEFAULT '{}'::jsonb NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone
);

COMMENT ON COLUMN public.imports.source IS 'A hash of the files: a run that was cut off goes on when they are the same.';

COMMENT ON COLUMN public.imports.progress IS 'By file {offset, line, rows, taken, before, refused}; written with the rows that it tells of.';

ALTER TABLE public.imports ALTER COLUMN import_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.imports_import_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.invitations (
    challenge_id text NOT NULL,
    shop_id text NOT NULL,
    role text NOT NULL,
    name text,
    made_by text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT invitations_role_check CHECK ((role = ANY (ARRAY['barber'::text, 'owner'::text])))
);

COMMENT ON COLUMN public.invitations.name IS 'What the barber is called in the shop, unless they say otherwise.';

CREATE TABLE public.join_codes (
    shop_id text NOT NULL,
    code text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    made_with text
);

COMMENT ON TABLE public.join_codes IS 'One a shop, or none: then nobody joins there as a guest. It hangs on the door, so it is no secret here.';

COMMENT ON COLUMN public.join_codes.made_with IS 'The Idempotency-Key of the request that made it: repeated, it makes no other.';

CREATE TABLE public.letters (
    letter_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    channel text NOT NULL,
    template text NOT NULL,
    language text NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    settled_at timestamp with time zone,
    problem text,
    reference text,
    content_sealed text,
    CONSTRAINT letters_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text]))),
    CONSTRAINT letters_check CHECK (((status = 'waiting'::text) = (settled_at IS NULL))),
    CONSTRAINT letters_check1 CHECK (((status = 'waiting'::text) OR (content_sealed IS NULL))),
    CONSTRAINT letters_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'sent'::text, 'failed'::text])))
);

COMMENT ON COLUMN public.letters.next_at IS 'When the next attempt is due, after one that failed.';

COMMENT ON COLUMN public.letters.problem IS 'Why the last attempt failed, without anything of the recipient.';

COMMENT ON COLUMN public.letters.reference IS 'What the provider calls the letter.';

COMMENT ON COLUMN public.letters.content_sealed IS 'Sealed JSON {to, fields}; NULL once the letter is sent or given up.';

CREATE TABLE public.pairing_misses (
    shop_id text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.pairing_misses IS 'Codes entered in a shop that no device showed. Too many, and it has to wait.';

CREATE TABLE public.payment_ledger (
    payment_id text NOT NULL,
    kind text NOT NULL,
    purpose text NOT NULL,
    shop_id text NOT NULL,
    barber_id text NOT NULL,
    booking_id text NOT NULL,
    method text NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    of_payment_id text,
    reason text,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor_id text NOT NULL,
    actor_role text NOT NULL,
    request_id text,
    shop_seq bigint,
    command_id text,
    digest text,
    CONSTRAINT payment_ledger_amount_check CHECK (((abs(amount) < '1000000000000'::numeric) AND (scale(amount) <= 4))),
    CONSTRAINT payment_ledger_check CHECK (((kind = ANY (ARRAY['refund'::text, 'correction'::text])) = (of_payment_id IS NOT NULL))),
    CONSTRAINT payment_ledger_check1 CHECK (
CASE kind
    WHEN 'charge'::text THEN ((amount >= (0)::numeric) AND (purpose = 'service'::text))
    WHEN 'tip'::text THEN ((amount > (0)::numeric) AND (purpose = 'tip'::text))
    WHEN 'refund'::text THEN (amount < (0)::numeric)
    ELSE (amount <> (0)::numeric)
END),
    CONSTRAINT payment_ledger_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payment_ledger_kind_check CHECK ((kind = ANY (ARRAY['charge'::text, 'tip'::text, 'refund'::text, 'correction'::text]))),
    CONSTRAINT payment_ledger_method_check CHECK ((method = ANY (ARRAY['cash'::text, 'card'::text, 'upi'::text]))),
    CONSTRAINT payment_ledger_purpose_check CHECK ((purpose = ANY (ARRAY['service'::text, 'tip'::text])))
);

COMMENT ON TABLE public.payment_ledger IS 'Append-only: what was paid, given back and put right. The sum of any of its lines is money.';

COMMENT ON COLUMN public.payment_ledger.purpose IS 'What the money is for; of a refund or a correction, what its payment is for.';

COMMENT ON COLUMN public.payment_ledger.amount IS 'Signed: a refund is below 0.';

COMMENT ON COLUMN public.payment_ledger.of_payment_id IS 'The charge or tip that a refund gives back, or a correction puts right.';

COMMENT ON COLUMN public.payment_ledger.shop_seq IS 'The event that brought it; null when it was recorded by itself.';

COMMENT ON COLUMN public.payment_ledger.command_id IS 'The Idempotency-Key of the request that wrote it: repeated, it writes no other.';

COMMENT ON COLUMN public.payment_ledger.digest IS 'Of that request: the same key with another is refused.';

CREATE TABLE public.pgqueuer (
    id bigint NOT NULL,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    execute_after timestamp with time zone DEFAULT now() NOT NULL,
    status public.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    slot bigint
);

CREATE SEQUENCE public.pgqueuer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_id_seq OWNED BY public.pgqueuer.id;

CREATE TABLE public.pgqueuer_log (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    job_id bigint NOT NULL,
    status public.pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

ALTER TABLE public.pgqueuer_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.pgqueuer_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pgqueuer_schedules (
    id bigint NOT NULL,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    next_run timestamp with time zone DEFAULT now() NOT NULL,
    last_run timestamp with time zone,
    status public.pgqueuer_status DEFAULT 'queued'::public.pgqueuer_status
);

CREATE SEQUENCE public.pgqueuer_schedules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_schedules_id_seq OWNED BY public.pgqueuer_schedules.id;

CREATE TABLE public.pgqueuer_statistics (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT date_trunc('sec'::text, now()) NOT NULL,
    count bigint NOT NULL,
    priority integer NOT NULL,
    status public.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE SEQUENCE public.pgqueuer_statistics_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_statistics_id_seq OWNED BY public.pgqueuer_statistics.id;

CREATE TABLE public.queues (
    barber_id text NOT NULL,
    shop_id text NOT NULL,
    status text NOT NULL,
    pause_reason text,
    seq bigint NOT NULL,
    business_date date NOT NULL,
    last_token integer NOT NULL,
    completed integer NOT NULL,
    cancelled integer NOT NULL,
    grace_for text,
    grace_due_at timestamp with time zone,
    shop_seq bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT queues_status_check CHECK ((status = ANY (ARRAY['open'::text, 'paused'::text, 'closed'::text])))
)
WITH (fillfactor='50');

COMMENT ON COLUMN public.queues.completed IS 'This business day''s count; so is cancelled.';

COMMENT ON COLUMN public.queues.grace_for IS 'The booking whose no-show grace is running until grace_due_at.';

CREATE TABLE public.rate_limits (
    block_id text NOT NULL,
    network text NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    request_id text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    until timestamp with time zone NOT NULL,
    lifted_at timestamp with time zone,
    lifted_by text,
    CONSTRAINT rate_limits_check CHECK ((until > at)),
    CONSTRAINT rate_limits_check1 CHECK (((lifted_at IS NULL) = (lifted_by IS NULL)))
);

COMMENT ON TABLE public.rate_limits IS 'The record of blocked abuse: one row a block, kept when it is over.';

COMMENT ON COLUMN public.rate_limits.network IS 'An IPv4 address, or the /64 of an IPv6 one.';

COMMENT ON COLUMN public.rate_limits.reason IS 'What was done too often (barberpro/handlers/ratelimit/rules.py), or an admin''s words.';

COMMENT ON COLUMN public.rate_limits.made_by IS 'system, or the admin.';

CREATE TABLE public.ratings (
    rating_id text NOT NULL,
    booking_id text NOT NULL,
    barber_id text NOT NULL,
    shop_id text NOT NULL,
    stars smallint NOT NULL,
    review text,
    at timestamp with time zone DEFAULT now() NOT NULL,
    made_with text,
    answer text,
    answered_at timestamp with time zone,
    answered_by text,
    hidden_at timestamp with time zone,
    hidden_by text,
    hidden_reason text,
    CONSTRAINT ratings_check CHECK (((answer IS NULL) = (answered_at IS NULL))),
    CONSTRAINT ratings_check1 CHECK (((hidden_at IS NULL) = (hidden_reason IS NULL))),
    CONSTRAINT ratings_stars_check CHECK (((stars >= 1) AND (stars <= 5)))
);

COMMENT ON TABLE public.ratings IS 'One a completed booking. Ids of newer ones sort after those of older ones.';

COMMENT ON COLUMN public.ratings.made_with IS 'The Idempotency-Key of the request that made it.';

COMMENT ON COLUMN public.ratings.hidden_at IS 'By an admin: it is shown to nobody else, and does not count.';

CREATE TABLE public.revocations (
    user_id text NOT NULL,
    before timestamp with time zone NOT NULL
);

COMMENT ON COLUMN public.revocations.before IS 'Tokens that were issued to the user before this moment are refused.';

CREATE TABLE public.search_barbers (
    barber_id text NOT NULL,
    shop_id text NOT NULL,
    place public.cube,
    words integer[] NOT NULL,
    offers integer[] NOT NULL
);

COMMENT ON COLUMN public.search_barbers.place IS 'On the unit sphere (x, y, z); null: the shop has told no place.';

COMMENT ON COLUMN public.search_barbers.words IS 'Keys of the words in the names of barber, shop and services (barberpro/storage/folding.py).';

COMMENT ON COLUMN public.search_barbers.offers IS 'Likewise, of the services alone.';

CREATE TABLE public.search_mark (
    only_row boolean DEFAULT true NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT search_mark_only_row_check CHECK (only_row)
);

COMMENT ON TABLE public.search_mark IS 'Everything committed before `at` is found. Its row lock has one node at a time do the work.';

CREATE TABLE public.search_shops (
    shop_id text NOT NULL,
    revision bigint NOT NULL,
    shop_seq bigint NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.search_shops IS 'What search knows of each shop: the catalogue as of `revision`, the lines as of `shop_seq`.';

CREATE TABLE public.services (
    service_id text NOT NULL,
    shop_id text NOT NULL,
    name text NOT NULL,
    price numeric NOT NULL,
    duration_minutes integer NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    request_digest text,
    CONSTRAINT services_duration_minutes_check CHECK (((duration_minutes >= 1) AND (duration_minutes <= 600))),
    CONSTRAINT services_price_check CHECK ((price >= (0)::numeric))
);

CREATE TABLE public.sessions (
    session_id text NOT NULL,
    user_id text NOT NULL,
    secret_sealed text NOT NULL,
    generation integer DEFAULT 0 NOT NULL,
    renewed_with text,
    ip text,
    agent text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    revoked_why text
);

COMMENT ON COLUMN public.sessions.secret_sealed IS 'Of it and the generation a refresh token is made; sealed.';

COMMENT ON COLUMN public.sessions.renewed_with IS 'The Idempotency-Key of the newest renewal: the same again gets the same.';

CREATE TABLE public.shards (
    shard integer NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL
);

COMMENT ON COLUMN public.shards.epoch IS 'Raised by 1 each time the shard is rebuilt in Redis; an event of a lower epoch can no longer commit.';

CREATE TABLE public.shop_owners (
    shop_id text NOT NULL,
    user_id text NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.shops (
    shop_id text NOT NULL,
    name text NOT NULL,
    time_zone text NOT NULL,
    currency text NOT NULL,
    queue_capacity integer DEFAULT 100 NOT NULL,
    grace_seconds integer DEFAULT 300 NOT NULL,
    grace_action text DEFAULT 'skip'::text NOT NULL,
    max_skips integer DEFAULT 2 NOT NULL,
    late_seconds integer DEFAULT 900 NOT NULL,
    public_display boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revision bigint DEFAULT 0 NOT NULL,
    address_sealed text,
    latitude double precision,
    longitude double precision,
    opening_hours jsonb,
    remote_join boolean DEFAULT true NOT NULL,
    closing_cutoff boolean DEFAULT true NOT NULL,
    slot_minutes integer DEFAULT 15 NOT NULL,
    change_notice_minutes integer DEFAULT 0 NOT NULL,
    request_digest text,
    CONSTRAINT shops_change_notice_minutes_check CHECK (((change_notice_minutes >= 0) AND (change_notice_minutes <= 10080))),
    CONSTRAINT shops_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT shops_grace_action_check CHECK ((grace_action = ANY (ARRAY['skip'::text, 'no_show'::text]))),
    CONSTRAINT shops_grace_seconds_check CHECK (((grace_seconds >= 0) AND (grace_seconds <= 86400))),
    CONSTRAINT shops_late_seconds_check CHECK (((late_seconds >= 0) AND (late_seconds <= 86400))),
    CONSTRAINT shops_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT shops_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))),
    CONSTRAINT shops_max_skips_check CHECK (((max_skips >= 0) AND (max_skips <= 100))),
    CONSTRAINT shops_placed CHECK (((latitude IS NULL) = (longitude IS NULL))),
    CONSTRAINT shops_queue_capacity_check CHECK (((queue_capacity >= 1) AND (queue_capacity <= 10000))),
    CONSTRAINT shops_slot_minutes_check CHECK (((slot_minutes >= 5) AND (slot_minutes <= 240)))
);

COMMENT ON COLUMN public.shops.grace_seconds IS 'How long ''next'' may keep a free chair waiting before grace_action is taken; 0 switches the timer off.';

COMMENT ON COLUMN public.shops.late_seconds IS 'How long after its appointed time an appointment may still check in; then the system cancels it.';

COMMENT ON COLUMN public.shops.revision IS 'Rises with every change of the shop, its barbers or services: nodes keep what they read.';

COMMENT ON COLUMN public.shops.opening_hours IS 'A week on the shop''s clock, as barberpro/domain/hours.py reads it; null: the shop has not told.';

COMMENT ON COLUMN public.shops.remote_join IS 'Whether customers join by their account, from wherever they are.';

COMMENT ON COLUMN public.shops.closing_cutoff IS 'Nobody joins who is likely to be done only after the day''s closing. Without opening hours it does nothing.';

COMMENT ON COLUMN public.shops.slot_minutes IS 'From one bookable time to the next.';

COMMENT ON COLUMN public.shops.change_notice_minutes IS 'A customer may move or cancel an appointment until so long before it; 0: at any time.';

CREATE TABLE public.sign_in_failures (
    contact_lookup text NOT NULL,
    failures integer NOT NULL,
    since timestamp with time zone NOT NULL
);

CREATE TABLE public.user_logins (
    provider text NOT NULL,
    subject text NOT NULL,
    user_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT user_logins_provider_check CHECK ((provider = ANY (ARRAY['google'::text, 'firebase'::text])))
);

COMMENT ON COLUMN public.user_logins.subject IS 'The user''s id at the provider.';

CREATE TABLE public.users (
    user_id text NOT NULL,
    role text NOT NULL,
    name text,
    language text DEFAULT 'en'::text NOT NULL,
    email_sealed text,
    email_lookup text,
    phone_sealed text,
    phone_lookup text,
    password_hash text,
    barber_id text,
    shop_ids text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    claimed boolean DEFAULT false NOT NULL,
    CONSTRAINT users_email_found CHECK (((email_sealed IS NULL) = (email_lookup IS NULL))),
    CONSTRAINT users_forgotten CHECK (((deleted_at IS NULL) OR ((COALESCE(name, email_sealed, phone_sealed, password_hash, barber_id) IS NULL) AND (shop_ids = '{}'::text[])))),
    CONSTRAINT users_phone_found CHECK (((phone_sealed IS NULL) = (phone_lookup IS NULL))),
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['customer'::text, 'barber'::text, 'admin'::text])))
);

COMMENT ON COLUMN public.users.email_lookup IS 'A keyed hash: finds the user without telling the address.';

COMMENT ON COLUMN public.users.password_hash IS 'argon2id, with its own parameters and salt; null: signs in by other ways.';

COMMENT ON COLUMN public.users.deleted_at IS 'The row stays, without anything personal, for what refers to it.';

COMMENT ON COLUMN public.users.claimed IS 'Imported, and opened by nobody yet: its contacts were only claimed.';

CREATE TABLE public.watermarks (
    shop_id text NOT NULL,
    shard integer NOT NULL,
    epoch bigint NOT NULL,
    shop_seq bigint DEFAULT 0 NOT NULL,
    link text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='50');

COMMENT ON COLUMN public.watermarks.epoch IS 'The epoch of the shop''s shard; kept here so that one row lock fences a commit.';

COMMENT ON COLUMN public.watermarks.shop_seq IS 'Every event of the shop up to this one is committed; none after it is.';

COMMENT ON COLUMN public.watermarks.link IS 'The link of that event: the next one commits only if it was made upon this one.';

ALTER TABLE ONLY public.pgqueuer ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_id_seq'::regclass);

ALTER TABLE ONLY public.pgqueuer_schedules ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_schedules_id_seq'::regclass);

ALTER TABLE ONLY public.pgqueuer_statistics ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_statistics_id_seq'::regclass);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_pkey PRIMARY KEY (audit_id);

ALTER TABLE ONLY public.barber_lines
    ADD CONSTRAINT barber_lines_pkey PRIMARY KEY (barber_id, until);

ALTER TABLE ONLY public.barber_ratings
    ADD CONSTRAINT barber_ratings_pkey PRIMARY KEY (barber_id);

ALTER TABLE ONLY public.barber_services
    ADD CONSTRAINT barber_services_pkey PRIMARY KEY (barber_id, service_id);

ALTER TABLE ONLY public.barbers
    ADD CONSTRAINT barbers_pkey PRIMARY KEY (barber_id);

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_never_overlap EXCLUDE USING gist (barber_id WITH =, public.appointment_span(appointment_at, duration_minutes) WITH &&) WHERE (((appointment_at IS NOT NULL) AND (joined_at IS NULL) AND (ended_at IS NULL))) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_pkey PRIMARY KEY (booking_id);

ALTER TABLE ONLY public.calendars
    ADD CONSTRAINT calendars_pkey PRIMARY KEY (barber_id);

ALTER TABLE ONLY public.challenges
    ADD CONSTRAINT challenges_pkey PRIMARY KEY (challenge_id);

ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (shop_id);

ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_code_key UNIQUE (code);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_secret_hash_key UNIQUE (secret_hash);

ALTER TABLE ONLY public.export_parts
    ADD CONSTRAINT export_parts_pkey PRIMARY KEY (export_id, part);

ALTER TABLE ONLY public.exports
    ADD CONSTRAINT exports_made_by_command_id_key UNIQUE (made_by, command_id);

ALTER TABLE ONLY public.exports
    ADD CONSTRAINT exports_pkey PRIMARY KEY (export_id);

ALTER TABLE ONLY public.feature_flags
    ADD CONSTRAINT feature_flags_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.import_marks
    ADD CONSTRAINT import_marks_pkey PRIMARY KEY (shop_id);

ALTER TABLE ONLY public.import_problems
    ADD CONSTRAINT import_problems_pkey PRIMARY KEY (import_id, number);

ALTER TABLE ONLY public.imported_rows
    ADD CONSTRAINT imported_rows_pkey PRIMARY KEY (collection, source_id);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (import_id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (challenge_id);

ALTER TABLE ONLY public.join_codes
    ADD CONSTRAINT join_codes_pkey PRIMARY KEY (shop_id);

ALTER TABLE ONLY public.letters
    ADD CONSTRAINT letters_pkey PRIMARY KEY (letter_id);

ALTER TABLE ONLY public.payment_ledger
    ADD CONSTRAINT payment_ledger_pkey PRIMARY KEY (payment_id);

ALTER TABLE ONLY public.pgqueuer_log
    ADD CONSTRAINT pgqueuer_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer
    ADD CONSTRAINT pgqueuer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_expression_entrypoint_key UNIQUE (expression, entrypoint);

ALTER TABLE ONLY public.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_statistics
    ADD CONSTRAINT pgqueuer_statistics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.queue_events
    ADD CONSTRAINT queue_events_one_per_seq UNIQUE (barber_id, seq);

ALTER TABLE ONLY public.queue_events
    ADD CONSTRAINT queue_events_pkey PRIMARY KEY (shop_id, shop_seq);

ALTER TABLE ONLY public.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (barber_id);

ALTER TABLE ONLY public.rate_limits
    ADD CONSTRAINT rate_limits_pkey PRIMARY KEY (block_id);

ALTER TABLE ONLY public.ratings
    ADD CONSTRAINT ratings_booking_id_key UNIQUE (booking_id);

ALTER TABLE ONLY public.ratings
    ADD CONSTRAINT ratings_pkey PRIMARY KEY (rating_id);

ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.search_barbers
    ADD CONSTRAINT search_barbers_pkey PRIMARY KEY (barber_id);

ALTER TABLE ONLY public.search_mark
    ADD CONSTRAINT search_mark_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.search_shops
    ADD CONSTRAINT search_shops_pkey PRIMARY KEY (shop_id);

ALTER TABLE ONLY public.services
    ADD CONSTRAINT services_pkey PRIMARY KEY (service_id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY public.shards
    ADD CONSTRAINT shards_pkey PRIMARY KEY (shard);

ALTER TABLE ONLY public.shop_owners
    ADD CONSTRAINT shop_owners_pkey PRIMARY KEY (shop_id, user_id);

ALTER TABLE ONLY public.shops
    ADD CONSTRAINT shops_pkey PRIMARY KEY (shop_id);

ALTER TABLE ONLY public.sign_in_failures
    ADD CONSTRAINT sign_in_failures_pkey PRIMARY KEY (contact_lookup);

ALTER TABLE ONLY public.user_logins
    ADD CONSTRAINT user_logins_pkey PRIMARY KEY (provider, subject);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_lookup_key UNIQUE (email_lookup);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_phone_lookup_key UNIQUE (phone_lookup);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.watermarks
    ADD CONSTRAINT watermarks_pkey PRIMARY KEY (shop_id);

CREATE INDEX audit_entries_by_time ON public.audit_entries USING btree (at, audit_id);

CREATE INDEX audit_entries_of_actor ON public.audit_entries USING btree (actor_id, at);

CREATE INDEX audit_entries_of_object ON public.audit_entries USING btree (object_id, at);

CREATE INDEX barber_lines_over ON public.barber_lines USING btree (until) WHERE (until < 'infinity'::timestamp with time zone);

CREATE INDEX barbers_by_age ON public.barbers USING btree (created_at, barber_id);

CREATE INDEX barbers_of_shop ON public.barbers USING btree (shop_id);

CREATE INDEX bookings_ended ON public.bookings USING btree (barber_id, ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX bookings_live ON public.bookings USING btree (shop_id) WHERE (ended_at IS NULL);

CREATE INDEX bookings_not_come ON public.bookings USING btree (customer_id, created_at) WHERE (end_reason = ANY (ARRAY['no_show'::text, 'grace_expired'::text, 'missed'::text]));

CREATE INDEX bookings_of_customer ON public.bookings USING btree (customer_id, created_at) WHERE (customer_id IS NOT NULL);

CREATE INDEX challenges_by_age ON public.challenges USING btree (expires_at);

CREATE INDEX challenges_by_contact ON public.challenges USING btree (contact_lookup, purpose, expires_at);

CREATE INDEX challenges_by_user ON public.challenges USING btree (user_id) WHERE (user_id IS NOT NULL);

CREATE INDEX devices_asking ON public.devices USING btree (code_expires_at) WHERE (code IS NOT NULL);

CREATE INDEX devices_of_shop ON public.devices USING btree (shop_id) WHERE (shop_id IS NOT NULL);

CREATE INDEX exports_by_end ON public.exports USING btree (expires_at);

CREATE INDEX invitations_by_maker ON public.invitations USING btree (made_by, made_at);

CREATE INDEX invitations_of_shop ON public.invitations USING btree (shop_id);

CREATE INDEX letters_waiting ON public.letters USING btree (created_at) WHERE (status = 'waiting'::text);

CREATE INDEX pairing_misses_of_shop ON public.pairing_misses USING btree (shop_id, at);

CREATE INDEX payment_ledger_by_time ON public.payment_ledger USING btree (at);

CREATE INDEX payment_ledger_of_barber ON public.payment_ledger USING btree (barber_id, at);

CREATE INDEX payment_ledger_of_booking ON public.payment_ledger USING btree (booking_id);

CREATE INDEX payment_ledger_of_payment ON public.payment_ledger USING btree (of_payment_id) WHERE (of_payment_id IS NOT NULL);

CREATE INDEX payment_ledger_of_shop ON public.payment_ledger USING btree (shop_id, at);

CREATE UNIQUE INDEX payment_ledger_once ON public.payment_ledger USING btree (shop_id, command_id, kind) WHERE (command_id IS NOT NULL);

CREATE INDEX pgqueuer_ep_ea_idx ON public.pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON public.pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON public.pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON public.pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON public.pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON public.pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON public.pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::public.pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON public.pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::public.pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON public.pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON public.pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON public.pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON public.pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::public.pgqueuer_status, 'picked'::public.pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON public.pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::public.pgqueuer_status);

CREATE INDEX queue_events_by_time ON public.queue_events USING btree (at);

CREATE INDEX queue_events_of_actor ON public.queue_events USING btree (actor_id, at);

CREATE INDEX queue_events_of_booking ON public.queue_events USING btree (booking_id, shop_seq) WHERE (booking_id IS NOT NULL);

CREATE UNIQUE INDEX queue_events_token_once ON public.queue_events USING btree (barber_id, business_date, token_allocated) WHERE (token_allocated IS NOT NULL);

CREATE INDEX queues_of_shop ON public.queues USING btree (shop_id);

CREATE INDEX rate_limits_in_force ON public.rate_limits USING btree (until) WHERE (lifted_at IS NULL);

CREATE INDEX ratings_of_barber ON public.ratings USING btree (barber_id, rating_id);

CREATE INDEX revocations_by_time ON public.revocations USING btree (before);

CREATE INDEX search_barbers_near ON public.search_barbers USING gist (place);

CREATE INDEX search_barbers_of_shop ON public.search_barbers USING btree (shop_id);

CREATE INDEX search_barbers_offers ON public.search_barbers USING gin (offers);

CREATE INDEX search_barbers_words ON public.search_barbers USING gin (words);

CREATE INDEX services_of_shop ON public.services USING btree (shop_id);

CREATE INDEX sessions_by_age ON public.sessions USING btree (expires_at);

CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id) WHERE (revoked_at IS NULL);

CREATE INDEX sessions_revoked ON public.sessions USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);

CREATE INDEX shop_owners_by_user ON public.shop_owners USING btree (user_id);

CREATE INDEX user_logins_by_user ON public.user_logins USING btree (user_id);

CREATE INDEX users_by_age ON public.users USING btree (created_at, user_id);

CREATE INDEX users_by_barber ON public.users USING btree (barber_id) WHERE (barber_id IS NOT NULL);

CREATE INDEX users_by_shop ON public.users USING gin (shop_ids) WHERE (shop_ids <> '{}'::text[]);

CREATE INDEX watermarks_of_shard ON public.watermarks USING btree (shard);

CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR TRUNCATE ON public.audit_entries FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER audit_entries_kept_a_year AFTER DELETE ON public.audit_entries REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_young_loss();

CREATE TRIGGER audit_logs_append_only INSTEAD OF DELETE OR UPDATE ON public.audit_logs FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER barber_services_touch_shop AFTER INSERT OR DELETE OR UPDATE ON public.barber_services FOR EACH ROW EXECUTE FUNCTION public.touch_shop();

CREATE TRIGGER barbers_touch_shop AFTER INSERT OR DELETE OR UPDATE ON public.barbers FOR EACH ROW EXECUTE FUNCTION public.touch_shop();

CREATE TRIGGER checkpoints_rise BEFORE INSERT OR UPDATE ON public.checkpoints FOR EACH ROW EXECUTE FUNCTION public.guard_checkpoint();

CREATE TRIGGER checkpoints_stay BEFORE DELETE OR TRUNCATE ON public.checkpoints FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER payment_ledger_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.payment_ledger FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER queue_events_append_only BEFORE UPDATE OR TRUNCATE ON public.queue_events FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER queue_events_checkpoint_first AFTER DELETE ON public.queue_events REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_loss();

CREATE TRIGGER ratings_counted AFTER INSERT OR DELETE OR UPDATE OF barber_id, stars, hidden_at ON public.ratings FOR EACH ROW EXECUTE FUNCTION public.count_rating();

CREATE TRIGGER revocations_told AFTER INSERT OR UPDATE ON public.revocations FOR EACH STATEMENT EXECUTE FUNCTION public.tell_revocation();

CREATE TRIGGER services_touch_shop AFTER INSERT OR DELETE OR UPDATE ON public.services FOR EACH ROW EXECUTE FUNCTION public.touch_shop();

CREATE TRIGGER sessions_ended_told AFTER UPDATE OF revoked_at ON public.sessions FOR EACH STATEMENT EXECUTE FUNCTION public.tell_revocation();

CREATE TRIGGER shop_owners_touch_shop AFTER INSERT OR DELETE OR UPDATE ON public.shop_owners FOR EACH ROW EXECUTE FUNCTION public.touch_shop();

CREATE TRIGGER shops_revision BEFORE UPDATE ON public.shops FOR EACH ROW EXECUTE FUNCTION public.raise_revision();

CREATE TRIGGER tg_pgqueuer_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON public.pgqueuer FOR EACH STATEMENT EXECUTE FUNCTION public.fn_pgqueuer_changed();

ALTER TABLE ONLY public.barber_services
    ADD CONSTRAINT barber_services_barber_id_fkey FOREIGN KEY (barber_id) REFERENCES public.barbers(barber_id);

ALTER TABLE ONLY public.barber_services
    ADD CONSTRAINT barber_services_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.services(service_id);

ALTER TABLE ONLY public.barbers
    ADD CONSTRAINT barbers_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.calendars
    ADD CONSTRAINT calendars_barber_id_fkey FOREIGN KEY (barber_id) REFERENCES public.barbers(barber_id);

ALTER TABLE ONLY public.challenges
    ADD CONSTRAINT challenges_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(user_id);

ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.export_parts
    ADD CONSTRAINT export_parts_export_id_fkey FOREIGN KEY (export_id) REFERENCES public.exports(export_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.import_marks
    ADD CONSTRAINT import_marks_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_challenge_id_fkey FOREIGN KEY (challenge_id) REFERENCES public.challenges(challenge_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.join_codes
    ADD CONSTRAINT join_codes_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.pairing_misses
    ADD CONSTRAINT pairing_misses_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.payment_ledger
    ADD CONSTRAINT payment_ledger_of_payment_id_fkey FOREIGN KEY (of_payment_id) REFERENCES public.payment_ledger(payment_id);

ALTER TABLE ONLY public.queues
    ADD CONSTRAINT queues_barber_id_fkey FOREIGN KEY (barber_id) REFERENCES public.barbers(barber_id);

ALTER TABLE ONLY public.queues
    ADD CONSTRAINT queues_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.ratings
    ADD CONSTRAINT ratings_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES public.bookings(booking_id);

ALTER TABLE ONLY public.services
    ADD CONSTRAINT services_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(user_id);

ALTER TABLE ONLY public.shop_owners
    ADD CONSTRAINT shop_owners_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

ALTER TABLE ONLY public.shop_owners
    ADD CONSTRAINT shop_owners_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(user_id);

ALTER TABLE ONLY public.user_logins
    ADD CONSTRAINT user_logins_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_barber_id_fkey FOREIGN KEY (barber_id) REFERENCES public.barbers(barber_id);

ALTER TABLE ONLY public.watermarks
    ADD CONSTRAINT watermarks_shard_fkey FOREIGN KEY (shard) REFERENCES public.shards(shard);

ALTER TABLE ONLY public.watermarks
    ADD CONSTRAINT watermarks_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES public.shops(shop_id);

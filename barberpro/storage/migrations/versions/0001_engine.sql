-- The shop's catalogue, the engine's record, and the function through which every event becomes durable.
-- Each table and column that is not plain from its name is commented; docs/schema.md is the guided tour.

-- Deployment ----------------------------------------------------------------------------------------------

CREATE TABLE deployment (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    shards     integer NOT NULL CHECK (shards BETWEEN 1 AND 4096),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN deployment.shards IS
    'Fixed when the data is created: every Redis key''s hash tag depends on it.';

CREATE TABLE shards (
    shard integer PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0
);
COMMENT ON COLUMN shards.epoch IS
    'Raised by 1 each time the shard is rebuilt in Redis; an event of a lower epoch can no longer commit.';

-- Catalogue -----------------------------------------------------------------------------------------------

CREATE TABLE shops (
    shop_id        text PRIMARY KEY,
    name           text NOT NULL,
    time_zone      text NOT NULL,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    queue_capacity integer NOT NULL DEFAULT 100 CHECK (queue_capacity BETWEEN 1 AND 10000),
    grace_seconds  integer NOT NULL DEFAULT 300 CHECK (grace_seconds BETWEEN 0 AND 86400),
    grace_action   text NOT NULL DEFAULT 'skip' CHECK (grace_action IN ('skip', 'no_show')),
    max_skips      integer NOT NULL DEFAULT 2 CHECK (max_skips BETWEEN 0 AND 100),
    late_seconds   integer NOT NULL DEFAULT 900 CHECK (late_seconds BETWEEN 0 AND 86400),
    public_display boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    revision       bigint NOT NULL DEFAULT 0
);
COMMENT ON COLUMN shops.revision IS 'Rises with every change of the shop, its barbers or services: nodes keep what they read.';
COMMENT ON COLUMN shops.grace_seconds IS
    'How long ''next'' may keep a free chair waiting before grace_action is taken; 0 switches the timer off.';
COMMENT ON COLUMN shops.late_seconds IS
    'How long after its appointed time an appointment may still check in; then the system cancels it.';

CREATE TABLE barbers (
    barber_id  text PRIMARY KEY,
    shop_id    text NOT NULL REFERENCES shops,
    name       text NOT NULL,
    active     boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX barbers_of_shop ON barbers (shop_id);

CREATE TABLE services (
    service_id       text PRIMARY KEY,
    shop_id          text NOT NULL REFERENCES shops,
    name             text NOT NULL,
    price            numeric(12, 2) NOT NULL CHECK (price >= 0),
    duration_minutes integer NOT NULL CHECK (duration_minutes BETWEEN 1 AND 600),
    active           boolean NOT NULL DEFAULT true,
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX services_of_shop ON services (shop_id);

CREATE TABLE barber_services (
    barber_id        text NOT NULL REFERENCES barbers,
    service_id       text NOT NULL REFERENCES services,
    price            numeric(12, 2) CHECK (price >= 0),
    duration_minutes integer CHECK (duration_minutes BETWEEN 1 AND 600),
    PRIMARY KEY (barber_id, service_id)
);
COMMENT ON TABLE barber_services IS 'What a barber offers; price and minutes when they differ from the shop''s.';

CREATE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER shops_revision BEFORE UPDATE ON shops FOR EACH ROW EXECUTE FUNCTION raise_revision();

CREATE FUNCTION touch_shop() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_row jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    UPDATE shops SET revision = revision WHERE shop_id =
        coalesce(v_row ->> 'shop_id', (SELECT b.shop_id FROM barbers b WHERE b.barber_id = v_row ->> 'barber_id'));
    RETURN NULL;
END $$;
CREATE TRIGGER barbers_touch_shop AFTER INSERT OR UPDATE OR DELETE ON barbers
    FOR EACH ROW EXECUTE FUNCTION touch_shop();
CREATE TRIGGER services_touch_shop AFTER INSERT OR UPDATE OR DELETE ON services
    FOR EACH ROW EXECUTE FUNCTION touch_shop();
CREATE TRIGGER barber_services_touch_shop AFTER INSERT OR UPDATE OR DELETE ON barber_services
    FOR EACH ROW EXECUTE FUNCTION touch_shop();

-- The engine's record -------------------------------------------------------------------------------------

CREATE TABLE watermarks (
    shop_id  text PRIMARY KEY REFERENCES shops,
    shard    integer NOT NULL REFERENCES shards,
    epoch    bigint NOT NULL,
    shop_seq bigint NOT NULL DEFAULT 0,
    link     text NOT NULL DEFAULT ''
) WITH (fillfactor = 50);
CREATE INDEX watermarks_of_shard ON watermarks (shard);
COMMENT ON COLUMN watermarks.shop_seq IS 'Every event of the shop up to this one is committed; none after it is.';
COMMENT ON COLUMN watermarks.link IS
    'The link of that event: the next one commits only if it was made upon this one.';
COMMENT ON COLUMN watermarks.epoch IS 'The epoch of the shop''s shard; kept here so that one row lock fences a commit.';

CREATE TABLE queues (
    barber_id     text PRIMARY KEY REFERENCES barbers,
    shop_id       text NOT NULL REFERENCES shops,
    status        text NOT NULL CHECK (status IN ('open', 'paused', 'closed')),
    pause_reason  text,
    seq           bigint NOT NULL,
    business_date date NOT NULL,
    last_token    integer NOT NULL,
    completed     integer NOT NULL,
    cancelled     integer NOT NULL,
    grace_for     text,
    grace_due_at  timestamptz,
    shop_seq      bigint NOT NULL,
    updated_at    timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX queues_of_shop ON queues (shop_id);
COMMENT ON COLUMN queues.completed IS 'This business day''s count; so is cancelled.';
COMMENT ON COLUMN queues.grace_for IS 'The booking whose no-show grace is running until grace_due_at.';

CREATE TABLE bookings (
    booking_id       text PRIMARY KEY,
    shop_id          text NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('walk_in', 'appointment')),
    customer_id      text,
    customer_name    text,
    phone_sealed     text,
    services         jsonb NOT NULL,
    duration_minutes integer NOT NULL,
    total_price      numeric(12, 2) NOT NULL,
    currency         text NOT NULL,
    notes            text,
    created_at       timestamptz NOT NULL,
    -- From here on: what transitions change.
    barber_id        text NOT NULL,
    status           text NOT NULL CHECK (status IN
                         ('scheduled', 'waiting', 'next', 'serving', 'completed', 'cancelled', 'skipped')),
    business_date    date,
    token_number     integer,
    rank             bigint,
    skip_count       integer NOT NULL DEFAULT 0,
    appointment_at   timestamptz,
    joined_at        timestamptz,
    called_at        timestamptz,
    started_at       timestamptz,
    ended_at         timestamptz,
    end_reason       text,
    cancelled_by     text,
    payment          jsonb,
    shop_seq         bigint NOT NULL
) WITH (fillfactor = 80);
-- Of the columns that transitions change, the indexes know only ended_at and barber_id: all but a transfer and a
-- booking's last change are HOT.
CREATE INDEX bookings_live ON bookings (shop_id) WHERE ended_at IS NULL;
CREATE INDEX bookings_ended ON bookings (barber_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX bookings_of_customer ON bookings (customer_id, created_at) WHERE customer_id IS NOT NULL;
COMMENT ON TABLE bookings IS
    'No foreign keys to shops and barbers: each would lock a row of theirs for each booking. What writes a booking writes
    its queue, too, and advances its shop''s watermark; those refer to them.';
COMMENT ON COLUMN bookings.phone_sealed IS 'AES-256-GCM, with the key''s id; never in the clear.';
COMMENT ON COLUMN bookings.ended_at IS 'Completed, cancelled, or skipped when its business day ended.';
COMMENT ON COLUMN bookings.rank IS 'Orders those who wait, lowest first; null for all others.';
COMMENT ON COLUMN bookings.shop_seq IS 'The last event that changed this booking.';

CREATE TABLE queue_events (
    shop_id         text NOT NULL,
    shop_seq        bigint NOT NULL,
    barber_id       text NOT NULL,
    seq             bigint NOT NULL,
    epoch           bigint NOT NULL,
    type            text NOT NULL,
    at              timestamptz NOT NULL,
    business_date   date NOT NULL,
    booking_id      text,
    token_allocated integer,
    actor_id        text NOT NULL,
    actor_role      text NOT NULL,
    data            jsonb NOT NULL,
    PRIMARY KEY (shop_id, shop_seq),
    CONSTRAINT queue_events_one_per_seq UNIQUE (barber_id, seq)
);
CREATE UNIQUE INDEX queue_events_token_once ON queue_events (barber_id, business_date, token_allocated)
    WHERE token_allocated IS NOT NULL;
CREATE INDEX queue_events_of_booking ON queue_events (booking_id, shop_seq) WHERE booking_id IS NOT NULL;
COMMENT ON COLUMN queue_events.data IS
    'The whole event as the script wrote it. No name, phone or note: those stand in bookings alone.';
COMMENT ON COLUMN queue_events.token_allocated IS 'The token that this event gave out, if it did.';

-- Every command that had an effect; its result is what its last event, (shop_id, shop_seq), tells. An event is its
-- command's record and its own line in the audit log: told once, the two cannot differ, nor be lost apart.
CREATE VIEW commands AS
    SELECT shop_id, data #>> '{command,id}' AS command_id, data #>> '{command,digest}' AS digest, shop_seq, at,
           data ->> 'link' AS link
    FROM queue_events WHERE data ? 'command';
COMMENT ON COLUMN commands.digest IS 'Of the content and the actor: the same id with another digest is refused.';

-- What else was done: whatever is no event of a queue.
CREATE TABLE audit_entries (
    audit_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    actor_id    text NOT NULL,
    actor_role  text NOT NULL,
    action      text NOT NULL,
    shop_id     text,
    object_type text NOT NULL,
    object_id   text NOT NULL,
    request_id  text,
    ip          text,
    detail      jsonb
);
CREATE INDEX audit_entries_by_age ON audit_entries USING brin (at);
COMMENT ON COLUMN audit_entries.detail IS 'What the action did.';

CREATE VIEW audit_logs AS
    SELECT at, actor_id, actor_role, action, shop_id, object_type, object_id, request_id, ip,
           NULL::bigint AS shop_seq, detail
    FROM audit_entries
    UNION ALL
    SELECT at, actor_id, actor_role, 'queue.' || type, shop_id,
           CASE WHEN booking_id IS NULL THEN 'queue' ELSE 'booking' END, coalesce(booking_id, barber_id),
           data #>> '{via,requestId}', data #>> '{via,ip}', shop_seq, NULL
    FROM queue_events;
COMMENT ON VIEW audit_logs IS 'Who did what, when and from where.';
COMMENT ON COLUMN audit_logs.shop_seq IS 'Of a queue''s transition: before and after stand in that event.';

-- Append-only, for every role: what happened is not edited -------------------------------------------------

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_logs_append_only INSTEAD OF UPDATE OR DELETE ON audit_logs
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER queue_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON queue_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Durability ----------------------------------------------------------------------------------------------

CREATE FUNCTION millis(n text) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(n::double precision / 1000);

-- Commits a batch of events: the one way into queue_events, bookings, queues and watermarks.
--
-- p_shops, p_epochs, p_firsts, p_upon: one entry a shop, each shop once: its id, the epoch of its events, the shopSeq
-- of its first event in the batch, and the link of the event which that one was made upon. p_events: the events
-- themselves, one line of JSON each; a shop's events ascend by 1 from its first. p_born: line by line what each event's
-- booking was born with, as JSON, or nothing. (Lines, since drivers spend more on an array's elements than on its bytes.)
--
-- Returns one row a shop: its watermark after the call, that event's link, the shard's epoch, and
--   committed  its events are in
--   fenced     the shard was rebuilt since they were made: they never happened
--   gap        an earlier event of the shop is missing: bring it along
--   forked     it was made upon another event than the one that is here: Redis lost memory
--   overlap    the first is not above the watermark: compare, and send what is left
--   unknown    there is no such shop
-- A shop without any events in the batch (p_firsts null) is only asked for its watermark: outcome 'asked'.
CREATE FUNCTION commit_events(p_shops text[], p_epochs bigint[], p_firsts bigint[], p_upon text[],
                              p_events text, p_born text)
RETURNS TABLE (r_shop_id text, r_outcome text, r_watermark bigint, r_link text, r_epoch bigint)
LANGUAGE plpgsql
-- Plans are made once a connection, perhaps while the tables are small: keep them from ever scanning one.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
-- And once only: planning the statement anew costs as much as committing one event.
SET plan_cache_mode = force_generic_plan
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
    END IF;

    RETURN QUERY SELECT p.shop_id, p.outcome, w.shop_seq, w.link, w.epoch
    FROM unnest(v_shops, v_outcomes) AS p (shop_id, outcome) LEFT JOIN watermarks w USING (shop_id);
END $$;

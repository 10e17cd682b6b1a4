-- The peer's schema: a queue row that every transition locks, its bookings, its events, an audit log.
-- What keeps the same promises as ours is here (a booking is live once, an event per seq, a command once).

CREATE TABLE queues (
    queue_id   text PRIMARY KEY,
    shop_id    text NOT NULL,
    status     text NOT NULL,
    seq        bigint NOT NULL DEFAULT 0,
    last_token integer NOT NULL DEFAULT 0,
    serving    text
) WITH (fillfactor = 50);

CREATE TABLE bookings (
    booking_id    text PRIMARY KEY,
    shop_id       text NOT NULL,
    queue_id      text NOT NULL REFERENCES queues,
    customer_id   text NOT NULL,
    customer_name text NOT NULL,
    services      jsonb NOT NULL,
    total_price   numeric(12, 2) NOT NULL,
    status        text NOT NULL,
    token_number  integer NOT NULL,
    rank          double precision,
    skip_count    integer NOT NULL DEFAULT 0,
    joined_at     timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    ended_at      timestamptz
) WITH (fillfactor = 80);
CREATE INDEX bookings_in_line ON bookings (queue_id, rank) WHERE status = 'waiting';
CREATE UNIQUE INDEX bookings_live_once ON bookings (shop_id, customer_id) WHERE status IN ('waiting', 'serving');

CREATE TABLE events (
    queue_id   text NOT NULL,
    seq        bigint NOT NULL,
    type       text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    booking_id text NOT NULL,
    command_id text NOT NULL,
    data       jsonb NOT NULL,
    PRIMARY KEY (queue_id, seq),
    UNIQUE (command_id, queue_id)
);

CREATE TABLE audit_logs (
    audit_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    actor_id   text NOT NULL,
    actor_role text NOT NULL,
    action     text NOT NULL,
    object_id  text NOT NULL,
    request_id text NOT NULL
);

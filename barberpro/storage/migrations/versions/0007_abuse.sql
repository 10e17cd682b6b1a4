-- Addresses that are kept out for a while. The counting itself is in Redis.

CREATE TABLE rate_limits (
    block_id   text PRIMARY KEY,
    network    text NOT NULL,
    reason     text NOT NULL,
    made_by    text NOT NULL,
    request_id text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    until      timestamptz NOT NULL,
    lifted_at  timestamptz,
    lifted_by  text,
    CHECK (until > at),
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
COMMENT ON TABLE rate_limits IS 'The record of blocked abuse: one row a block, kept when it is over.';
COMMENT ON COLUMN rate_limits.network IS 'An IPv4 address, or the /64 of an IPv6 one.';
COMMENT ON COLUMN rate_limits.reason IS 'What was done too often (barberpro/handlers/ratelimit/rules.py), or an admin''s words.';
COMMENT ON COLUMN rate_limits.made_by IS 'system, or the admin.';
-- What each node asks for every two seconds: those that are not over.
CREATE INDEX rate_limits_in_force ON rate_limits (until) WHERE lifted_at IS NULL;

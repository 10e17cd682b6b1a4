-- Users whose older tokens are no longer good.

CREATE TABLE revocations (
    user_id text PRIMARY KEY,
    before  timestamptz NOT NULL
);
CREATE INDEX revocations_by_time ON revocations (before);
COMMENT ON COLUMN revocations.before IS 'Tokens that were issued to the user before this moment are refused.';

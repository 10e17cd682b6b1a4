-- The codes with which guests join, and the screens that a shop has paired.

CREATE TABLE join_codes (
    shop_id   text PRIMARY KEY REFERENCES shops,
    code      text NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now(),
    made_with text
);
COMMENT ON TABLE join_codes IS 'One a shop, or none: then nobody joins there as a guest. It hangs on the door, so it is no secret here.';

COMMENT ON COLUMN join_codes.made_with IS 'The Idempotency-Key of the request that made it: repeated, it makes no other.';

CREATE TABLE devices (
    device_id       text PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('display', 'kiosk')),
    secret_hash     bytea NOT NULL UNIQUE,
    code            text UNIQUE,
    code_expires_at timestamptz NOT NULL,
    shop_id         text REFERENCES shops,
    name            text,
    paired_at       timestamptz,
    paired_by       text,
    revoked_at      timestamptz,
    CHECK ((shop_id IS NULL) = (paired_at IS NULL))
);
CREATE INDEX devices_of_shop ON devices (shop_id) WHERE shop_id IS NOT NULL;
CREATE INDEX devices_asking ON devices (code_expires_at) WHERE code IS NOT NULL;
COMMENT ON COLUMN devices.secret_hash IS 'SHA-256 of 256 random bits that the device alone has.';
COMMENT ON COLUMN devices.code IS 'What the device shows until staff confirm it; null once it has expired.';
COMMENT ON COLUMN devices.shop_id IS 'Null until it is paired; one that is not paired in time is deleted.';

CREATE TABLE pairing_misses (
    shop_id text NOT NULL REFERENCES shops,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX pairing_misses_of_shop ON pairing_misses (shop_id, at);
COMMENT ON TABLE pairing_misses IS 'Codes entered in a shop that no device showed. Too many, and it has to wait.';

-- Shops as their owners run them: place, hours, rules, owners, invitations; and feature flags.

ALTER TABLE shops
    ADD COLUMN address_sealed text,
    ADD COLUMN latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    ADD COLUMN longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    ADD COLUMN opening_hours jsonb,
    ADD COLUMN remote_join boolean NOT NULL DEFAULT true,
    ADD COLUMN closing_cutoff boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT shops_placed CHECK ((latitude IS NULL) = (longitude IS NULL));
COMMENT ON COLUMN shops.opening_hours IS
    'A week on the shop''s clock, as barberpro/domain/hours.py reads it; null: the shop has not told.';
COMMENT ON COLUMN shops.remote_join IS 'Whether customers join by their account, from wherever they are.';
COMMENT ON COLUMN shops.closing_cutoff IS
    'Nobody joins who is likely to be done only after the day''s closing. Without opening hours it does nothing.';

ALTER TABLE barbers ADD COLUMN photo_url text;

-- Who works where stands with the users; who of them runs the shop stands here.
CREATE TABLE shop_owners (
    shop_id text NOT NULL REFERENCES shops,
    user_id text NOT NULL REFERENCES users,
    since   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, user_id)
);
CREATE INDEX shop_owners_by_user ON shop_owners (user_id);
CREATE TRIGGER shop_owners_touch_shop AFTER INSERT OR UPDATE OR DELETE ON shop_owners
    FOR EACH ROW EXECUTE FUNCTION touch_shop();

CREATE INDEX users_by_age ON users (created_at, user_id);
CREATE INDEX users_by_barber ON users (barber_id) WHERE barber_id IS NOT NULL;
CREATE INDEX users_by_shop ON users USING gin (shop_ids) WHERE shop_ids <> '{}';
CREATE INDEX barbers_by_age ON barbers (created_at, barber_id);

ALTER TABLE challenges
    DROP CONSTRAINT challenges_purpose_check,
    ADD CONSTRAINT challenges_purpose_check CHECK (purpose IN ('register', 'reset', 'add_contact', 'invite'));

-- To whom it went, and the secret that shows it, stand in the challenge.
CREATE TABLE invitations (
    challenge_id text PRIMARY KEY REFERENCES challenges ON DELETE CASCADE,
    shop_id      text NOT NULL REFERENCES shops,
    role         text NOT NULL CHECK (role IN ('barber', 'owner')),
    name         text,
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invitations_of_shop ON invitations (shop_id);
CREATE INDEX invitations_by_maker ON invitations (made_by, made_at);
COMMENT ON COLUMN invitations.name IS 'What the barber is called in the shop, unless they say otherwise.';

CREATE TABLE feature_flags (
    name         text PRIMARY KEY CHECK (name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,63}$'),
    description  text,
    percentage   integer NOT NULL CHECK (percentage BETWEEN 0 AND 100),
    target_users text[] NOT NULL DEFAULT '{}',
    changed_at   timestamptz NOT NULL DEFAULT now(),
    changed_by   text NOT NULL
);
COMMENT ON COLUMN feature_flags.percentage IS
    'Of all users, by a stable hash of the flag and the user (barberpro/domain/flags.py); target_users see it besides.';

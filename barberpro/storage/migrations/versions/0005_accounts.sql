-- Accounts, how people sign in to them, and their sessions.

-- Every address and number in here has been shown to be its user's: what is only claimed stays in a challenge.
CREATE TABLE users (
    user_id       text PRIMARY KEY,
    role          text NOT NULL CHECK (role IN ('customer', 'barber', 'admin')),
    name          text,
    language      text NOT NULL DEFAULT 'en',
    email_sealed  text,
    email_lookup  text UNIQUE,
    phone_sealed  text,
    phone_lookup  text UNIQUE,
    password_hash text,
    barber_id     text REFERENCES barbers,
    shop_ids      text[] NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz,
    CONSTRAINT users_email_found CHECK ((email_sealed IS NULL) = (email_lookup IS NULL)),
    CONSTRAINT users_phone_found CHECK ((phone_sealed IS NULL) = (phone_lookup IS NULL)),
    CONSTRAINT users_forgotten CHECK (
        deleted_at IS NULL
        OR coalesce(name, email_sealed, phone_sealed, password_hash, barber_id) IS NULL AND shop_ids = '{}'
    )
);
COMMENT ON COLUMN users.email_lookup IS 'A keyed hash: finds the user without telling the address.';
COMMENT ON COLUMN users.password_hash IS 'argon2id, with its own parameters and salt; null: signs in by other ways.';
COMMENT ON COLUMN users.deleted_at IS 'The row stays, without anything personal, for what refers to it.';

CREATE TABLE user_logins (
    provider   text NOT NULL CHECK (provider IN ('google', 'firebase')),
    subject    text NOT NULL,
    user_id    text NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, subject)
);
CREATE INDEX user_logins_by_user ON user_logins (user_id);
COMMENT ON COLUMN user_logins.subject IS 'The user''s id at the provider.';

-- Whoever can tell the secret, has the address or the number that it was sent to.
CREATE TABLE challenges (
    challenge_id   text PRIMARY KEY,
    purpose        text NOT NULL CHECK (purpose IN ('register', 'reset', 'add_contact')),
    user_id        text REFERENCES users,
    channel        text NOT NULL CHECK (channel IN ('email', 'sms')),
    contact_sealed text NOT NULL,
    contact_lookup text NOT NULL,
    secret_sealed  text NOT NULL,
    wanted         jsonb NOT NULL DEFAULT '{}',
    language       text NOT NULL,
    instead        text,
    tries          integer NOT NULL DEFAULT 0,
    asked          integer NOT NULL DEFAULT 1,
    sent_at        timestamptz[] NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz,
    CONSTRAINT challenges_added_to CHECK ((purpose = 'add_contact') = (user_id IS NOT NULL))
);
CREATE INDEX challenges_by_contact ON challenges (contact_lookup, purpose, expires_at);
CREATE INDEX challenges_by_user ON challenges (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX challenges_by_age ON challenges (expires_at);
COMMENT ON COLUMN challenges.user_id IS 'Whose account the contact is to be added to; only they may answer.';
COMMENT ON COLUMN challenges.secret_sealed IS 'Its SHA-256, sealed: six digits are guessed from a plain hash at once.';
COMMENT ON COLUMN challenges.instead IS 'The letter that was sent without the secret, so that no answer is right: the asker is not to know.';
COMMENT ON COLUMN challenges.asked IS 'How often it was asked for, whether or not a letter went out.';
COMMENT ON COLUMN challenges.sent_at IS 'When letters went out.';
COMMENT ON COLUMN challenges.wanted IS 'What is registered: {userType, name?, passwordHash?}.';

-- A session is a family of refresh tokens: each renewal raises the generation, and only the newest is good.
CREATE TABLE sessions (
    session_id    text PRIMARY KEY,
    user_id       text NOT NULL REFERENCES users,
    secret_sealed text NOT NULL,
    generation    integer NOT NULL DEFAULT 0,
    renewed_with  text,
    ip            text,
    agent         text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    used_at       timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    revoked_why   text
);
CREATE INDEX sessions_by_user ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_by_age ON sessions (expires_at);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
COMMENT ON COLUMN sessions.secret_sealed IS 'Of it and the generation a refresh token is made; sealed.';
COMMENT ON COLUMN sessions.renewed_with IS 'The Idempotency-Key of the newest renewal: the same again gets the same.';

-- Wrong passwords, by what was claimed, whether or not there is such a user.
CREATE TABLE sign_in_failures (
    contact_lookup text PRIMARY KEY,
    failures       integer NOT NULL,
    since          timestamptz NOT NULL
);

-- Whoever is not to come in any more is told to every server at once; they look by themselves, too.
CREATE FUNCTION tell_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('revocations', '');
    RETURN NULL;
END $$;
CREATE TRIGGER revocations_told AFTER INSERT OR UPDATE ON revocations
    FOR EACH STATEMENT EXECUTE FUNCTION tell_revocation();
CREATE TRIGGER sessions_ended_told AFTER UPDATE OF revoked_at ON sessions
    FOR EACH STATEMENT EXECUTE FUNCTION tell_revocation();

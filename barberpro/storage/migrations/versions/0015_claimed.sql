ALTER TABLE users ADD COLUMN claimed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN users.claimed IS 'Imported, and opened by nobody yet: its contacts were only claimed.';

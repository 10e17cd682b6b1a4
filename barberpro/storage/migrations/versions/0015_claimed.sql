ALTER TABLE users ADD COLUMN claimed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN users.claimed IS 'Imported, and opened by nobody yet: its contacts were only claimed.';
UPDATE users SET claimed = true
WHERE user_id IN (SELECT target_id FROM imported_rows WHERE collection = 'users') AND password_hash IS NULL
    AND NOT EXISTS (SELECT FROM user_logins l WHERE l.user_id = users.user_id)
    AND NOT EXISTS (SELECT FROM sessions s WHERE s.user_id = users.user_id)
    AND NOT EXISTS (SELECT FROM audit_entries a
                    WHERE a.object_id = users.user_id AND a.action IN ('account.registered', 'account.appointed'));

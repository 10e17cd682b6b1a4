-- The digest of the request with an Idempotency-Key that made the row; null when it had none.
ALTER TABLE shops ADD COLUMN request_digest text;
ALTER TABLE services ADD COLUMN request_digest text;

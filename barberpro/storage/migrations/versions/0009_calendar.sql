-- When barbers work, and the proof that no two appointments of one overlap.

ALTER TABLE shops
    ADD COLUMN slot_minutes integer NOT NULL DEFAULT 15 CHECK (slot_minutes BETWEEN 5 AND 240),
    ADD COLUMN change_notice_minutes integer NOT NULL DEFAULT 0 CHECK (change_notice_minutes BETWEEN 0 AND 10080);
COMMENT ON COLUMN shops.slot_minutes IS 'From one bookable time to the next.';
COMMENT ON COLUMN shops.change_notice_minutes IS
    'A customer may move or cancel an appointment until so long before it; 0: at any time.';

CREATE TABLE calendars (
    barber_id  text PRIMARY KEY REFERENCES barbers,
    document   jsonb NOT NULL,
    revision   bigint NOT NULL CHECK (revision > 0),
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE calendars IS 'When a barber works. Without a row: as the shop is open.';
COMMENT ON COLUMN calendars.document IS '{shifts?, breaks, exceptions, daysOff} (barberpro/protocol/calendar.py).';
COMMENT ON COLUMN calendars.revision IS 'Rises by 1 with every change: no appointment is made by an older one.';

-- The equality of one column beside the overlap of another. A trusted extension: the database's owner may add it.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Immutable, unlike timestamptz + interval: a minute is as long in every zone.
CREATE FUNCTION appointment_span(at timestamptz, minutes integer) RETURNS tstzrange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN tstzrange(at, at + minutes * interval '1 minute');

-- The script keeps appointments from overlapping (lua/line.lua); this proves it, whatever Redis believes. What violates
-- it is an event that can never be, and is handled as such (queue/journal.py).
--   Deferred: of one batch, an appointment may come before the cancellation that makes room for it.
--   Its condition says 'scheduled' by columns that do not change while somebody is in the line: a condition on status
--   would end HOT for every transition. For walk-ins it is the test of three nulls, and no entry.
ALTER TABLE bookings ADD CONSTRAINT bookings_never_overlap
    EXCLUDE USING gist (barber_id WITH =, appointment_span(appointment_at, duration_minutes) WITH &&)
    WHERE (appointment_at IS NOT NULL AND joined_at IS NULL AND ended_at IS NULL)
    DEFERRABLE INITIALLY DEFERRED;

-- Each join asks how often its customer did not come. Only end_reason is in the condition: it changes when a booking
-- ends, so that a booking's other changes stay within their page, with no index to be touched.
CREATE INDEX bookings_not_come ON bookings (customer_id, created_at)
    WHERE end_reason IN ('no_show', 'grace_expired', 'missed');

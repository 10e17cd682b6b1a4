-- reschedule: scheduled -> scheduled at another time.
-- Arguments: bookingId, at (ms)
-- Refusals: NOT_FOUND, INVALID_TRANSITION, BAD_REQUEST (in the past), SLOT_TAKEN, STALE_STATE
-- Event: reschedule.

transition('reschedule', function()
    local q, b = named_queue(), named_booking()
    if b.status ~= 'scheduled' then impossible(b, {'scheduled'}) end
    need_free_slot(q, b, cmd.at)
    forget_appointment(b)
    keep_appointment(q, b, cmd.at)
    conclude(q, 'reschedule', {}, b)
end)

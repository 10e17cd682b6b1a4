-- reschedule: scheduled -> scheduled at another time.
-- Arguments: bookingId, at (ms), calendar? (as of schedule)
-- Refusals: NOT_FOUND, INVALID_TRANSITION (not scheduled, or too late for a customer), those of schedule
-- Event: reschedule.

transition('reschedule', function()
    local q, b = named_queue(), named_booking()
    if b.status ~= 'scheduled' then impossible(b, {'scheduled'}) end
    need_notice(b)
    need_free_slot(q, b, cmd.at)
    forget_appointment(b)
    keep_appointment(q, b, cmd.at)
    conclude(q, 'reschedule', {}, b)
end)

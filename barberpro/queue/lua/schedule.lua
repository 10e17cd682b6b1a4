-- schedule: (none) -> scheduled. The appointment stands beside the line until it checks in.
-- Arguments: barberId, bookingId (new), at (ms), customerId?, minutes, calendar? ({revision, refusal?: {code, details}})
-- Refusals: BAD_REQUEST (in the past), STALE_STATE (by an old calendar), the calendar's own, SLOT_TAKEN
-- Event: schedule.

transition('schedule', function()
    local q = queue(cmd.barberId)
    expect(q)
    local b = {
        bookingId = cmd.bookingId, barberId = q.id, customerId = cmd.customerId, skips = 0,
        status = 'scheduled', minutes = cmd.minutes,
    }
    need_free_slot(q, b, cmd.at)
    bookings[b.bookingId] = b
    keep_appointment(q, b, cmd.at)
    conclude(q, 'schedule', {born = true}, b)
end)

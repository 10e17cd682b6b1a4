-- schedule: (none) -> scheduled. The appointment stands beside the line until it checks in.
-- Arguments: barberId, bookingId (new), at (ms), customerId?, minutes
-- Refusals: BAD_REQUEST (in the past), SLOT_TAKEN
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

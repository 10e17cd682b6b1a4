-- schedule: (none) -> scheduled. The appointment stands beside the line until it checks in.
-- Arguments: barberId, bookingId (new), at (ms), born {..., durationMinutes}
-- Refusals: BAD_REQUEST (in the past), SLOT_TAKEN
-- Event: schedule.

return execute(function()
    local q = queue(cmd.barberId)
    expect(q)
    local b = {
        bookingId = cmd.bookingId, barberId = q.id, customerId = cmd.born.customerId, skips = 0,
        status = 'scheduled', minutes = cmd.born.durationMinutes,
    }
    need_free_slot(q, b, cmd.at)
    bookings[b.bookingId] = b
    cmd.born.createdAt = now
    keep_appointment(q, b, cmd.at)
    conclude(q, 'schedule', {bookingId = b.bookingId, born = cmd.born}, b)
end)

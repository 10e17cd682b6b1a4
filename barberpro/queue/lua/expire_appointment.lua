-- An appointment that did not come in time: scheduled -> cancelled by the system.
-- Arguments: bookingId
-- Refusals: NOT_FOUND, INVALID_TRANSITION (it came, or is not due)
-- Event: cancel, with the reason 'missed'.

transition('expire_appointment', function()
    local timer = 'late|' .. shop .. '|' .. cmd.bookingId
    local b = booking(cmd.bookingId)
    local due = tonumber(redis.call('ZSCORE', g .. 'timers', timer) or now + 1)
    if not b or b.status ~= 'scheduled' or due > now then
        if not b or b.status ~= 'scheduled' then redis.call('ZREM', g .. 'timers', timer) end
        refuse('INVALID_TRANSITION', {bookingId = cmd.bookingId, problem = 'not_due'})
    end
    local q = queue(b.barberId)
    forget_appointment(b)
    finish(q, b, 'cancelled', 'missed', 'system')
    conclude(q, 'cancel', {reason = 'missed'}, b)
end)

-- cancel: scheduled, waiting or next -> cancelled; serving -> cancelled by staff only.
-- Arguments: bookingId, reason?
-- Refusals: NOT_FOUND, INVALID_TRANSITION (or too late for a customer's appointment), STALE_STATE
-- Event: cancel.

transition('cancel', function()
    local q, b = named_queue(), named_booking()
    local allowed = {scheduled = true, waiting = true, next = true, serving = staff()}
    if not allowed[b.status] then impossible(b, {'scheduled', 'waiting', 'next'}) end
    if b.status == 'scheduled' then
        need_notice(b)
        forget_appointment(b)
    else
        if b.status ~= 'serving' then dequeue(q, b) end
        q.cancelled = q.cancelled + 1
    end
    finish(q, b, 'cancelled', cmd.reason, actor.role)
    promote(q)
    conclude(q, 'cancel', {reason = cmd.reason}, b)
end)

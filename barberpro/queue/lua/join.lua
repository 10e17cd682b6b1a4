-- join: (none) -> waiting, or next when nobody is.
-- Arguments: barberId, bookingId (new), customerId?, minutes, lastCall? (barberpro/queue/last_call.py)
-- Refusals: QUEUE_CLOSED (or, with a reason, only for this one: no_remote_join, closing), QUEUE_PAUSED, QUEUE_FULL, ALREADY_IN_QUEUE, STALE_STATE
-- Event: join, with the token it allocated.

-- Whoever would probably not be done when the shop closes does not join. How long it takes behind how many others
-- comes with the command; how many there are, and what time it is, is known here.
local function need_time_left(q)
    local last = cmd.lastCall
    if not last then return end
    local minutes = last.p90Minutes[line_length(q) + 1]
    if not minutes or now + minutes * 60000 > last.at then
        refuse('QUEUE_CLOSED', {barberId = q.id, reason = 'closing', closesAt = last.closesAt, p90Minutes = minutes})
    end
end

transition('join', function()
    local q = queue(cmd.barberId)
    expect(q)
    local b = {bookingId = cmd.bookingId, customerId = cmd.customerId, skips = 0, minutes = cmd.minutes}
    if q.status == 'closed' then refuse('QUEUE_CLOSED', {barberId = q.id}) end
    if policy.remoteJoin == false and actor.role == 'customer' then
        refuse('QUEUE_CLOSED', {barberId = q.id, reason = 'no_remote_join'})
    end
    if q.status == 'paused' then refuse('QUEUE_PAUSED', {barberId = q.id, reason = q.pauseReason}) end
    need_no_live(b)
    if line_length(q) >= policy.capacity then refuse('QUEUE_FULL', {barberId = q.id, capacity = policy.capacity}) end
    need_time_left(q)
    bookings[b.bookingId] = b
    allocate_token(q, b)
    claim_live(b)
    enqueue_last(q, b)
    promote(q)
    conclude(q, 'join', {born = true}, b)
end)

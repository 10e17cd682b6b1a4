-- join: (none) -> waiting, or next when nobody is.
-- Arguments: barberId, bookingId (new), customerId?, minutes
-- Refusals: QUEUE_CLOSED, QUEUE_PAUSED, QUEUE_FULL, ALREADY_IN_QUEUE, STALE_STATE
-- Event: join, with the token it allocated.

transition('join', function()
    local q = queue(cmd.barberId)
    expect(q)
    local b = {bookingId = cmd.bookingId, customerId = cmd.customerId, skips = 0, minutes = cmd.minutes}
    if q.status == 'closed' then refuse('QUEUE_CLOSED', {barberId = q.id}) end
    if q.status == 'paused' then refuse('QUEUE_PAUSED', {barberId = q.id, reason = q.pauseReason}) end
    need_no_live(b)
    if line_length(q) >= policy.capacity then refuse('QUEUE_FULL', {barberId = q.id, capacity = policy.capacity}) end
    bookings[b.bookingId] = b
    allocate_token(q, b)
    claim_live(b)
    enqueue_last(q, b)
    promote(q)
    conclude(q, 'join', {born = true}, b)
end)

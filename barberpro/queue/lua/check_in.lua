-- check_in: scheduled -> waiting, or next when nobody is. An appointment arrives.
-- Its place respects its appointed time: it goes in front of those at the end of the line who joined later
-- than that, and never in front of who is next.
-- Arguments: bookingId
-- Refusals: NOT_FOUND, INVALID_TRANSITION (not scheduled, or not today), QUEUE_CLOSED, ALREADY_IN_QUEUE, STALE_STATE
-- Event: check_in, with the token it allocated.

transition('check_in', function()
    local q, b = named_queue(), named_booking()
    if b.status ~= 'scheduled' then impossible(b, {'scheduled'}) end
    if date_at(b.appointmentAt) ~= q.day then
        refuse('INVALID_TRANSITION', {bookingId = b.bookingId, status = b.status, appointmentDay = date_at(b.appointmentAt)})
    end
    if q.status == 'closed' then refuse('QUEUE_CLOSED', {barberId = q.id}) end
    need_no_live(b)
    forget_appointment(b)
    allocate_token(q, b)
    claim_live(b)
    local length = redis.call('ZCARD', line_key(q))
    local index = length
    while index > 0 do
        local other = booking(redis.call('ZRANGE', line_key(q), index - 1, index - 1)[1])
        if (other.appointmentAt or other.joinedAt) <= b.appointmentAt then break end
        index = index - 1
    end
    enqueue_behind(q, b, index)
    promote(q)
    conclude(q, 'check_in', {}, b)
end)

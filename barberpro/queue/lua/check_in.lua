-- check_in: scheduled -> waiting, or next when nobody is. An appointment arrives.
-- Its place respects its appointed time: it goes in front of those at the end of the line who joined later than that,
-- and of walk-ins who by the plan would not begin before it; behind earlier appointments, and never in front of who is next.
-- Arguments: bookingId
-- Refusals: NOT_FOUND, INVALID_TRANSITION (not scheduled, or not today), QUEUE_CLOSED, ALREADY_IN_QUEUE, STALE_STATE
-- Event: check_in, with the token it allocated.

-- When each of those who wait would begin, if everybody took the planned minutes.
local function planned_starts(q, ids)
    local starts, at = {}, now
    if q.serving then
        local b = booking(q.serving)
        at = math.max(at, b.startedAt + b.minutes * MINUTE_MS)
    end
    if q.next then at = at + booking(q.next).minutes * MINUTE_MS end
    for i, id in ipairs(ids) do
        starts[i] = at
        at = at + booking(id).minutes * MINUTE_MS
    end
    return starts
end

-- Behind how many of those who wait it goes. Whoever was skipped has no claim by their own appointment any more.
local function place_at(q, at)
    local ids = redis.call('ZRANGE', line_key(q), 0, -1)
    local starts = planned_starts(q, ids)
    for i = #ids, 1, -1 do
        local other = booking(ids[i])
        local appointed = other.skips == 0 and other.appointmentAt
        local yields = (appointed or other.joinedAt) > at or (not appointed and starts[i] >= at)
        if not yields then return i end
    end
    return 0
end

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
    enqueue_behind(q, b, place_at(q, b.appointmentAt))
    promote(q)
    conclude(q, 'check_in', {}, b)
end)

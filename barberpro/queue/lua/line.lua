-- Bookings and the line: who waits, in which order, who is next, and who is being served (after shop.lua).

local function touch(q, b)
    dirty = true
    if not q.touched[b.bookingId] then
        q.touched[b.bookingId] = true
        q.changes[#q.changes + 1] = b
    end
end

local function booking(id)
    if bookings[id] == nil then
        local json = field('b:' .. id)
        bookings[id] = json and cjson.decode(json) or false
    end
    return bookings[id]
end

-- The booking that the command names. One that is gone (finished long ago, or never was) is told apart by the
-- caller, from Postgres; one that is another customer's does not exist for this one.
local function named_booking()
    local b = booking(cmd.bookingId)
    if not b or (not staff() and actor.role == 'customer' and b.customerId ~= actor.id) then
        refuse('NOT_FOUND', {resource = 'booking'})
    end
    return b
end

local function impossible(b, wanted)
    refuse('INVALID_TRANSITION', {bookingId = b.bookingId, status = b.status, wanted = wanted})
end

local function line_key(q) return g .. 'line:' .. q.id end

local function line_length(q)
    return redis.call('ZCARD', line_key(q)) + (q.next and 1 or 0)
end

-- 0 while serving, 1 for next, then on; nil when not in the line.
local function position(q, b)
    if b.status == 'serving' then return 0 end
    if b.status == 'next' then return 1 end
    local rank = b.status == 'waiting' and redis.call('ZRANK', line_key(q), b.bookingId)
    return rank and rank + 2 or nil
end

local function set_waiting(q, b, rank)
    b.status, b.rank, b.calledAt = 'waiting', rank, nil
    redis.call('ZADD', line_key(q), rank, b.bookingId)
    touch(q, b)
end

local function enqueue_last(q, b)
    local tail = redis.call('ZREVRANGE', line_key(q), 0, 0, 'WITHSCORES')
    set_waiting(q, b, (tonumber(tail[2]) or 0) + GAP)
end

local function enqueue_first(q, b)
    local head = redis.call('ZRANGE', line_key(q), 0, 0, 'WITHSCORES')
    set_waiting(q, b, (tonumber(head[2]) or 2 * GAP) - GAP)
end

-- Ranks are integers with room between them. When a place between two is used up, all are dealt out anew:
-- O(n), once in about twenty moves to the very same place.
local function renumber(q)
    for i, id in ipairs(redis.call('ZRANGE', line_key(q), 0, -1)) do
        set_waiting(q, booking(id), i * GAP)
    end
end

-- Puts b, which is not in the line, behind `index` of those who wait.
local function enqueue_behind(q, b, index)
    if index <= 0 then return enqueue_first(q, b) end
    if index >= redis.call('ZCARD', line_key(q)) then return enqueue_last(q, b) end
    local pair = redis.call('ZRANGE', line_key(q), index - 1, index, 'WITHSCORES')
    local rank = math.floor((tonumber(pair[2]) + tonumber(pair[4])) / 2)
    if rank == tonumber(pair[2]) then
        renumber(q)
        return enqueue_behind(q, b, index)
    end
    set_waiting(q, b, rank)
end

-- Takes b out of the line, whether it is next or waiting.
local function dequeue(q, b)
    dirty = true
    if b.status == 'next' then
        q.next, q.graceFor, q.graceDueAt = nil, nil, nil
    else
        redis.call('ZREM', line_key(q), b.bookingId)
    end
    b.rank = nil
end

-- Whenever nobody is next and somebody waits, the first who waits becomes next.
local function promote(q)
    if q.next then return end
    local head = redis.call('ZRANGE', line_key(q), 0, 0)[1]
    if not head then return end
    local b = booking(head)
    redis.call('ZREM', line_key(q), head)
    b.status, b.rank, b.calledAt = 'next', nil, now
    q.next, q.graceFor, q.graceDueAt = head, nil, nil
    touch(q, b)
end

-- One live booking for a customer in a shop.
local function claim_live(b)
    if b.customerId then put('l:' .. b.customerId, b.bookingId) end
end

local function free_live(b)
    if b.customerId and field('l:' .. b.customerId) == b.bookingId then put('l:' .. b.customerId, false) end
end

local function need_no_live(b)
    local other = b.customerId and field('l:' .. b.customerId)
    if other and other ~= b.bookingId then refuse('ALREADY_IN_QUEUE', {bookingId = other}) end
end

local function allocate_token(q, b)
    q.lastToken = q.lastToken + 1
    b.token, b.day, b.barberId, b.joinedAt = q.lastToken, q.day, q.id, b.joinedAt or now
    q.tokenAllocated = b.token
end

local function forget_appointment(b)
    redis.call('ZREM', g .. 'appointments:' .. b.barberId, b.bookingId)
    redis.call('ZREM', g .. 'timers', 'late|' .. shop .. '|' .. b.bookingId)
end

-- What the barber's calendar says of the time, as the door found it in Postgres. It may have changed since then: what
-- rests on an older one than this shop knows of (note_calendar.lua) is not looked at.
local function need_shift(q)
    local said = cmd.calendar
    if not said then return end
    if said.revision < tonumber(field('c:' .. q.id) or 0) then
        refuse('STALE_STATE', {barberId = q.id, problem = 'calendar_changed'})
    end
    if said.refusal then refuse(said.refusal.code, said.refusal.details) end
end

-- An appointment takes [at, at + minutes) of the barber's time.
local function need_none_of(q, b, at, ids)
    for _, id in ipairs(ids) do
        local other = id ~= b.bookingId and booking(id)
        if other and other.appointmentAt and other.appointmentAt < at + b.minutes * MINUTE_MS
            and at < other.appointmentAt + other.minutes * MINUTE_MS then
            refuse('SLOT_TAKEN', {barberId = q.id})
        end
    end
end

-- No two may overlap. As none do, only the neighbours of a new one need a look; and those who have checked in, who
-- keep their time until they leave the line.
local function need_free_slot(q, b, at)
    if at <= now then
        refuse('BAD_REQUEST', {fields = {{path = 'at', problem = 'is not in the future'}}})
    end
    need_shift(q)
    local key = g .. 'appointments:' .. q.id
    need_none_of(q, b, at, redis.call('ZREVRANGEBYSCORE', key, at, '-inf', 'LIMIT', 0, 2))
    need_none_of(q, b, at, redis.call('ZRANGEBYSCORE', key, '(' .. at, '+inf', 'LIMIT', 0, 2))
    if at < now + 2 * DAY_MS then  -- they are of today
        local here = redis.call('ZRANGE', line_key(q), 0, -1)
        here[#here + 1] = q.next
        here[#here + 1] = q.serving
        need_none_of(q, b, at, here)
    end
end

-- Customers change an appointment in good time; staff do at any.
local function need_notice(b)
    if policy.noticeMs > 0 and not staff() and b.appointmentAt - now < policy.noticeMs then
        refuse('INVALID_TRANSITION', {
            bookingId = b.bookingId, status = b.status, problem = 'too_late',
            noticeMinutes = policy.noticeMs / MINUTE_MS,
        })
    end
end

local function keep_appointment(q, b, at)
    b.appointmentAt = at
    redis.call('ZADD', g .. 'appointments:' .. q.id, at, b.bookingId)
    redis.call('ZADD', g .. 'timers', at + policy.lateMs, 'late|' .. shop .. '|' .. b.bookingId)
    touch(q, b)
end

-- Ends a booking for good. `by`: the role that cancelled, nil when it was completed.
local function finish(q, b, status, reason, by)
    b.status, b.endedAt, b.endReason, b.cancelledBy, b.rank = status, now, reason, by, nil
    if q.serving == b.bookingId then q.serving = nil end
    free_live(b)
    touch(q, b)
end

local function complete_serving(q, payment)
    local b = booking(q.serving)
    b.payment = payment
    finish(q, b, 'completed')
    q.completed = q.completed + 1
    return b
end

local function start_next(q)
    local b = booking(q.next)
    dequeue(q, b)
    b.status, b.startedAt = 'serving', now
    q.serving = b.bookingId
    touch(q, b)
    return b
end

local function set_skipped(q, b, reason)
    b.status, b.endReason, b.calledAt = 'skipped', reason, nil
    redis.call('SADD', g .. 'skipped:' .. q.id, b.bookingId)
    free_live(b)
    touch(q, b)
end

-- To the end of the line; past maxSkips, out of it.
local function skip_booking(q, b, reason)
    dequeue(q, b)
    b.skips = b.skips + 1
    if b.skips > policy.maxSkips then
        set_skipped(q, b, reason)
    else
        enqueue_last(q, b)
    end
    promote(q)
end

local function cancel_line(q, reason, by)
    local ids = redis.call('ZRANGE', line_key(q), 0, -1)
    if q.next then table.insert(ids, 1, q.next) end
    for _, id in ipairs(ids) do
        local b = booking(id)
        dequeue(q, b)
        finish(q, b, 'cancelled', reason, by)
    end
    return #ids
end

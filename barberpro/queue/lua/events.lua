-- Events: each tells what changed; and the queue that a command is about, on the present day (after line.lua).

-- The no-show grace runs while somebody is next and the chair is free, unless the barber paused.
local function arm_grace(q)
    local wanted = policy.graceMs > 0 and q.next and not q.serving and q.status ~= 'paused' and q.next or nil
    if wanted == q.graceFor then return end
    q.graceFor, q.graceDueAt = wanted, wanted and now + policy.graceMs or nil
    local timer = 'grace|' .. shop .. '|' .. q.id
    if wanted then
        redis.call('ZADD', g .. 'timers', q.graceDueAt, timer)
    else
        redis.call('ZREM', g .. 'timers', timer)
    end
end

-- Writes one event of queue q with everything that was touched in it. It is the only place where a queue, a
-- booking, seq and shopSeq are written, so an event tells exactly what changed.
-- about: {bookingId?, reason?, born? (true: with what the command brings), stamp? (in place of the command's),
--         more? (how many events follow that must be committed with it),
--         ends? (true: it is the command's last), position? (of the booking, when the event ends a command)}
-- The JSON is put together by hand where the parts are JSON already or ids, which need no escaping.
local function emit(q, type, about)
    arm_grace(q)
    q.seq, shop_seq = q.seq + 1, shop_seq + 1
    local previous = link
    local seq = string.format('%d', shop_seq)
    link = own_link .. '.' .. seq
    local queue_json = cjson.encode({
        status = q.status, seq = q.seq, day = q.day, dayEnds = q.dayEnds, lastToken = q.lastToken,
        completed = q.completed, cancelled = q.cancelled, serving = q.serving, next = q.next,
        pauseReason = q.pauseReason, graceFor = q.graceFor, graceDueAt = q.graceDueAt,
    })
    local changes = {}
    for i, b in ipairs(q.changes) do
        changes[i] = cjson.encode(b)
        local ended = b.status == 'completed' or b.status == 'cancelled' or (b.status == 'skipped' and b.endedAt)
        put('b:' .. b.bookingId, not ended and changes[i])
    end
    put('q:' .. q.id, queue_json)
    local event = '{"shopId":"' .. shop .. '","shopSeq":' .. seq .. ',"barberId":"' .. q.id .. '","seq":' .. q.seq
        .. ',"epoch":' .. epoch .. ',"link":"' .. link .. '","upon":"' .. previous
        .. (about.more and '","through":' .. shop_seq + about.more .. ',"type":"' or '","type":"') .. type
        .. '","at":' .. now_text .. ',"day":"' .. q.day .. '",' .. (about.stamp or stamp)
        .. (about.bookingId and ',"bookingId":"' .. about.bookingId .. '"' or '')
        .. (about.reason and ',"reason":' .. cjson.encode(about.reason) or '')
        .. (q.tokenAllocated and ',"tokenAllocated":' .. q.tokenAllocated or '')
        .. (about.position and ',"position":' .. about.position or '')
        .. (about.ends and ',"command":{"id":"' .. cmd.id .. '","digest":"' .. cmd.digest .. '"}' or '')
        .. ',"queue":' .. queue_json .. ',"changes":[' .. table.concat(changes, ',') .. ']}'
    local born = about.born and string.sub(born_with, 1, -2) .. ',"createdAt":' .. now_text .. '}' or ''
    local id = redis.call('XADD', g .. 'events', '*', 'e', event, 'b', born)
    local n = #emitted
    emitted[n + 1], emitted[n + 2], emitted[n + 3] = id, event, born
    backlog = backlog + 1
    q.touched, q.changes, q.tokenAllocated, dirty = {}, {}, nil, false
end

-- The turn of the business day, in one transition: whoever still waited is cancelled, tokens start at 1, the
-- line is closed until its barber opens it. Who is being served stays in the chair, who was skipped can no longer be
-- recalled.
local function start_day(q, today)
    local skipped = redis.call('SMEMBERS', g .. 'skipped:' .. q.id)
    table.sort(skipped)
    for _, id in ipairs(skipped) do
        local b = booking(id)
        b.endedAt = now  -- it stays skipped, but nobody can be recalled from yesterday
        touch(q, b)
    end
    redis.call('DEL', g .. 'skipped:' .. q.id)
    cancel_line(q, 'day_ended', 'system')
    q.day, q.dayEnds, q.lastToken, q.completed, q.cancelled = today, nil, 0, 0, 0
    q.status, q.pauseReason = 'closed', nil
    emit(q, 'day_started', {stamp = '"actor":{"id":"system","role":"system"}'})
end

-- The queue of a barber, on the present business day. A barber whose queue was never used has a closed one.
-- dayEnds spares most calls the calendar; where it is missing, the day's timer is armed (again).
local function queue(barber_id)
    if queues[barber_id] then return queues[barber_id] end
    local json = field('q:' .. barber_id)
    local q = json and cjson.decode(json)
        or {status = 'closed', seq = 0, day = date_at(now), lastToken = 0, completed = 0, cancelled = 0}
    q.id, q.touched, q.changes = barber_id, {}, {}
    queues[barber_id] = q
    if not q.dayEnds or now >= q.dayEnds then
        local today = date_at(now)
        if q.day < today then start_day(q, today) end
        q.dayEnds = next_midnight()
        redis.call('ZADD', g .. 'timers', q.dayEnds, 'day|' .. shop .. '|' .. barber_id)
    end
    return q
end

-- What the caller saw must still hold.
local function expect(q)
    local saw = cmd.expect
    if not saw then return end
    if (saw.seq and saw.seq ~= q.seq) or (saw.serving ~= nil and saw.serving ~= (q.serving or false)) then
        refuse('STALE_STATE', {
            barberId = q.id, epoch = tonumber(epoch), seq = q.seq, status = q.status,
            servingBookingId = staff() and q.serving or nil, nextBookingId = staff() and q.next or nil,
        })
    end
end

-- The queue that the command is about: of the barber it names, or of the booking it names.
local function named_queue()
    local q
    if cmd.barberId then
        q = queue(cmd.barberId)
    else
        local b = named_booking()
        q = queue(b.barberId)
        named_booking()  -- the turn of the day may just have ended it
    end
    expect(q)
    return q
end

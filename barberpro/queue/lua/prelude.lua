-- What all transitions share. The library that Redis gets is '#!lua name=<library>', `local LIBRARY = '<library>'`, this
-- file, and the transitions after it, each of which registers one function, <library>_<transition>.
--
-- KEYS[1]  <root>epoch, where <root> is <prefix>:{s<shard>}:   Absent: the shard is cold, nothing is known.
-- ARGV[1]  the command, as JSON (barberpro/queue/calls.py builds it)
-- ARGV[2]  '"actor":{...},"via":{...}': what its events say of who asked, and how. Not taken apart here
-- ARGV[3]  what the booking that it makes is born with, as JSON, or ''. Not taken apart here, nor kept in Redis
--
-- All other keys are of the same hash tag, and of the shard's present generation <g> = <root>e<epoch>:
--   <g>shop:<shopId>             hash   everything of the shop that is not ordered:
--                                         seq             '<shopSeq> <link>': its event counter, its last event's link
--                                         q:<barberId>    a queue, as it stands in an event under "queue"
--                                         b:<bookingId>   a live or skipped booking, as in an event under "changes"
--                                         l:<customerId>  the customer's one live booking
--   <g>line:<barberId>           zset   who is 'waiting', by rank; 'next' stands in the queue
--   <g>skipped:<barberId>        set    this day's skipped, so that the day's end can let them go
--   <g>appointments:<barberId>   zset   who is 'scheduled', by appointed time
--   <g>command:<shopId>:<id>     text   '<digest> <shopSeq> <link>' of a command that had an effect, for 24 hours
--   <g>timers                    zset   what is due, by time: grace|shop|barber, day|shop|barber, late|shop|booking
--   <g>events                    stream events that Postgres has not confirmed yet; so its length is the backlog
--
-- A link is a text that no other event has. An event names the link of the event it was made upon, and Postgres
-- takes it only upon that one: so a Redis that fell back in time can never add to what it has forgotten.
--
-- Reply: {status, epoch, shopSeq, link, refusal, events...}
--   status         'ok', 'replayed', 'refused' (refusal: {code, details} as JSON); alone: 'cold', 'unverified'
--   shopSeq, link  the event that the answer rests on: it may be given when Postgres has that one. The answer to
--                  'ok' and 'replayed' is what that event tells
--   events         seven entries each: stream id, shopSeq, the event, what its booking was born with ('' when none),
--                  its link, the previous link, and the shopSeq of the last event to be committed together with it
--
-- A transition decides first and writes after: refuse() is an error once anything is written.

local DAY_MS, GAP, REMEMBER_MS, AT_ONCE = 86400000, 1048576, 86400000, 500

-- Whether somebody compared this server's memory with Postgres since it started. It is forgotten when the server
-- restarts and does not go to a replica, which is what makes it worth something (barberpro/queue/recovery.py).
local verified = false

-- The call: one runs at a time, so these are set anew at its beginning (see run).
local epoch, g, args, cmd, shop, shop_key, policy, actor, clock, now
local shop_seq, link, own_link
local queues, bookings  -- what this call has loaded, by id
local emitted           -- the reply's events
local dirty             -- something is written that no event tells yet

local function refuse(code, details)
    assert(not dirty, 'refused after a write')
    error({code = code, details = details or {}})
end

local function staff()
    return actor.role == 'barber' or actor.role == 'admin' or actor.role == 'system'
end

-- Days ------------------------------------------------------------------------------------------------------

-- policy.zone: {{from, offset}, ...} in ms, ascending; the shop's offset from UTC from each instant on.
local function offset_at(at)
    local offset = policy.zone[1][2]
    for i = 2, #policy.zone do
        if at >= policy.zone[i][1] then offset = policy.zone[i][2] end
    end
    return offset
end

-- The shop's local date at an instant. Days to a civil date: Howard Hinnant, chrono-compatible algorithms.
local function date_at(at)
    local z = math.floor((at + offset_at(at)) / DAY_MS) + 719468
    local era = math.floor(z / 146097)
    local doe = z - era * 146097
    local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
    local mp = math.floor((5 * doy + 2) / 153)
    local day, month = doy - math.floor((153 * mp + 2) / 5) + 1, mp < 10 and mp + 3 or mp - 9
    return string.format('%04d-%02d-%02d', yoe + era * 400 + (month <= 2 and 1 or 0), month, day)
end

-- The shop's next midnight. On the day of a change of clocks the offset there is another than now.
local function next_midnight()
    local offset = offset_at(now)
    local there = (math.floor((now + offset) / DAY_MS) + 1) * DAY_MS
    local at = there - offset_at(there - offset)
    if date_at(at) == date_at(now) then at = there - offset end  -- clocks that jump at midnight itself
    return at
end

-- Bookings and the line -------------------------------------------------------------------------------------

local function touch(q, b)
    dirty = true
    if not q.touched[b.bookingId] then
        q.touched[b.bookingId] = true
        q.changes[#q.changes + 1] = b
    end
end

local function booking(id)
    if bookings[id] == nil then
        local json = redis.call('HGET', shop_key, 'b:' .. id)
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
    if b.customerId then redis.call('HSET', shop_key, 'l:' .. b.customerId, b.bookingId) end
end

local function free_live(b)
    if b.customerId and redis.call('HGET', shop_key, 'l:' .. b.customerId) == b.bookingId then
        redis.call('HDEL', shop_key, 'l:' .. b.customerId)
    end
end

local function need_no_live(b)
    local other = b.customerId and redis.call('HGET', shop_key, 'l:' .. b.customerId)
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

-- An appointment takes [at, at + minutes) of the barber's time, and no two may overlap. As none do, only the
-- neighbours of a new one need a look.
local function need_free_slot(q, b, at)
    if at <= now then
        refuse('BAD_REQUEST', {fields = {{path = 'at', problem = 'is not in the future'}}})
    end
    local key, minute = g .. 'appointments:' .. q.id, 60000
    local before = redis.call('ZREVRANGEBYSCORE', key, at, '-inf', 'LIMIT', 0, 2)
    local after = redis.call('ZRANGEBYSCORE', key, '(' .. at, '+inf', 'LIMIT', 0, 2)
    for _, ids in ipairs({before, after}) do
        for _, id in ipairs(ids) do
            local other = id ~= b.bookingId and booking(id)
            if other and other.appointmentAt < at + b.minutes * minute
                and at < other.appointmentAt + other.minutes * minute then
                refuse('SLOT_TAKEN', {barberId = q.id})
            end
        end
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

-- Events ----------------------------------------------------------------------------------------------------

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

-- Puts pairs (field, value, ...) into the shop's hash; few enough at a time for Lua's stack.
local function save(pairs_)
    for first = 1, #pairs_, AT_ONCE do
        redis.call('HSET', shop_key, unpack(pairs_, first, math.min(first + AT_ONCE - 1, #pairs_)))
    end
end

-- Writes one event of queue q with everything that was touched in it. It is the only place where a queue, a
-- booking, seq and shopSeq are written, so an event tells exactly what changed.
-- about: {bookingId?, reason?, born? (true: ARGV[3]), stamp? (in place of ARGV[2]),
--         more? (how many events follow that must be committed with it),
--         ends? (true: it is the command's last), position? (of the booking, when the event ends a command)}
-- The JSON is put together by hand where the parts are JSON already or ids, which need no escaping.
local function emit(q, type, about)
    arm_grace(q)
    q.seq, shop_seq = q.seq + 1, shop_seq + 1
    local previous = link
    link = own_link .. '.' .. shop_seq
    local queue_json = cjson.encode({
        status = q.status, seq = q.seq, day = q.day, dayEnds = q.dayEnds, lastToken = q.lastToken,
        completed = q.completed, cancelled = q.cancelled, serving = q.serving, next = q.next,
        pauseReason = q.pauseReason, graceFor = q.graceFor, graceDueAt = q.graceDueAt,
    })
    local changes, saved = {}, {'seq', shop_seq .. ' ' .. link, 'q:' .. q.id, queue_json}
    for i, b in ipairs(q.changes) do
        changes[i] = cjson.encode(b)
        if b.status == 'completed' or b.status == 'cancelled' or (b.status == 'skipped' and b.endedAt) then
            redis.call('HDEL', shop_key, 'b:' .. b.bookingId)
        else
            saved[#saved + 1], saved[#saved + 2] = 'b:' .. b.bookingId, changes[i]
        end
    end
    save(saved)
    local event = '{"shopId":"' .. shop .. '","shopSeq":' .. shop_seq .. ',"barberId":"' .. q.id .. '","seq":' .. q.seq
        .. ',"epoch":' .. epoch .. ',"link":"' .. link .. '","type":"' .. type .. '","at":' .. now
        .. ',"day":"' .. q.day .. '",' .. (about.stamp or args[2])
        .. (about.bookingId and ',"bookingId":"' .. about.bookingId .. '"' or '')
        .. (about.reason and ',"reason":' .. cjson.encode(about.reason) or '')
        .. (q.tokenAllocated and ',"tokenAllocated":' .. q.tokenAllocated or '')
        .. (about.position and ',"position":' .. about.position or '')
        .. (about.ends and ',"command":{"id":"' .. cmd.id .. '","digest":"' .. cmd.digest .. '"}' or '')
        .. ',"queue":' .. queue_json .. ',"changes":[' .. table.concat(changes, ',') .. ']}'
    local born = about.born and string.sub(args[3], 1, -2) .. ',"createdAt":' .. now .. '}' or ''
    local through = shop_seq + (about.more or 0)
    local id = redis.call('XADD', g .. 'events', '*', 's', shop, 'n', shop_seq, 'e', event, 'b', born,
        'l', link, 'p', previous, 't', through)
    local n = #emitted
    emitted[n + 1], emitted[n + 2], emitted[n + 3], emitted[n + 4] = id, shop_seq, event, born
    emitted[n + 5], emitted[n + 6], emitted[n + 7] = link, previous, through
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
    local json = redis.call('HGET', shop_key, 'q:' .. barber_id)
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

-- Answers -----------------------------------------------------------------------------------------------------

-- Writes the last event of the command, and remembers the command for 24 hours.
-- about: as in emit; b: the booking that the event is about, or nil.
local function conclude(q, type, about, b)
    about.ends = true
    if b then about.bookingId, about.position = b.bookingId, position(q, b) end
    emit(q, type, about)
    redis.call('SET', g .. 'command:' .. shop .. ':' .. cmd.id, cmd.digest .. ' ' .. shop_seq .. ' ' .. link,
        'PX', REMEMBER_MS)
end

local function reply(status, refusal, rests_on, upon)
    local out = {status, tonumber(epoch), rests_on or shop_seq, upon or link, refusal or ''}
    for i = 1, #emitted do out[5 + i] = emitted[i] end
    return out
end

-- Runs a transition: first whether the command was answered before, then whether Postgres keeps up.
local function execute(decide)
    local known = redis.call('GET', g .. 'command:' .. shop .. ':' .. cmd.id)
    if known then
        local digest, rests_on, upon = string.match(known, '^(%S*) (%d+) (.*)$')
        if digest ~= cmd.digest then
            return reply('refused', cjson.encode({code = 'IDEMPOTENCY_MISMATCH'}), tonumber(rests_on), upon)
        end
        return reply('replayed', nil, tonumber(rests_on), upon)
    end
    if redis.call('XLEN', g .. 'events') >= policy.maxBacklog then
        return reply('refused', cjson.encode({code = 'PERSISTENCE_UNAVAILABLE'}), 0, '')
    end
    local fine, refusal = pcall(decide)
    if fine then return reply('ok') end
    if type(refusal) ~= 'table' or not refusal.code then error(refusal) end
    return reply('refused', cjson.encode(refusal))
end

local function run(keys, argv, decide)
    epoch = redis.call('GET', keys[1])
    if not epoch then return {'cold'} end
    if not verified then return {'unverified'} end
    args, cmd = argv, cjson.decode(argv[1])
    shop, policy, actor = cmd.shopId, cmd.policy, cmd.actor
    g = string.sub(keys[1], 1, -6) .. 'e' .. epoch .. ':'
    shop_key = g .. 'shop:' .. shop
    clock = redis.call('TIME')
    now = clock[1] * 1000 + math.floor(clock[2] / 1000)
    local seq
    seq, link = string.match(redis.call('HGET', shop_key, 'seq') or '0 ', '^(%d+) (.*)$')
    shop_seq, own_link = tonumber(seq), cmd.nonce .. '.' .. clock[1] .. '.' .. clock[2]
    queues, bookings, emitted, dirty = {}, {}, {}, false
    return execute(decide)
end

-- Registers a transition. decide() refuses, or writes and concludes.
local function transition(name, decide)
    redis.register_function(LIBRARY .. '_' .. name, function(keys, argv) return run(keys, argv, decide) end)
end

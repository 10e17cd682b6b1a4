-- Rebuilds a cold shard from what Postgres holds, in one step, as a new generation of keys.
--
-- KEYS[1]  <root>epoch
-- ARGV[1]  JSON {epoch, shops: [{shopId, shopSeq, link, lateMs, queues: {barberId: queue}, bookings: [booking],
--          commands: [{id, digest, shopSeq, link, at}], calendars: {barberId: revision}}]}; queues and bookings as they
--          stand in events
-- Reply: 1; 0 when the shard has this epoch or a higher one already (another node was faster)
--
-- Old generations are left to a sweep (recovery.py): nothing reads them any more.

local function rebuild_shop(into, given, time)
    local id = given.shopId
    local saved = {'seq', string.format('%d', given.shopSeq) .. ' ' .. given.link}
    for barber, q in pairs(given.queues) do
        saved[#saved + 1], saved[#saved + 2] = 'q:' .. barber, cjson.encode(q)
        -- Due at once: the function that it runs looks whether the day has turned, and arms it again.
        redis.call('ZADD', into .. 'timers', time, 'day|' .. id .. '|' .. barber)
        if q.graceDueAt then redis.call('ZADD', into .. 'timers', q.graceDueAt, 'grace|' .. id .. '|' .. barber) end
    end
    for barber, revision in pairs(given.calendars) do
        saved[#saved + 1], saved[#saved + 2] = 'c:' .. barber, string.format('%d', revision)
    end
    for _, b in ipairs(given.bookings) do
        saved[#saved + 1], saved[#saved + 2] = 'b:' .. b.bookingId, cjson.encode(b)
        if b.status == 'waiting' then
            redis.call('ZADD', into .. 'line:' .. b.barberId, b.rank, b.bookingId)
        elseif b.status == 'skipped' then
            redis.call('SADD', into .. 'skipped:' .. b.barberId, b.bookingId)
        elseif b.status == 'scheduled' then
            redis.call('ZADD', into .. 'appointments:' .. b.barberId, b.appointmentAt, b.bookingId)
            redis.call('ZADD', into .. 'timers', b.appointmentAt + given.lateMs, 'late|' .. id .. '|' .. b.bookingId)
        end
        if b.customerId and b.status ~= 'skipped' and b.status ~= 'scheduled' then
            saved[#saved + 1], saved[#saved + 2] = 'l:' .. b.customerId, b.bookingId
        end
    end
    save(into .. 'shop:' .. id, saved)
    local days = {}
    for _, c in ipairs(given.commands) do
        local day = math.floor(c.at / DAY_MS)
        local of_day = days[day] or {}
        days[day] = of_day
        of_day[#of_day + 1], of_day[#of_day + 2] = c.id, c.digest .. ' ' .. string.format('%d', c.shopSeq) .. ' ' .. c.link
    end
    for day, of_day in pairs(days) do remember(into, id, day, of_day) end
end

redis.register_function(LIBRARY .. '_rebuild', function(keys, argv)
    local given = cjson.decode(argv[1])
    local present = redis.call('GET', keys[1])
    if present and tonumber(present) >= given.epoch then return 0 end
    local wanted = string.format('%d', given.epoch)
    local into = string.sub(keys[1], 1, -6) .. 'e' .. wanted .. ':'
    local time = redis.call('TIME')
    for _, one in ipairs(given.shops) do
        rebuild_shop(into, one, time[1] * 1000 + math.floor(time[2] / 1000))
    end
    redis.call('SET', keys[1], wanted)
    return 1
end)

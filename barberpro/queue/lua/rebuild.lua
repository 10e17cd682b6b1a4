-- Rebuilds a cold shard from what Postgres holds, in one step, as a new generation of keys.
--
-- KEYS[1]  <root>epoch
-- ARGV[1]  JSON {epoch, shops: [{shopId, shopSeq, link, lateMs, queues: {barberId: queue}, bookings: [booking],
--          commands: [{id, digest, shopSeq, link, result, at}]}]}; queues and bookings as they stand in events
-- Reply: 1; 0 when the shard has this epoch or a higher one already (another node was faster)
--
-- Old generations are left to a sweep (recovery.py): nothing reads them any more.

local given = cjson.decode(ARGV[1])
local present = redis.call('GET', KEYS[1])
if present and tonumber(present) >= given.epoch then return 0 end

local REMEMBER_MS = 86400000
local g = string.sub(KEYS[1], 1, -6) .. 'e' .. string.format('%d', given.epoch) .. ':'
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

for _, shop in ipairs(given.shops) do
    local id = shop.shopId
    redis.call('HSET', g .. 'seqs', id, string.format('%d', shop.shopSeq) .. ' ' .. shop.link)
    for barber, q in pairs(shop.queues) do
        redis.call('SET', g .. 'queue:' .. barber, cjson.encode(q))
        -- Due at once: the script that it runs looks whether the day has turned, and arms it again.
        redis.call('ZADD', g .. 'timers', now, 'day|' .. id .. '|' .. barber)
        if q.graceDueAt then redis.call('ZADD', g .. 'timers', q.graceDueAt, 'grace|' .. id .. '|' .. barber) end
    end
    for _, b in ipairs(shop.bookings) do
        redis.call('SET', g .. 'booking:' .. b.bookingId, cjson.encode(b))
        if b.status == 'waiting' then
            redis.call('ZADD', g .. 'line:' .. b.barberId, b.rank, b.bookingId)
        elseif b.status == 'skipped' then
            redis.call('SADD', g .. 'skipped:' .. b.barberId, b.bookingId)
        elseif b.status == 'scheduled' then
            redis.call('ZADD', g .. 'appointments:' .. b.barberId, b.appointmentAt, b.bookingId)
            redis.call('ZADD', g .. 'timers', b.appointmentAt + shop.lateMs, 'late|' .. id .. '|' .. b.bookingId)
        end
        if b.customerId and b.status ~= 'skipped' and b.status ~= 'scheduled' then
            redis.call('HSET', g .. 'live:' .. id, b.customerId, b.bookingId)
        end
    end
    for _, c in ipairs(shop.commands) do
        local left = c.at + REMEMBER_MS - now
        if left > 0 then
            redis.call('SET', g .. 'command:' .. id .. ':' .. c.id,
                c.digest .. '\n' .. string.format('%d', c.shopSeq) .. ' ' .. c.link .. '\n' .. c.result, 'PX', left)
        end
    end
end
redis.call('SET', KEYS[1], string.format('%d', given.epoch))
return 1

-- One request of one caller: let in or turned away, by the generic cell rate algorithm (ITU-T I.371): one number
-- a caller, the time at which a steady flow of its requests would have come to an end.
--
-- KEYS[1]  the caller's key; holds that time, in ms
-- ARGV[1]  how many of them the period allows, all of them at once if need be
-- ARGV[2]  the period, in ms
-- Reply: {1 let in or 0, how many more may come at once, ms until the next may come}

local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local limit, period = tonumber(ARGV[1]), tonumber(ARGV[2])
local step = period / limit
-- No further ahead than the period: a clock that was set back must lock nobody out.
local before = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now), now + period)
local after = before + step
local room = period - (after - now)
if room < -1 then return {0, 0, math.ceil(-room)} end  -- a millisecond's grace for what division rounds
redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil(after - now))
return {1, math.floor(math.max(room, 0) / step + 0.001), 0}

-- The turn of the business day, for a queue that nobody has touched since. queue() does the work.
-- Arguments: barberId
-- Refusals: INVALID_TRANSITION always: it has no effect of its own
-- Event: day_started, when the day has turned.

transition('expire_day', function()
    local timer = 'day|' .. shop .. '|' .. cmd.barberId
    local q = queue(cmd.barberId)
    local doc = field('q:' .. q.id)
    -- A queue that knows when its day ends takes the timer to be armed, even when it fires too early.
    local armed = doc and cjson.decode(doc).dayEnds
    if not armed and q.status == 'closed' and not q.serving and line_length(q) == 0 and q.lastToken == 0 then
        redis.call('ZREM', g .. 'timers', timer)  -- idle: its next command arms it
    else
        redis.call('ZADD', g .. 'timers', q.dayEnds, timer)
    end
    refuse('INVALID_TRANSITION', {barberId = q.id, problem = 'not_due'})
end)

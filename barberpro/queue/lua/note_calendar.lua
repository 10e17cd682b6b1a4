-- note_calendar: a barber's calendar has changed, and no appointment may rest on an older one from now on.
-- Arguments: barberId, revision
-- Refusals: INVALID_TRANSITION always, as it is no event; what rests on older ones is durable when this is answered
-- Event: none.

transition('note_calendar', function()
    local name = 'c:' .. cmd.barberId
    if cmd.revision > tonumber(field(name) or 0) then
        fields[name] = string.format('%d', cmd.revision)
        redis.call('HSET', shop_key, name, fields[name])
    end
    refuse('INVALID_TRANSITION', {barberId = cmd.barberId, problem = 'noted'})
end)

-- The no-show timer: next -> skipped to the end of the line, or out of it, as the shop's policy says.
-- Arguments: barberId
-- Refusals: INVALID_TRANSITION (nothing is due: another node was faster, or the barber was)
-- Event: skip or no_show, of the system, with the reason 'grace_expired'.

transition('expire_grace', function()
    local q = queue(cmd.barberId)
    if not q.graceFor or q.graceDueAt > now then
        if not q.graceFor then redis.call('ZREM', g .. 'timers', 'grace|' .. shop .. '|' .. q.id) end
        refuse('INVALID_TRANSITION', {barberId = q.id, problem = 'not_due'})
    end
    local b = booking(q.graceFor)
    redis.call('ZREM', g .. 'timers', 'grace|' .. shop .. '|' .. q.id)
    local kind = policy.graceAction
    if kind == 'skip' then
        skip_booking(q, b, 'grace_expired')
    else
        dequeue(q, b)
        set_skipped(q, b, 'grace_expired')
        promote(q)
    end
    conclude(q, kind, {reason = 'grace_expired'}, b)
end)

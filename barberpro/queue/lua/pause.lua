-- pause: open -> paused. Nobody joins, and the no-show grace ends; it begins anew with open.
-- Arguments: barberId, reason?
-- Refusals: INVALID_TRANSITION (it is not open), STALE_STATE
-- Event: pause.

transition('pause', function()
    local q = named_queue()
    if q.status ~= 'open' then refuse('INVALID_TRANSITION', {barberId = q.id, status = q.status}) end
    q.status, q.pauseReason = 'paused', cmd.reason
    conclude(q, 'pause', {reason = cmd.reason})
end)

-- open: closed or paused -> open.
-- Arguments: barberId
-- Refusals: INVALID_TRANSITION (it is open), STALE_STATE
-- Event: open.

transition('open', function()
    local q = named_queue()
    if q.status == 'open' then refuse('INVALID_TRANSITION', {barberId = q.id, status = q.status}) end
    q.status, q.pauseReason = 'open', nil
    conclude(q, 'open', {})
end)

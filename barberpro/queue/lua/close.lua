-- close: open or paused -> closed. Those in the line are kept, to be served still, or cancelled.
-- A closed line that kept them can be closed again to cancel them.
-- Arguments: barberId, waiting ('keep' | 'cancel')
-- Refusals: INVALID_TRANSITION (it is closed, and nobody is left to cancel), STALE_STATE
-- Event: close.

transition('close', function()
    local q = named_queue()
    local cancels = cmd.waiting == 'cancel'
    if q.status == 'closed' and not (cancels and line_length(q) > 0) then
        refuse('INVALID_TRANSITION', {barberId = q.id, status = q.status})
    end
    if cancels then q.cancelled = q.cancelled + cancel_line(q, 'queue_closed', actor.role) end
    q.status, q.pauseReason = 'closed', nil
    conclude(q, 'close', {reason = cancels and 'waiting_cancelled' or 'waiting_kept'})
end)

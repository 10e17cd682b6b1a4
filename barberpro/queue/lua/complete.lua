-- complete: serving -> completed.
-- Arguments: barberId | bookingId, payment?
-- Refusals: NOT_FOUND, INVALID_TRANSITION (nobody is being served, or it is another), STALE_STATE
-- Event: complete.

transition('complete', function()
    local q = named_queue()
    local wanted = cmd.bookingId and named_booking()
    if wanted and wanted.status ~= 'serving' then impossible(wanted, {'serving'}) end
    if not q.serving then refuse('INVALID_TRANSITION', {barberId = q.id, problem = 'nobody_serving'}) end
    local b = complete_serving(q, cmd.payment)
    conclude(q, 'complete', {}, b)
end)

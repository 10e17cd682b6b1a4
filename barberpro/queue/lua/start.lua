-- start: next -> serving.
-- Arguments: barberId | bookingId
-- Refusals: NOT_FOUND, INVALID_TRANSITION (the chair is taken, nobody is next, or it is another), STALE_STATE
-- Event: start.

transition('start', function()
    local q = named_queue()
    local wanted = cmd.bookingId and named_booking()
    if wanted and wanted.status ~= 'next' then impossible(wanted, {'next'}) end
    if q.serving then
        refuse('INVALID_TRANSITION', {barberId = q.id, problem = 'chair_taken', servingBookingId = q.serving})
    end
    if not q.next then refuse('INVALID_TRANSITION', {barberId = q.id, problem = 'nobody_next'}) end
    local b = start_next(q)
    promote(q)
    conclude(q, 'start', {}, b)
end)

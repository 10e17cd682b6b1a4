-- no_show: next -> skipped.
-- Arguments: bookingId
-- Refusals: NOT_FOUND, INVALID_TRANSITION, STALE_STATE
-- Event: no_show.

transition('no_show', function()
    local q, b = named_queue(), named_booking()
    if b.status ~= 'next' then impossible(b, {'next'}) end
    dequeue(q, b)
    set_skipped(q, b, 'no_show')
    promote(q)
    conclude(q, 'no_show', {}, b)
end)

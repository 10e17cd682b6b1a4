-- step_back: waiting or next -> waiting, `places` later, or at the end when fewer are behind.
-- Arguments: bookingId, places
-- Refusals: NOT_FOUND, INVALID_TRANSITION (nobody is behind), STALE_STATE
-- Event: step_back.

transition('step_back', function()
    local q, b = named_queue(), named_booking()
    if b.status ~= 'next' and b.status ~= 'waiting' then impossible(b, {'next', 'waiting'}) end
    local place = position(q, b)
    if place >= line_length(q) then
        refuse('INVALID_TRANSITION', {bookingId = b.bookingId, status = b.status, problem = 'nobody_behind'})
    end
    dequeue(q, b)
    promote(q)
    enqueue_behind(q, b, place - 2 + cmd.places)
    conclude(q, 'step_back', {}, b)
end)

-- move: waiting -> waiting at a position (2 is the first who waits), or at the end when the line is shorter.
-- Arguments: bookingId, position, reason
-- Refusals: NOT_FOUND, INVALID_TRANSITION, STALE_STATE
-- Event: move, with the reason for those who moved.

transition('move', function()
    local q, b = named_queue(), named_booking()
    if b.status ~= 'waiting' then impossible(b, {'waiting'}) end
    dequeue(q, b)
    enqueue_behind(q, b, cmd.position - 2)
    conclude(q, 'move', {reason = cmd.reason}, b)
end)

-- skip: next or waiting -> waiting at the end, skipCount + 1; past maxSkips -> skipped.
-- Arguments: bookingId, reason?
-- Refusals: NOT_FOUND, INVALID_TRANSITION, STALE_STATE
-- Event: skip.

transition('skip', function()
    local q, b = named_queue(), named_booking()
    if b.status ~= 'next' and b.status ~= 'waiting' then impossible(b, {'next', 'waiting'}) end
    skip_booking(q, b, cmd.reason or 'skipped')
    conclude(q, 'skip', {reason = cmd.reason}, b)
end)

-- recall: skipped -> waiting, in front of or behind all who wait; the token stays. Next when nobody is.
-- Arguments: bookingId, to ('front' | 'back')
-- Refusals: NOT_FOUND, INVALID_TRANSITION (not skipped, or of an earlier day), ALREADY_IN_QUEUE, STALE_STATE
-- Event: recall.

transition('recall', function()
    local q, b = named_queue(), named_booking()
    if b.status ~= 'skipped' or b.day ~= q.day then impossible(b, {'skipped'}) end
    need_no_live(b)
    redis.call('SREM', g .. 'skipped:' .. q.id, b.bookingId)
    b.endReason = nil
    claim_live(b)
    if cmd.to == 'front' then enqueue_first(q, b) else enqueue_last(q, b) end
    promote(q)
    conclude(q, 'recall', {}, b)
end)

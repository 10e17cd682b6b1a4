-- transfer: waiting or next -> the end of another barber's line in the same shop, with a new token there.
-- Arguments: bookingId, toBarberId
-- Refusals: NOT_FOUND, INVALID_TRANSITION (not in a line, or already in that one), QUEUE_CLOSED, QUEUE_FULL, STALE_STATE
-- Events: transfer of the queue that it leaves, then transfer of the queue that it joins.

transition('transfer', function()
    local from, b = named_queue(), named_booking()
    local to = queue(cmd.toBarberId)
    if b.status ~= 'next' and b.status ~= 'waiting' then impossible(b, {'next', 'waiting'}) end
    if to.id == from.id then
        refuse('INVALID_TRANSITION', {bookingId = b.bookingId, status = b.status, problem = 'same_queue'})
    end
    if to.status == 'closed' then refuse('QUEUE_CLOSED', {barberId = to.id}) end
    if line_length(to) >= policy.capacity then refuse('QUEUE_FULL', {barberId = to.id, capacity = policy.capacity}) end
    dequeue(from, b)
    promote(from)
    allocate_token(to, b)
    enqueue_last(to, b)
    promote(to)
    touch(from, b)
    emit(from, 'transfer', {bookingId = b.bookingId, more = 1})
    conclude(to, 'transfer', {}, b)
end)

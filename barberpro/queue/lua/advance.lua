-- advance: serving -> completed and next -> serving, in one step: 'done, next please'.
-- With expect.serving it happens once, however many devices press at once.
-- Arguments: barberId, payment?
-- Refusals: INVALID_TRANSITION (nobody is being served and nobody is next, or nobody who could have paid), STALE_STATE
-- Event: advance, of the booking that is now being served; of the completed one when nobody was next.

transition('advance', function()
    local q = named_queue()
    if not q.serving and not q.next then
        refuse('INVALID_TRANSITION', {barberId = q.id, problem = 'nobody_serving_nobody_next'})
    end
    -- A payment is of whoever leaves the chair; without anybody in it, it must not get lost without a word.
    if cmd.payment and not q.serving then
        refuse('INVALID_TRANSITION', {barberId = q.id, problem = 'nobody_serving'})
    end
    local b
    if q.serving then b = complete_serving(q, cmd.payment) end
    if q.next then b = start_next(q) end
    promote(q)
    conclude(q, 'advance', {}, b)
end)

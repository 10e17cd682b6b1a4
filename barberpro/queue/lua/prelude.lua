-- What all transitions share. The library that Redis gets is '#!lua name=<library>', `local LIBRARY = '<library>'`, this
-- file, shop, line, events and run, and the transitions after them. <library>_run (run.lua) runs commands of one shop,
-- one after the other.
--
-- KEYS[1]  <root>epoch, where <root> is <prefix>:{s<shard>}:   Absent: the shard is cold, nothing is known.
-- ARGV[1]  the shop's id
-- ARGV[2]  the shop's policy, as JSON (barberpro/storage/catalogue.py)
-- then, for each command (barberpro/queue/calls.py builds it):
--   the name of the transition
--   the command, as JSON
--   '"actor":{...},"via":{...}': what its events say of who asked, and how. Not taken apart here
--   what the booking that it makes is born with, as JSON, or ''. Not taken apart here, nor kept in Redis
--
-- All other keys are of the same hash tag, and of the shard's present generation <g> = <root>e<epoch>:
--   <g>shop:<shopId>             hash   everything of the shop that is not ordered:
--                                         seq             '<shopSeq> <link>': its event counter, its last event's link
--                                         q:<barberId>    a queue, as it stands in an event under "queue"
--                                         b:<bookingId>   a live or skipped booking, as in an event under "changes"
--                                         l:<customerId>  the customer's one live booking
--                                         c:<barberId>    the newest revision of a barber's calendar that was told
--   <g>line:<barberId>           zset   who is 'waiting', by rank; 'next' stands in the queue
--   <g>skipped:<barberId>        set    this day's skipped, so that the day's end can let them go
--   <g>appointments:<barberId>   zset   who is 'scheduled', by appointed time
--   <g>commands:<shopId>:<day>   hash   '<digest> <shopSeq> <link>' of each command that had an effect, and
--                                         '<digest> refused <refusal>' of each that was refused (while there are not
--                                         ANSWERS_KEPT in it, and but for NOT_FOUND), by its id; day: since
--                                         1970, in UTC. Kept till the end of the next one: 24 hours at least
--   <g>timers                    zset   what is due, by time: grace|shop|barber, day|shop|barber, late|shop|booking
--   <g>events                    stream events that Postgres has not confirmed yet; so its length is the backlog
--                                         e  the event, as JSON
--                                         b  what its booking was born with, as JSON, or ''
--
-- A link is a text that no other event has. An event names the link of the event it was made `upon`, and Postgres
-- takes it only upon that one: so a Redis that fell back in time can never add to what it has forgotten.
--
-- Reply: {'cold'} or {'unverified'}, and nothing was done; else the epoch, and for each command
--        {status, shopSeq, link, refusal, events...}
--   status         'ok', 'replayed', 'refused' (refusal: {code, details} as JSON)
--   shopSeq, link  the event that the answer rests on: it may be given when Postgres has that one. The answer to
--                  'ok' and 'replayed' is what that event tells
--   events         three entries each: stream id, the event, what its booking was born with ('' when none)
--
-- A transition decides first and writes after: refuse() is an error once anything is written.

local DAY_MS, MINUTE_MS, GAP, AT_ONCE, ANSWERS_KEPT = 86400000, 60000, 1048576, 500, 200000

-- Whether somebody compared this server's memory with Postgres since it started. It is forgotten when the server
-- restarts and does not go to a replica, which is what makes it worth something (barberpro/queue/recovery.py).
local verified = false

-- The call: one runs at a time, so these are set anew at its beginning (see run).
local epoch, g, shop, shop_key, policy, clock, now, now_text
local shop_seq, link
local fields, unsaved   -- of the shop's hash: what this call knows, by name (false: absent); what it has to write
local queues, bookings  -- what this call has loaded, by id
local answered          -- what is remembered of commands, by their id
local remembered        -- what has to be written of them: id, text, ...
local backlog           -- how many events wait for Postgres in this shard
-- The command of the call whose turn it is (see execute).
local cmd, actor, stamp, born_with, own_link
local emitted           -- its events, for the reply
local dirty             -- something is written that no event tells yet

-- Policies taken apart already, by their text: shops with the same one are many, and changes are rare.
local policies, policies_known, POLICIES_KEPT = {}, 0, 1000

local function refuse(code, details)
    assert(not dirty, 'refused after a write')
    error({code = code, details = details or {}})
end

local function staff()
    return actor.role == 'barber' or actor.role == 'admin' or actor.role == 'system'
end

-- Days ------------------------------------------------------------------------------------------------------

-- policy.zone: {{from, offset}, ...} in ms, ascending; the shop's offset from UTC from each instant on.
local function offset_at(at)
    local offset = policy.zone[1][2]
    for i = 2, #policy.zone do
        if at >= policy.zone[i][1] then offset = policy.zone[i][2] end
    end
    return offset
end

-- The shop's local date at an instant. Days to a civil date: Howard Hinnant, chrono-compatible algorithms.
local function date_at(at)
    local z = math.floor((at + offset_at(at)) / DAY_MS) + 719468
    local era = math.floor(z / 146097)
    local doe = z - era * 146097
    local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
    local mp = math.floor((5 * doy + 2) / 153)
    local day, month = doy - math.floor((153 * mp + 2) / 5) + 1, mp < 10 and mp + 3 or mp - 9
    return string.format('%04d-%02d-%02d', yoe + era * 400 + (month <= 2 and 1 or 0), month, day)
end

-- The shop's next midnight. On the day of a change of clocks the offset there is another than now.
local function next_midnight()
    local offset = offset_at(now)
    local there = (math.floor((now + offset) / DAY_MS) + 1) * DAY_MS
    local at = there - offset_at(there - offset)
    if date_at(at) == date_at(now) then at = there - offset end  -- clocks that jump at midnight itself
    return at
end

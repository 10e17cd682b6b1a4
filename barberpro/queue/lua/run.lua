-- Running commands: each is answered once, and what it changed is written at the end (after events.lua).

-- From now on the command has this answer.
local function keep(answer)
    answered[cmd.id] = answer
    remembered[#remembered + 1], remembered[#remembered + 2] = cmd.id, answer
end

-- Writes the last event of the command, and remembers the command.
-- about: as in emit; b: the booking that the event is about, or nil.
local function conclude(q, type, about, b)
    about.ends = true
    if b then about.bookingId, about.position = b.bookingId, position(q, b) end
    emit(q, type, about)
    keep(cmd.digest .. ' ' .. shop_seq .. ' ' .. link)
end

local function reply(status, refusal, rests_on, upon)
    return {status, rests_on or shop_seq, upon or link, refusal or '', unpack(emitted)}
end

local transitions = {}

-- Registers a transition. decide() refuses, or writes and concludes.
local function transition(name, decide)
    transitions[name] = decide
end

-- The answer that the command has already.
local function repeated(known)
    local digest, ground, told = string.match(known, '^(%S*) (%S+) (.*)$')
    local rests_on = tonumber(ground)  -- nil: it was refused, which rests on no event
    if digest ~= cmd.digest then
        return reply('refused', cjson.encode({code = 'IDEMPOTENCY_MISMATCH'}), rests_on, rests_on and told)
    end
    if not rests_on then return reply('refused', told) end
    return reply('replayed', nil, rests_on, told)
end

local function commands_key(generation, shop_id, day)
    return generation .. 'commands:' .. shop_id .. ':' .. string.format('%d', day)
end

-- Whether the refusal is to be kept: an earlier attempt may still be under way somewhere, and finds it when it comes.
-- What is not found will never be (a booking does not come back, nor becomes another's); nobody repeats a timer; and
-- whoever makes up refusals does not fill the memory with them.
local function may_come_again(refusal)
    return refusal.code ~= 'NOT_FOUND' and actor.role ~= 'system'
        and redis.call('HLEN', commands_key(g, shop, math.floor(now / DAY_MS))) < ANSWERS_KEPT
end

-- Runs the command: first whether it was answered before, then whether Postgres keeps up.
local function execute(name)
    local known = answered[cmd.id]
    if known then return repeated(known) end
    if backlog >= policy.maxBacklog then
        return reply('refused', cjson.encode({code = 'PERSISTENCE_UNAVAILABLE'}), 0, '')
    end
    local fine, refusal = pcall(transitions[name])
    if fine then return reply('ok') end
    if type(refusal) ~= 'table' or not refusal.code then error(refusal) end
    local told = cjson.encode(refusal)
    if may_come_again(refusal) then keep(cmd.digest .. ' refused ' .. told) end
    return reply('refused', told)
end

local function policy_of(json)
    local known = policies[json]
    if not known then
        if policies_known >= POLICIES_KEPT then policies, policies_known = {}, 0 end
        known = cjson.decode(json)
        policies[json], policies_known = known, policies_known + 1
    end
    return known
end

-- pairs_: id, text, ... of one day.
local function remember(generation, shop_id, day, pairs_)
    local key = commands_key(generation, shop_id, day)
    save(key, pairs_)
    redis.call('PEXPIREAT', key, (day + 2) * DAY_MS, 'NX')
end

-- Reads what is known of the shop, and of the commands.
local function enter(commands)
    shop_key = g .. 'shop:' .. shop
    clock = redis.call('TIME')
    now = clock[1] * 1000 + math.floor(clock[2] / 1000)
    now_text = string.format('%d', now)
    fields, unsaved, queues, bookings, answered, remembered = {}, {}, {}, {}, {}, {}
    fetch_fields(commands)
    local seq
    seq, link = string.match(fields.seq or '0 ', '^(%d+) (.*)$')
    shop_seq = tonumber(seq)
    local ids, today = {}, math.floor(now / DAY_MS)
    for i, c in ipairs(commands) do ids[i] = c.id end
    for day = today - 1, today do
        for i, answer in ipairs(redis.call('HMGET', commands_key(g, shop, day), unpack(ids))) do
            answered[ids[i]] = answered[ids[i]] or answer
        end
    end
    backlog = redis.call('XLEN', g .. 'events')
end

redis.register_function(LIBRARY .. '_run', function(keys, argv)
    epoch = redis.call('GET', keys[1])
    if not epoch then return {'cold'} end
    if not verified then return {'unverified'} end
    g = string.sub(keys[1], 1, -6) .. 'e' .. epoch .. ':'
    shop, policy = argv[1], policy_of(argv[2])
    local commands, out = {}, {tonumber(epoch)}
    for at = 4, #argv, 4 do commands[#commands + 1] = cjson.decode(argv[at]) end
    enter(commands)
    for i, c in ipairs(commands) do
        cmd, actor, stamp, born_with = c, c.actor, argv[4 * i + 1], argv[4 * i + 2]
        own_link = c.nonce .. '.' .. clock[1] .. '.' .. clock[2]
        emitted, dirty = {}, false
        out[i + 1] = execute(argv[4 * i - 1])
    end
    if next(unsaved) then unsaved.seq = shop_seq .. ' ' .. link end
    flush_fields()
    if #remembered > 0 then remember(g, shop, math.floor(now / DAY_MS), remembered) end
    return out
end)

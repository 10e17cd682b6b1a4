-- The shop's hash: what a call has read of it, and what it has to write (after prelude.lua).

-- Reads what the commands name in one go.
local function fetch_fields(commands)
    local names = {'seq'}
    for _, c in ipairs(commands) do
        if c.barberId then names[#names + 1] = 'q:' .. c.barberId end
        if c.bookingId then names[#names + 1] = 'b:' .. c.bookingId end
        if c.customerId then names[#names + 1] = 'l:' .. c.customerId end
    end
    for i, value in ipairs(redis.call('HMGET', shop_key, unpack(names))) do fields[names[i]] = value end
end

local function field(name)
    if fields[name] == nil then fields[name] = redis.call('HGET', shop_key, name) end
    return fields[name]
end

-- value: false lets the field go. It is written at the end of the call.
local function put(name, value)
    dirty = true
    fields[name], unsaved[name] = value, value
end

-- Writes pairs (field, value, ...) into a hash; few enough at a time for Lua's stack.
local function save(key, pairs_)
    for first = 1, #pairs_, AT_ONCE do
        redis.call('HSET', key, unpack(pairs_, first, math.min(first + AT_ONCE - 1, #pairs_)))
    end
end

local function flush_fields()
    local saved, gone = {}, {}
    for name, value in pairs(unsaved) do
        if value then
            saved[#saved + 1], saved[#saved + 2] = name, value
        else
            gone[#gone + 1] = name
        end
    end
    save(shop_key, saved)
    for first = 1, #gone, AT_ONCE do
        redis.call('HDEL', shop_key, unpack(gone, first, math.min(first + AT_ONCE - 1, #gone)))
    end
end

-- Whether this server's memory may be trusted; for recovery.py, which compares it with Postgres in between.
--
-- <library>_challenge  ARGV[1] a nonce. Reply: 1 when the memory was verified since the server started; else 0, and the
--                      nonce is kept
-- <library>_admit      ARGV[1] the nonce. Reply: 1 and the memory counts as verified, if this very server was
--                      challenged with the nonce: it was not restarted or replaced while it was compared; else 0

local challenges = {}

redis.register_function{function_name = LIBRARY .. '_challenge', flags = {'no-writes'}, callback = function(_, argv)
    if verified then return 1 end
    challenges[argv[1]] = true
    return 0
end}

redis.register_function{function_name = LIBRARY .. '_admit', flags = {'no-writes'}, callback = function(_, argv)
    if not challenges[argv[1]] then return 0 end
    verified = true
    return 1
end}

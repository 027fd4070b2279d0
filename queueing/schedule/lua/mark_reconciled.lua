-- Says that Redis knows again all that runs, unless it lost its memory once more in the meantime.
-- KEYS  4 global, restoring (string)
-- ARGV  channel, the value that was put into `restoring` before
-- Returns 1, or 0 when all has to be told anew.
if redis.call('GET', KEYS[5]) ~= ARGV[2] then return 0 end
redis.call('SET', RECONCILED, 0)
redis.call('DEL', KEYS[5])
redis.call('PUBLISH', ARGV[1], 'wake:')
return 1

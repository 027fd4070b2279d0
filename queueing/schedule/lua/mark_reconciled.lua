-- Records that Redis knows all active jobs again, unless it lost its data once more meanwhile.
-- KEYS  4 global, restoring (string)
-- ARGV  channel, the value that `restoring` was set to before
-- Returns 1, or 0 if everything must be restored again.
if redis.call('GET', KEYS[5]) ~= ARGV[2] then return 0 end
redis.call('SET', RECONCILED, 0)
redis.call('DEL', KEYS[5])
redis.call('PUBLISH', ARGV[1], 'wake:')
return 1

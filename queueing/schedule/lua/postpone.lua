-- delayed -> delayed: the job becomes waiting at another time. A job that is not delayed stays as it is.
-- KEYS  4 global, 10 of the queue
-- ARGV  channel, queue, id, delay (ms)
-- Returns 1 if the job was delayed, else 0.
local q = queue_at(5)
local id, ready = ARGV[3], now_ms() + tonumber(ARGV[4])
if not redis.call('ZSCORE', q.delayed, id) then return 0 end
local owner, priority = parse(redis.call('HGET', JOBS, id))
redis.call('HSET', JOBS, id, pack(owner, priority, ready))
redis.call('ZADD', q.delayed, whole(ready), id)
if redis.call('ZRANGE', q.delayed, 0, 0)[1] == id then redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2]) end
return 1

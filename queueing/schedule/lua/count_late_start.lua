-- Lets a claimed job start that comes so late that its claim is not when it starts: the limiter counts it
-- from now on, or tells it to wait.
-- KEYS  4 global, 9 of the queue
-- ARGV  limiter max (0: none), limiter duration (ms), the claim's token, the job's id
-- Returns 0 when it may start, else the ms after which to ask again.
local q = queue_at(5)
local live = redis.call('HMGET', q.meta, 'limiter_max', 'limiter_ms')
q.limiter_max, q.limiter_ms = tonumber(live[1] or ARGV[1]), tonumber(live[2] or ARGV[2])
if q.limiter_max == 0 then return 0 end
local start = ARGV[3] .. ARGV[4]
redis.call('ZREM', q.limiter_starts, start)
local room = limiter_room(q)
redis.call('ZADD', q.limiter_starts, now, start) -- while it waits, too: nobody takes its place
return room > 0 and 0 or next_at - now

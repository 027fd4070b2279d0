-- Counts the start of a job that starts much later than it was claimed. The limiter counts the job from now
-- on, or makes it wait.
-- KEYS  4 global, 10 of the queue
-- ARGV  limiter max (0: none), limiter duration (ms), token of the claim, job id
-- Returns 0 if the job may start, else the ms after which to call this again.
local q = queue_at(5)
local live = redis.call('HMGET', q.meta, 'limiter_max', 'limiter_ms')
q.limiter_max, q.limiter_ms = tonumber(live[1] or ARGV[1]), tonumber(live[2] or ARGV[2])
if q.limiter_max == 0 then return 0 end
local start = ARGV[3] .. ARGV[4]
redis.call('ZREM', q.limiter_starts, start)
local room = limiter_room(q)
redis.call('ZADD', q.limiter_starts, now, start) -- also while it waits, so that it keeps its place in the window
return room > 0 and 0 or next_at - now

-- What a queue holds, for admission, statistics and positions. Changes nothing; O(log n).
-- KEYS  3 global, 9 of the queue
-- ARGV  owner ('' for none)
-- Returns {waiting, delayed, active, paused (0|1), ms of cooldown left, ms the next in line has
-- waited (-1: none), unfinished jobs of the owner, starts in the limiter's record, oldest start's age ms}.
local q = queue_at(4)
local now = now_ms()
local meta = redis.call('HMGET', q.meta, 'paused', 'cooldown')
local waited = -1
local head = redis.call('ZRANGE', q.waiting, 0, 0)
if head[1] then
  local _, _, ready = parse(redis.call('HGET', JOBS, head[1]))
  waited = math.max(0, now - ready)
end
local held = 0
if ARGV[1] ~= '' then held = tonumber(redis.call('HGET', q.held, ARGV[1]) or '0') end
local first = redis.call('ZRANGE', q.starts, 0, 0, 'WITHSCORES')
return {
  redis.call('ZCARD', q.waiting) + redis.call('ZCARD', q.parked),
  redis.call('ZCARD', q.delayed), redis.call('ZCARD', q.active), meta[1] and 1 or 0,
  math.max(0, tonumber(meta[2] or '0') - now), waited, held,
  redis.call('ZCARD', q.starts), first[2] and now - tonumber(first[2]) or 0,
}

-- Counts the jobs of a queue, for admission, statistics and positions. Changes nothing; O(log n).
-- KEYS  4 global, 10 of the queue
-- ARGV  owner as in `jobs` ('' for none), the limiter's window (ms; 0: no limiter)
-- Returns {waiting, delayed, active, paused (0|1), ms of cooldown left, ms that the next job in line has
-- waited (-1: none waits), unfinished jobs of the owner, starts in the limiter's window, age of the first of
-- these in ms, 1 if the provider does not answer else 0, unfinished jobs of the owner's share, then what operators
-- changed (-1: unchanged):
-- concurrency, global_concurrency, owner_concurrency, limiter_max, limiter_ms, then the parked ones of the waiting}.
local q = queue_at(5)
local now = now_ms()
local meta = redis.call('HMGET', q.meta, 'paused', 'cooldown',
  'concurrency', 'global_concurrency', 'owner_concurrency', 'limiter_max', 'limiter_ms', 'breaker')
local cooldown, outage = math.max(0, tonumber(meta[2] or '0') - now), 0
if meta[8] then
  local breaker = redis.call('HMGET', breaker_of(meta[8]), 'until', 'cause')
  if breaker[1] then cooldown = math.max(0, tonumber(breaker[1]) - now) end
  if breaker[2] == 'outage' then outage = 1 end
end
local function changed(i) return tonumber(meta[i] or '-1') end
local waited = -1
local head = redis.call('ZRANGE', q.waiting, 0, 0)
if head[1] then
  local _, _, ready = parse(redis.call('HGET', JOBS, head[1]))
  waited = math.max(0, now - ready)
end
local function unfinished_of(owner)
  return owner ~= '' and tonumber(redis.call('HGET', q.owner_unfinished, owner) or '0') or 0
end
local share = payer(ARGV[1])
local opened = '(' .. whole(now - tonumber(meta[7] or ARGV[2]))
local first = redis.call('ZRANGEBYSCORE', q.limiter_starts, opened, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local parked = redis.call('ZCARD', q.parked)
return {
  redis.call('ZCARD', q.waiting) + parked,
  redis.call('ZCARD', q.delayed), redis.call('ZCARD', q.active), meta[1] and 1 or 0,
  cooldown, waited, unfinished_of(ARGV[1]),
  redis.call('ZCOUNT', q.limiter_starts, opened, '+inf'), first[2] and math.max(0, now - tonumber(first[2])) or 0,
  outage, share == ARGV[1] and 0 or unfinished_of(share),
  changed(3), changed(4), changed(5), changed(6), changed(7), parked,
}

-- Starts a cooldown: no worker starts a job of the queue until its end. The longest cooldown wins.
-- KEYS  4 global, 9 of the queue
-- ARGV  channel, queue, length (ms)
-- Returns the ms until the end of the cooldown.
local q = queue_at(5)
local now, length = now_ms(), tonumber(ARGV[3])
local ends = tonumber(redis.call('HGET', q.meta, 'cooldown') or '0')
if now + length > ends then
  ends = now + length
  redis.call('HSET', q.meta, 'cooldown', whole(ends), 'cooldown_ms', whole(length))
  redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2])
end
return ends - now

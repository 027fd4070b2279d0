-- Asks every worker to leave the queue alone for a while. The longest wait wins.
-- KEYS  4 global, 9 of the queue
-- ARGV  channel, queue, length (ms)
-- Returns the ms until the cooldown's end.
local q = queue_at(5)
local now, length = now_ms(), tonumber(ARGV[3])
local ends = tonumber(redis.call('HGET', q.meta, 'cooldown') or '0')
if now + length > ends then
  ends = now + length
  redis.call('HSET', q.meta, 'cooldown', whole(ends), 'cooldown_ms', whole(length))
  redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2])
end
return ends - now

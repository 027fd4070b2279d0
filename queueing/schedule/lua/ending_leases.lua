-- Finds leases that have ended or end soon. Every worker calls this each heartbeat, so it also corrects what
-- the clock left too far in the future when it was set back: leases and delays.
-- KEYS  4 global, 10 of the queue
-- ARGV  lease (ms), ms within which a lease ends, maximum number to return, channel, queue
-- Returns {the time in ms, then for each lease, the oldest first: id, token, ms of its end}.
local q = queue_at(5)
local now, lease = now_ms(), tonumber(ARGV[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', q.active, '(' .. whole(now + 2 * lease), '+inf')) do
  redis.call('ZADD', q.active, whole(now + lease), id)
end

-- Delays that were set before the clock was set back would last longer by as much. They lie behind `clock`,
-- the time of the last call, since what was due then has left `delayed`.
local clock = tonumber(redis.call('HGET', q.meta, 'clock') or '0')
if clock > now + 1000 then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', q.delayed, '(' .. whole(clock), '+inf')) do
    redis.call('ZINCRBY', q.delayed, whole(now - clock), id)
  end
  redis.call('PUBLISH', ARGV[4], 'wake:' .. ARGV[5])
end
redis.call('HSET', q.meta, 'clock', whole(now))

local reply = {now}
local found = redis.call('ZRANGEBYSCORE', q.active, '-inf', now + ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for i = 1, #found, 2 do
  reply[#reply + 1] = found[i]
  reply[#reply + 1] = redis.call('HGET', CLAIMS, found[i]) or ''
  reply[#reply + 1] = tonumber(found[i + 1])
end
return reply

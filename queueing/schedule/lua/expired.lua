-- Finds claims whose lease has expired. Changes only leases that are too long because the clock was set back.
-- KEYS  4 global, 9 of the queue
-- ARGV  lease (ms), maximum number to return
-- Returns id and token of each.
local q = queue_at(5)
local now, lease = now_ms(), tonumber(ARGV[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', q.active, '(' .. whole(now + 2 * lease), '+inf')) do
  redis.call('ZADD', q.active, whole(now + lease), id)
end
local reply = {}
local ids = redis.call('ZRANGEBYSCORE', q.active, '-inf', now, 'LIMIT', 0, ARGV[2])
if #ids > 0 then
  for i, token in ipairs(redis.call('HMGET', CLAIMS, unpack(ids))) do
    reply[2 * i - 1], reply[2 * i] = ids[i], token or ''
  end
end
return reply

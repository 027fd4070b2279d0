-- active -> delayed: an attempt failed, and the next one starts after a wait.
-- KEYS  4 global, 10 of the queue
-- ARGV  channel, queue, then for each job: id, token, delay (ms)
-- Returns the ids that were refused because the claim has another token.
local q = queue_at(5)
local now, refused = now_ms(), {}
for i = 3, #ARGV, 3 do
  local id, token, delay = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  if redis.call('HGET', CLAIMS, id) ~= token then
    refused[#refused + 1] = id
  else
    local owner, priority = parse(redis.call('HGET', JOBS, id))
    end_claim(q, ARGV[2], id, owner, token)
    redis.call('HSET', JOBS, id, pack(owner, priority, now + delay))
    redis.call('ZADD', q.delayed, whole(now + delay), id)
  end
end
redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2])
return refused

-- active -> waiting: jobs that their worker cannot do are parked, until a worker that can do them claims them.
-- KEYS  4 global, 10 of the queue, needs, unable
-- ARGV  channel, queue, then for each job: id, token, what it needs (JSON)
-- Returns the ids that were refused because the claim has another token.
local NEEDS, UNABLE = KEYS[#KEYS - 1], KEYS[#KEYS]
local q = queue_at(5)
local refused = {}
local virtual_time = tonumber(redis.call('HGET', q.meta, 'virtual_time') or '0')
for i = 3, #ARGV, 3 do
  local id, token, need = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('HGET', CLAIMS, id) ~= token then
    refused[#refused + 1] = id
  else
    local owner, priority = parse(redis.call('HGET', JOBS, id))
    end_claim(q, ARGV[2], id, owner, token)
    redis.call('ZREM', q.limiter_starts, token .. id) -- it did not start
    local digest = redis.sha1hex(need)
    local score = string.format('%016.0f', priority * TAGS + virtual_time)
    local member = NEED .. digest .. SEP .. score .. SEP .. id
    redis.call('ZADD', q.parked, 0, member)
    redis.call('HSET', UNABLE, id, member)
    redis.call('HSET', NEEDS, digest, need)
  end
end
redis.call('PUBLISH', ARGV[1], 'needs:' .. ARGV[2])
return refused

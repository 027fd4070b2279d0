-- Restores jobs that are active on record and that Redis lost, under their own tokens with new leases.
-- A living worker goes on renewing its lease; the lease of a dead one expires.
-- KEYS  4 global, 10 of the queue
-- ARGV  queue, lease (ms), then for each job: id, owner, priority, token
-- Returns the number of jobs restored. Jobs that Redis knows are left alone.
local q = queue_at(5)
local now, added = now_ms(), 0
for i = 3, #ARGV, 4 do
  local id, owner, token = ARGV[i], ARGV[i + 1], ARGV[i + 3]
  if redis.call('HSETNX', JOBS, id, pack(owner, tonumber(ARGV[i + 2]), now)) == 1 then
    added = added + 1
    redis.call('HSET', CLAIMS, id, token)
    redis.call('ZADD', q.active, whole(now + tonumber(ARGV[2])), id)
    redis.call('HINCRBY', RUNNING, running_field(token, ARGV[1]), 1)
    count_unfinished(q, owner, 1)
    local name = payer(owner)
    if name ~= '' then redis.call('HINCRBY', q.owner_active, name, 1) end
    for _, limit in ipairs(limits_of(owner)) do redis.call('HINCRBY', queue_key_of(q, 'limit_active'), limit.group, 1) end
  end
end
return added

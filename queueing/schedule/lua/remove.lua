-- Removes jobs in any state. Workers that run one are notified.
-- KEYS  4 global, 10 of the queue, needs, unable
-- ARGV  channel, queue, ids
-- Returns for each id: 0 unknown, 1 was waiting, 2 was delayed, 3 was active.
local NEEDS, UNABLE = KEYS[#KEYS - 1], KEYS[#KEYS]
local q = queue_at(5)
local found, is_weighted = {}, redis.call('HGET', q.meta, 'weighted')

-- Removes the job from the jobs that are parked, if it is one of them.
local function remove_parked(id, owner)
  local unable = redis.call('HGET', UNABLE, id)
  local member = unable or parked_member(q, id, owner)
  if member then redis.call('ZREM', q.parked, member) end
  if unable then
    redis.call('HDEL', UNABLE, id)
    forget_need(q, NEEDS, string.match(unable, '^' .. NEED .. '(%x+)'))
  end
end

for i = 3, #ARGV do
  local id, was = ARGV[i], 0
  local text = redis.call('HGET', JOBS, id)
  if text then
    local owner = parse(text)
    local token = redis.call('HGET', CLAIMS, id)
    if token then
      end_claim(q, ARGV[2], id, owner, token)
      redis.call('PUBLISH', ARGV[1], 'cancel:' .. id)
      was = 3
    elseif redis.call('ZREM', q.delayed, id) == 1 then
      was = 2
    else
      was = 1
      if redis.call('ZREM', q.waiting, id) == 0 then remove_parked(id, owner) end
      leave_share(q, id, owner)
      local name = payer(owner)
      unpark(q, name) -- the end of this job would have put the next one back in line
      for _, limit in ipairs(limits_of(owner)) do
        redis.call('HDEL', queue_key_of(q, 'limit_parked'), id)
        unpark(q, limit.group)
      end
      if redis.call('ZSCORE', q.owner_finish_tags, name) then -- a job that never ran is not charged to its owner
        redis.call('ZINCRBY', q.owner_finish_tags, -cost_of(name, is_weighted), name)
      end
    end
    forget(q, id, owner)
  end
  found[#found + 1] = was
end
redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2])
return found

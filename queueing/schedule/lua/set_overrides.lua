-- Sets what operators changed of a queue in its `meta`, and removes every other change of theirs.
-- KEYS  4 global, 10 of the queue
-- ARGV  channel, queue, JSON object of the changed fields (text -> text),
--       expected overrides_version, new overrides_version
-- Returns 1 if something changed; workers then read the limits and their number of slots again. Returns 0 if
-- nothing changed. Returns -1, with nothing written, if the version is not the expected one: the record may
-- have changed since the caller read it.
local FIELDS = {'paused', 'concurrency', 'global_concurrency', 'owner_concurrency', 'limiter_max', 'limiter_ms'}
local q = queue_at(5)
if (redis.call('HGET', q.meta, 'overrides_version') or '') ~= ARGV[4] then return -1 end
redis.call('HSET', q.meta, 'overrides_version', ARGV[5])
local wanted, changed = cjson.decode(ARGV[3]), {}
for i, old in ipairs(redis.call('HMGET', q.meta, unpack(FIELDS))) do
  local name = FIELDS[i]
  if (old or nil) ~= wanted[name] then
    changed[name] = true
    if wanted[name] then
      redis.call('HSET', q.meta, name, wanted[name])
    else
      redis.call('HDEL', q.meta, name)
    end
  end
end
if next(changed) == nil then return 0 end
-- Jobs are parked because their owners, or shares, were at their maximum. With another maximum they may not be. The
-- groups of needs sort before both, and stay.
while changed.owner_concurrency do
  local parked = redis.call('ZRANGEBYLEX', q.parked, '(' .. NEED .. '\255', '+', 'LIMIT', 0, 1000)
  if not parked[1] then break end
  local back = {}
  for _, member in ipairs(parked) do
    local score, id = string.match(member, '\31(%d+)\31(.*)$')
    back[#back + 1] = score
    back[#back + 1] = id
  end
  redis.call('ZADD', q.waiting, unpack(back))
  redis.call('ZREM', q.parked, unpack(parked))
end
redis.call('PUBLISH', ARGV[1], 'limits:' .. ARGV[2])
return 1

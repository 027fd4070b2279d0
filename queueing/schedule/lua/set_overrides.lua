-- Makes a queue's `meta` say what operators changed, and nothing else that they could have changed.
-- KEYS  4 global, 9 of the queue
-- ARGV  channel, queue, JSON object of the changed fields (text -> text),
--       `told` as it was before the record was read, `told` from now on
-- Returns 1 if that was news, 0 if not. Workers then look again, at their own number of slots, too.
-- Returns -1, with nothing done, when somebody told of the queue meanwhile: the record may say more by now.
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
-- Owners at their cap stepped aside; under another cap they may not be at it.
while changed.owner_concurrency do
  local parked = redis.call('ZRANGE', q.parked, 0, 999)
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

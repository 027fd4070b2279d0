-- Sets weights of owners and shares, and marks the queues as weighted while there are any.
-- KEYS  4 global, 10 of each queue, weights (hash: see common.lua)
-- ARGV  expected version, new version, 1 to remove every other weight else 0, JSON object of owner -> weight (1 removes it)
-- Returns 1 if something changed and 0 if nothing did; -1, with nothing written, if the version is not the expected
-- one: the record may have changed since the caller read it.
local WEIGHTS = KEYS[#KEYS]
if (redis.call('HGET', WEIGHTS, '') or '') ~= ARGV[1] then return -1 end
local wanted, changed = cjson.decode(ARGV[4]), 0
for _, name in ipairs(ARGV[3] == '1' and redis.call('HKEYS', WEIGHTS) or {}) do
  if name ~= '' then wanted[name] = wanted[name] or 1 end
end
for name, weight in pairs(wanted) do
  if weight == 1 then
    changed = math.max(changed, redis.call('HDEL', WEIGHTS, name))
  elseif redis.call('HGET', WEIGHTS, name) ~= whole(weight) then
    redis.call('HSET', WEIGHTS, name, whole(weight))
    changed = 1
  end
end
redis.call('HSET', WEIGHTS, '', ARGV[2])
if redis.call('HLEN', WEIGHTS) > 1 then
  for first = 5, #KEYS - QUEUE_KEYS, QUEUE_KEYS do
    changed = math.max(changed, redis.call('HSET', queue_at(first).meta, 'weighted', 1))
  end
end
return changed

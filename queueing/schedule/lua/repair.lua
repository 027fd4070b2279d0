-- Compares jobs that are unfinished on record with what Redis knows of them. Every script leaves a job in one
-- place, so a job without a place is one that Redis lost: with a key that was evicted or deleted. What is
-- left of such a job is removed, so that the caller can put it back. A claim without a lease gets a new one.
-- KEYS  4 global, 10 of the queue, needs, unable
-- ARGV  lease (ms), ids
-- Returns {1 if the counters must be counted again (see recount.lua) else 0, the unknown ids}.
local NEEDS, UNABLE = KEYS[#KEYS - 1], KEYS[#KEYS]
local q = queue_at(5)
local lease_ends = whole(now_ms() + tonumber(ARGV[1]))
local reply, in_doubt, counted = {0}, {}, {['']=true}

-- Removes all that Redis knows of a job.
local function remove_traces(id)
  local found = 0
  for _, set in ipairs({q.waiting, q.delayed, q.active}) do found = found + redis.call('ZREM', set, id) end
  for _, places in ipairs({UNABLE, queue_key_of(q, 'limit_parked')}) do
    local member = redis.call('HGET', places, id)
    if member then
      redis.call('ZREM', q.parked, member)
      redis.call('HDEL', places, id)
    end
  end
  found = found + redis.call('HDEL', CLAIMS, id) + redis.call('HDEL', JOBS, id)
  if found > 0 then reply[1] = 1 end
  reply[#reply + 1] = id
end

-- Returns whether a job that no worker can do is parked as it should be.
local function is_parked_by_need(id)
  local member = redis.call('HGET', UNABLE, id)
  if not member or not redis.call('ZSCORE', q.parked, member) then return false end
  return redis.call('HEXISTS', NEEDS, string.match(member, '^' .. NEED .. '(.-)' .. SEP)) == 1
end

local function is_parked_by_limit(id, owner)
  if not limits_of(owner)[1] then return false end
  local member = redis.call('HGET', queue_key_of(q, 'limit_parked'), id)
  return member and redis.call('ZSCORE', q.parked, member)
end

for i = 2, #ARGV do
  local id = ARGV[i]
  local text, claim = redis.call('HGET', JOBS, id), redis.call('HGET', CLAIMS, id)
  local owner = text and parse(text)
  if not text or (not claim and redis.call('ZSCORE', q.active, id)) then
    remove_traces(id)
  elseif claim then
    if redis.call('ZADD', q.active, 'NX', lease_ends, id) == 1 then reply[1] = 1 end
  elseif not redis.call('ZSCORE', q.waiting, id) and not redis.call('ZSCORE', q.delayed, id)
      and not is_parked_by_need(id) and not is_parked_by_limit(id, owner) then
    local name = payer(owner)
    in_doubt[name] = in_doubt[name] or {}
    table.insert(in_doubt[name], id)
  end
  owner = owner and without_limits(owner)
  if owner and not counted[owner] then
    counted[owner] = true
    if redis.call('HEXISTS', q.owner_unfinished, owner) == 0 then reply[1] = 1 end
  end
end

-- The rest is parked behind its owners, or lost. Counting is cheap; only too few members are looked at.
for owner, ids in pairs(in_doubt) do
  local from, to = members_of(owner)
  local parked = {}
  if owner ~= '' and redis.call('ZLEXCOUNT', q.parked, from, to) >= #ids then
    parked = nil
  elseif owner ~= '' then
    for _, member in ipairs(redis.call('ZRANGEBYLEX', q.parked, from, to)) do
      parked[string.match(member, '([^\31]*)$')] = true
    end
  end
  for _, id in ipairs(ids) do
    if parked and not parked[id] then remove_traces(id) end
  end
end
return reply

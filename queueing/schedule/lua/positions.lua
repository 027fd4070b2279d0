-- Finds where jobs are. Changes nothing; O(log n) each.
-- KEYS  4 global, 10 of the queue, needs, unable
-- ARGV  ids
-- Returns state and number of each: waiting and the number n of jobs before it (-1 - n if it waits for a worker
-- that can do it); limit:<name> and n, if it waits for a limit of this name;
-- delayed, or failing if its provider failed, and the ms until it is due; active and 0;
-- unknown and 0.
local UNABLE = KEYS[#KEYS]
local q = queue_at(5)
local now = now_ms()
local provider = redis.call('HGET', q.meta, 'breaker')

-- Returns the number of jobs before a member of `parked`, or nil if there is no such member.
local function jobs_before(member)
  if not member or not redis.call('ZSCORE', q.parked, member) then return nil end
  local group, score = string.match(member, '^(.-)\31(%d+)\31')
  local own = redis.call('ZLEXCOUNT', q.parked, '[' .. group .. SEP, '(' .. member)
  return redis.call('ZCOUNT', q.waiting, '-inf', '(' .. score) + own
end

-- Returns state and number of a parked job, or nil if it is not parked.
local function place_of_parked(id)
  local before = jobs_before(redis.call('HGET', UNABLE, id))
  if before then return 'waiting', -1 - before end
  local text = redis.call('HGET', JOBS, id)
  local member = text and parked_member(q, id, (parse(text)))
  local limit = member and string.match(member, '^' .. LIMIT .. '([^\28]*)\28')
  return limit and 'limit:' .. limit or 'waiting', jobs_before(member)
end

local reply = {}
for i, id in ipairs(ARGV) do
  local state, number = 'waiting', redis.call('ZRANK', q.waiting, id)
  if not number then
    local due = redis.call('ZSCORE', q.delayed, id)
    if due then
      state, number = 'delayed', math.max(0, due - now)
      if provider and redis.call('HEXISTS', breaker_of(provider), 'job:' .. id) == 1 then state = 'failing' end
    elseif redis.call('ZSCORE', q.active, id) then
      state, number = 'active', 0
    else
      state, number = place_of_parked(id)
      if not number then state, number = 'unknown', 0 end
    end
  end
  reply[2 * i - 1], reply[2 * i] = state, number
end
return reply

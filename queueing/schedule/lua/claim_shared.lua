-- Placed between common.lua and the scripts that claim jobs (claim.lua, claim_suspect.lua, submit.lua) or count a late start
-- (count_late_start.lua).
--
-- The terms of a claim are its ARGV: token, lease (ms), ageing (ms a level), slots, the worker's channel for
-- jobs that are handed to it, 0 if none may be (1: it has no claims, 2: it has some), then for each queue: name, priority,
-- concurrency, global_concurrency, limiter max (0: none), limiter duration (ms), owner_concurrency. What
-- follows these is for claim.lua.
local FIRST_TERMS, TERMS = 7, 7
local now, token, lease, slots = now_ms(), nil, nil, nil
local next_at = nil
local probing = {} -- providers of which this claim probes one

-- Writes the terms of one queue, from the `i`th on, to `q`.
local function read_terms(q, terms, i)
  q.name, q.priority, q.concurrency, q.global_concurrency = terms[i], tonumber(terms[i + 1]), terms[i + 2], terms[i + 3]
  q.limiter_max, q.limiter_ms, q.owner_concurrency = terms[i + 4], terms[i + 5], tonumber(terms[i + 6])
end

local function wake_at(moment)
  if not next_at or moment < next_at then next_at = moment end
end

-- Returns the number of starts that the limiter's sliding window still allows.
local function limiter_room(q)
  local last = redis.call('ZRANGE', q.limiter_starts, -1, -1, 'WITHSCORES')
  if last[2] and tonumber(last[2]) > now then -- the clock was set back: these starts count as now
    for _, start in ipairs(redis.call('ZRANGEBYSCORE', q.limiter_starts, '(' .. now, '+inf')) do
      redis.call('ZADD', q.limiter_starts, now, start)
    end
  end
  redis.call('ZREMRANGEBYSCORE', q.limiter_starts, '-inf', now - q.limiter_ms)
  local left = q.limiter_max - redis.call('ZCARD', q.limiter_starts)
  if left <= 0 then
    local first = redis.call('ZRANGE', q.limiter_starts, 0 - left, 0 - left, 'WITHSCORES') -- -left could be -0
    wake_at(tonumber(first[2]) + q.limiter_ms + 1)
  end
  return left
end

-- Returns 0 during a cooldown, then a share of the concurrency that grows for as long as the cooldown lasted.
local function cooldown_room(q, ends, length)
  if ends > now + length then -- the clock was set back: no wait is longer than requested
    ends = now + length
    redis.call('HSET', q.meta, 'cooldown', whole(ends))
  end
  if ends > now then
    wake_at(ends + 1)
    return 0
  end
  local ramp = math.min(length, 30000)
  if now >= ends + ramp then return math.huge end
  wake_at(now + 500)
  local share = math.max(1, math.floor(q.concurrency * (now - ends) / ramp))
  return share - redis.call('ZCARD', q.active)
end

-- Returns 1 if a probe of an open breaker may start, 0 if none may, and nil if the breaker is closed.
local function probe_room(q, provider)
  local breaker = breaker_of(provider)
  local ends, known = next_probe(breaker, now)
  if not known then -- its last failure is long ago
    redis.call('HDEL', q.meta, 'breaker')
    return nil
  end
  q.is_watched = true
  if not ends then return nil end
  if ends > now or probing[provider] then
    wake_at(math.max(now, ends) + 1)
    return 0
  end
  probing[provider] = true -- of all queues of this claim one job starts
  q.breaker = breaker
  return 1
end

-- Returns the number of jobs that may start on the queue now.
local function room(q)
  local live = redis.call('HMGET', q.meta, 'paused', 'concurrency', 'global_concurrency',
    'limiter_max', 'limiter_ms', 'cooldown', 'cooldown_ms', 'owner_concurrency', 'breaker', 'reserved')
  q.concurrency = tonumber(live[2] or q.concurrency)
  q.limiter_max = tonumber(live[4] or q.limiter_max)
  q.limiter_ms = tonumber(live[5] or q.limiter_ms)
  q.owner_concurrency = tonumber(live[8] or q.owner_concurrency)
  if live[1] then return 0 end
  local running = tonumber(redis.call('HGET', RUNNING, running_field(token, q.name)) or '0')
  local left = q.concurrency - running
  q.cluster_left = left
  local everywhere = tonumber(live[3] or q.global_concurrency)
  if everywhere > 0 then left = math.min(left, everywhere - redis.call('ZCARD', q.active)) end
  if left > 0 and q.limiter_max > 0 then left = math.min(left, limiter_room(q)) end
  local probes = left > 0 and live[9] and probe_room(q, live[9])
  if probes then
    left = math.min(left, probes)
  elseif left > 0 and live[6] then
    left = math.min(left, cooldown_room(q, tonumber(live[6]), tonumber(live[7])))
  end
  -- A suspect waits for this slot (claim_suspect.lua): in a busy queue it would never find one.
  if live[10] and not q.is_for_suspect and tonumber(live[10]) > now then
    left = left - 1
    wake_at(tonumber(live[10]))
  end
  return math.min(left, slots)
end

-- Returns the number of active jobs of a group, with those that this claim has found.
local function active_of(q, group, counters)
  local active = q.seen[group] or tonumber(redis.call('HGET', counters, group) or '0')
  q.seen[group] = active
  return active
end

-- Returns the group of the job that is at its maximum: its owner, or share, or one of its limits. Returns nil and
-- counts the job if each has room.
local function full_group(q, owner)
  if owner == '' then return nil end
  local name, limits = payer(owner), limits_of(owner)
  local is_capped = name ~= '' and q.owner_concurrency > 0
  if is_capped and active_of(q, name, q.owner_active) >= q.owner_concurrency then return name end
  local counters = limits[1] and queue_key_of(q, 'limit_active')
  for _, limit in ipairs(limits) do
    if active_of(q, limit.group, counters) >= limit.most then return limit.group end
  end
  if is_capped then q.seen[name] = q.seen[name] + 1 end
  for _, limit in ipairs(limits) do q.seen[limit.group] = q.seen[limit.group] + 1 end
  return nil
end

-- Parks a job behind a group that is at its maximum. Notes the other groups of the job that have room in `q.has_room`:
-- their next parked jobs return in line, since this one does not take the room.
local function park(q, id, owner, score, full)
  local member = full .. SEP .. string.format('%016.0f', score) .. SEP .. id
  redis.call('ZREM', q.waiting, id)
  redis.call('ZADD', q.parked, 0, member)
  local limits = limits_of(owner)
  if not limits[1] then return end
  if string.sub(full, 1, 1) == LIMIT then redis.call('HSET', queue_key_of(q, 'limit_parked'), id, member) end
  local name, counters = payer(owner), queue_key_of(q, 'limit_active')
  if name ~= full and q.owner_concurrency > 0 and active_of(q, name, q.owner_active) < q.owner_concurrency then
    q.has_room[#q.has_room + 1] = name
  end
  for _, limit in ipairs(limits) do
    if limit.group ~= full and active_of(q, limit.group, counters) < limit.most then
      q.has_room[#q.has_room + 1] = limit.group
    end
  end
end

-- Puts the next parked jobs of the noted groups in line. Returns the ids of the jobs that were found before.
local function use_room(q)
  for _, group in ipairs(q.has_room) do unpark(q, group) end
  local found = {}
  for _, job in ipairs(q.found) do found[job.id] = true end
  q.has_room = {}
  return found
end

-- Finds up to `left` jobs in line order. Jobs whose owner, or one of whose limits, is at its maximum are moved to `parked`.
local function find(q, left)
  q.found, q.seen, q.has_room = {}, {}, {}
  local from, found = 0, {}
  for _ = 1, 10 do
    local line = redis.call('ZRANGE', q.waiting, from, from + left - #q.found - 1, 'WITHSCORES')
    if #line == 0 then return end
    local ids = {}
    for i = 1, #line, 2 do ids[#ids + 1] = line[i] end
    for i, text in ipairs(redis.call('HMGET', JOBS, unpack(ids))) do
      local owner, _, ready = parse(text)
      local full = not found[ids[i]] and full_group(q, owner)
      if full then
        park(q, ids[i], owner, line[2 * i], full)
      else
        if not found[ids[i]] then
          q.found[#q.found + 1] = {id = ids[i], owner = owner, ready = ready, score = tonumber(line[2 * i])}
        end
        from = from + 1
      end
    end
    if q.has_room[1] then from, found = 0, use_room(q) end
    if #q.found >= left then return end
  end
  wake_at(now)
end

-- Counts an active job of its owner and of its limits.
local function count_active(q, id, owner)
  local name, limits = payer(owner), limits_of(owner)
  if name ~= '' then
    redis.call('HINCRBY', q.owner_active, name, 1)
    leave_share(q, id, owner)
  end
  for _, limit in ipairs(limits) do redis.call('HINCRBY', queue_key_of(q, 'limit_active'), limit.group, 1) end
  if limits[1] then redis.call('HDEL', queue_key_of(q, 'limit_parked'), id) end
end

-- Claims the first `q.take` jobs of `q.found`, and adds them to `reply`.
local function take(q, reply, number)
  if q.take == 0 then return end
  local ids, claims, active, starts, virtual_time = {}, {}, {}, {}, 0
  local lease_ends, stamp = whole(now + lease), q.limiter_max > 0 and whole(now)
  for i = 1, q.take do
    local job = q.found[i]
    ids[i] = job.id
    claims[2 * i - 1], claims[2 * i] = job.id, token
    active[2 * i - 1], active[2 * i] = lease_ends, job.id
    if stamp then starts[2 * i - 1], starts[2 * i] = stamp, token .. job.id end
    virtual_time = math.max(virtual_time, job.score % TAGS)
    if job.owner ~= '' then count_active(q, job.id, job.owner) end
    reply[#reply + 1] = job.id
    reply[#reply + 1] = q.limiter_max > 0 and -number or number
    local waited = math.max(0, now - job.ready)
    reply[#reply + 1] = q.is_watched and -1 - waited or waited
  end
  if q.breaker then begin_probe(q.breaker, ids[1], now) end
  redis.call('ZREM', q.waiting, unpack(ids))
  redis.call('ZADD', q.active, unpack(active))
  redis.call('HSET', CLAIMS, unpack(claims))
  redis.call('HINCRBY', RUNNING, running_field(token, q.name), q.take)
  if stamp then redis.call('ZADD', q.limiter_starts, unpack(starts)) end
  if virtual_time > tonumber(redis.call('HGET', q.meta, 'virtual_time') or '0') then
    redis.call('HSET', q.meta, 'virtual_time', whole(virtual_time))
    redis.call('ZREMRANGEBYSCORE', q.owner_finish_tags, '-inf', virtual_time)
  end
end

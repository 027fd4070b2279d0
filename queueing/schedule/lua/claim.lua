-- Claims jobs that a worker may run now: across queues by priority with ageing, within each queue in line
-- order, and never beyond concurrency, limiter, pause, cooldown or the maximum of an owner.
-- KEYS  4 global, then 10 of each queue, idle (hash: channel of a worker with free slots -> its terms), needs, unable
-- ARGV  the terms, see claim_shared.lua; then the needs that the worker meets, if jobs are parked for any: JSON
--       {queue: [digest, ...]}, else empty
-- Returns {ms until another claim may bring more (-1: unknown), then for each job: id, number of its queue
-- (from 1; negative if the limiter counted the job), ms waited (-1 - ms if the provider is watched, see
-- breaker.lua)}.
local IDLE, NEEDS, UNABLE = KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS]
token, lease, slots = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local ageing = tonumber(ARGV[3])
local TURN = 4
local able = ARGV[#ARGV] == '' and {} or cjson.decode(ARGV[#ARGV])

local function promote_due(q)
  local due = redis.call('ZRANGEBYSCORE', q.delayed, '-inf', now, 'LIMIT', 0, 500)
  if #due > 0 then
    local batch = {}
    for i, text in ipairs(redis.call('HMGET', JOBS, unpack(due))) do
      local owner, priority = parse(text)
      batch[i] = {id = due[i], owner = owner, priority = priority}
      redis.call('HSET', JOBS, due[i], pack(owner, priority, now))
    end
    redis.call('ZREM', q.delayed, unpack(due))
    put_in_line(q, batch)
  end
  local first = redis.call('ZRANGE', q.delayed, 0, 0, 'WITHSCORES')
  if first[2] then wake_at(tonumber(first[2])) end
end

-- With more jobs than slots, the queue whose next job has the lowest priority number goes first. Every
-- `ageing` ms of waiting lower that number by one.
local function share_out(queues)
  for _, q in ipairs(queues) do q.take = 0 end
  for _ = 1, slots do
    local best, rank
    for _, q in ipairs(queues) do
      local job = q.found[q.take + 1]
      if job then
        local aged = q.priority - math.max(0, now - job.ready) / ageing
        if not best or aged < rank then best, rank = q, aged end
      end
    end
    if not best then break end
    best.take = best.take + 1
  end
end

-- Returns the first job of the next priority above `priority`, with its score, or nil.
local function first_above(q, priority)
  local found = redis.call('ZRANGEBYSCORE', q.waiting, whole((priority + 1) * TAGS), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return found[1], tonumber(found[2])
end

-- Inside a queue the first priority goes first. But while jobs of several priorities wait, one of every TURN starts
-- is the turn of another priority, of each of them in order. Its first job goes first if it has waited `ageing`
-- ms; its score is then one of priority 0.
local function take_turns(q, left)
  local first = redis.call('ZRANGE', q.waiting, 0, 0, 'WITHSCORES')
  local last = redis.call('ZRANGE', q.waiting, -1, -1, 'WITHSCORES')
  if not first[1] then return end
  local best = math.floor(first[2] / TAGS)
  if math.floor(last[2] / TAGS) == best then return end
  local starts, latest = unpack(redis.call('HMGET', q.meta, 'turn_starts', 'turn_priority'))
  q.turns, q.starts, latest = {}, tonumber(starts or '0'), tonumber(latest or '0')
  for n = 1, math.floor((q.starts + left) / TURN) do
    local id, score = first_above(q, math.max(latest, best))
    if not id then id, score = first_above(q, best) end
    if not id then return end
    latest = math.floor(score / TAGS)
    local _, _, ready = parse(redis.call('HGET', JOBS, id))
    local moved = now - ready >= ageing
    if moved then redis.call('ZADD', q.waiting, whole(score % TAGS), id) end
    q.turns[n] = {id = id, score = score, priority = latest, moved = moved, at = n * TURN - q.starts}
  end
end

-- Counts the starts and the turns that were used. The jobs of others go back to their places.
local function count_turns(q)
  if not q.turns then return end
  local starts = q.starts + q.take
  for _, turn in ipairs(q.turns) do
    local used = turn.at <= q.take
    if turn.moved then
      used = not redis.call('ZSCORE', q.waiting, turn.id)
      if not used then redis.call('ZADD', q.waiting, whole(turn.score), turn.id) end
    end
    if used then
      starts = starts - TURN
      redis.call('HSET', q.meta, 'turn_priority', whole(turn.priority))
    end
  end
  redis.call('HSET', q.meta, 'turn_starts', whole(starts))
end

-- Puts the first `most` jobs of each group that this worker can do in line, at their places.
local function unpark_able(q, most)
  for _, digest in ipairs(able[q.name]) do
    local from, to = members_of(NEED .. digest)
    for _, member in ipairs(redis.call('ZRANGEBYLEX', q.parked, from, to, 'LIMIT', 0, most)) do
      local score, id = string.match(member, '\31(%d+)\31(.*)$')
      redis.call('ZREM', q.parked, member)
      redis.call('ZADD', q.waiting, score, id)
      q.unparked[id] = member
    end
  end
end

-- Parks those of them again that were not claimed: other workers may be unable to do them.
local function park_rest(q)
  if not able[q.name] then return end
  for id, member in pairs(q.unparked) do
    if redis.call('ZREM', q.waiting, id) == 1 then
      redis.call('ZADD', q.parked, 0, member)
    else
      redis.call('HDEL', UNABLE, id)
    end
  end
  for _, digest in ipairs(able[q.name]) do forget_need(q, NEEDS, digest) end
end

-- Lists the worker if slots are left: submit.lua hands the next job to it. A worker that has claims is not
-- listed with queues of which its cluster runs all that it may: it claims when one of its own jobs ends.
local function list_as_idle(claimed, left)
  if left < 1 or ARGV[6] == '0' then return redis.call('HDEL', IDLE, ARGV[5]) end
  local terms = {unpack(ARGV, 1, FIRST_TERMS - 1)}
  for number, q in ipairs(claimed) do
    if ARGV[6] == '1' or not q.cluster_left or q.cluster_left > q.take then
      local first = FIRST_TERMS + (number - 1) * TERMS
      for i = first, first + TERMS - 1 do terms[#terms + 1] = ARGV[i] end
    end
  end
  redis.call('HSET', IDLE, ARGV[5], cjson.encode(terms))
end

-- A Redis that lost its data does not know which jobs are active, so no limit would hold.
if redis.call('EXISTS', RECONCILED) == 0 then return {500} end

local queues, total = {}, 0
for i = FIRST_TERMS, #ARGV - 1, TERMS do
  local q = queue_at(5 + QUEUE_KEYS * #queues)
  read_terms(q, ARGV, i)
  promote_due(q)
  q.found, q.unparked = {}, {}
  if able[q.name] or redis.call('ZCARD', q.waiting) > 0 then
    local left = room(q)
    if left > 0 and able[q.name] then unpark_able(q, left) end
    if left > 0 then
      take_turns(q, left)
      find(q, left)
    end
    if #q.found < left and next(q.unparked) then wake_at(now) end -- the groups may have more
  end
  q.take = #q.found
  total = total + q.take
  queues[#queues + 1] = q
end
if total > slots then share_out(queues) end
local reply = {0}
for number, q in ipairs(queues) do
  take(q, reply, number)
  count_turns(q)
  park_rest(q)
end
list_as_idle(queues, slots - (#reply - 1) / 3)
reply[1] = next_at and math.max(0, next_at - now) or -1
return reply

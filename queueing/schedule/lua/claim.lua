-- Hands a worker what it may run now: across queues by priority with ageing, within each queue in
-- line order, never beyond concurrency, limiter, pause, cooldown or an owner's cap.
-- KEYS  4 global, then 9 of each queue, idle (hash: a worker's channel -> its terms)
-- ARGV  the terms, see claim_shared.lua
-- Returns {ms until something may become possible (-1: nothing known), then id, queue's number
-- (from 1; negative if its limiter counted the job) and ms waited of each job}.
token, lease, slots = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local ageing = tonumber(ARGV[3])

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

-- With more work than slots, the next job of the queue with the best priority goes first, and every
-- `ageing` ms it has waited lift it by one.
local function share_out(queues)
  local chosen = {}
  for _, q in ipairs(queues) do q.take = 0 end
  for _ = 1, slots do
    local best, rank
    for _, q in ipairs(queues) do
      local job = q.found[q.take + 1]
      if job then
        local mine = q.priority - (now - job.ready) / ageing
        if not best or mine < rank then best, rank = q, mine end
      end
    end
    if not best then break end
    best.take = best.take + 1
  end
end

-- A Redis that lost its memory does not know what runs already: no limit could be kept.
if redis.call('EXISTS', RECONCILED) == 0 then return {500} end

local queues, total = {}, 0
for i = FIRST_TERMS, #ARGV, TERMS do
  local q = queue_at(5 + 9 * #queues)
  agree(q, ARGV, i)
  promote_due(q)
  q.found = {}
  if redis.call('ZCARD', q.waiting) > 0 then
    local left = room(q)
    if left > 0 then find(q, left) end
  end
  q.take = #q.found
  total = total + q.take
  queues[#queues + 1] = q
end
if total > slots then share_out(queues) end
local reply = {0}
for number, q in ipairs(queues) do take(q, reply, number) end
-- Who stands idle is handed the next job as it is submitted.
if #reply == 1 and ARGV[6] == '1' then
  redis.call('HSET', KEYS[#KEYS], ARGV[5], cjson.encode(ARGV))
else
  redis.call('HDEL', KEYS[#KEYS], ARGV[5])
end
reply[1] = next_at and math.max(0, next_at - now) or -1
return reply

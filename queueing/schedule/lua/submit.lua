-- Adds jobs to the schedule. Jobs that Redis knows stay where they are, so a second call, or reconciling,
-- changes nothing.
-- KEYS  4 global, 10 of the queue, idle (hash: channel of a worker with free slots -> its terms, see claim_shared.lua)
-- ARGV  channel, queue, JSON list of [id, owner, priority, delay (ms; 0: now)]
-- If one job is new and a listed worker may run it, the first job in line is claimed for that worker immediately.
-- This saves a round trip, and does not wake the other workers.
-- Returns the number of jobs that were new.
local q = queue_at(5)
local IDLE = KEYS[#KEYS]
local PICKS = 8 -- workers that are tried at random before all of them
local WAKE_MS = 100 -- between two notifications that there are more jobs in line
local batch, added, is_next = {}, 0, false
for _, job in ipairs(cjson.decode(ARGV[3])) do
  local id, owner, priority, delay = unpack(job)
  if redis.call('HSETNX', JOBS, id, pack(owner, priority, now + delay)) == 1 then
    added = added + 1
    count_unfinished(q, owner, 1)
    if delay > 0 then
      redis.call('ZADD', q.delayed, whole(now + delay), id)
      is_next = is_next or redis.call('ZRANGE', q.delayed, 0, 0)[1] == id
    else
      batch[#batch + 1] = {id = id, owner = owner, priority = priority}
    end
  end
end
put_in_line(q, batch)

-- Claims the first job in line for the worker that listens to `channel`, if it may run it. Returns whether it did.
local function hand_to(channel, terms)
  for i = FIRST_TERMS, #terms, TERMS do
    if terms[i] == ARGV[2] then
      read_terms(q, terms, i)
      token, lease, slots = terms[1], tonumber(terms[2]), 1
      if room(q) < 1 or q.is_watched then return false end -- claim.lua starts probes
      find(q, 1)
      local job = q.found[1]
      if not job then return false end
      redis.call('HDEL', IDLE, channel) -- until its next claim, so a worker that hangs gets one job and no more
      if redis.call('PUBLISH', channel, 'job:' .. cjson.encode({token, q.name, job.id, now, q.limiter_max > 0})) == 0 then
        return false -- the worker is gone
      end
      q.take = 1
      take(q, {}, 1)
      return true
    end
  end
  return false
end

-- Returns whether one of these workers, a list of channels and terms, got the job.
local function handed_to_one_of(workers)
  for i = 1, #workers, 2 do
    if string.find(workers[i + 1], '"' .. ARGV[2] .. '"', 1, true) and hand_to(workers[i], cjson.decode(workers[i + 1])) then
      return true
    end
  end
  return false
end

-- Returns whether a worker with a free slot got the first job in line. Only while there is no other, all are tried.
local function handed_over(is_alone)
  if redis.call('EXISTS', RECONCILED) == 0 then return false end
  if handed_to_one_of(redis.call('HRANDFIELD', IDLE, PICKS, 'WITHVALUES')) then return true end
  return is_alone and handed_to_one_of(redis.call('HGETALL', IDLE))
end

-- Returns whether the workers must be notified of one new job in line. Those that could run the jobs before it
-- were notified of these, and claim until there are none, or know when to claim again.
local function must_wake(is_alone)
  if is_alone then return true end
  local woken = tonumber(redis.call('HGET', q.meta, 'woken') or '0')
  if woken <= now and now - woken < WAKE_MS then return false end
  redis.call('HSET', q.meta, 'woken', whole(now))
  return true
end

local function has_to_publish()
  if #batch ~= 1 then return is_next or #batch > 1 end
  local is_alone = redis.call('ZCARD', q.waiting) == 1
  return not handed_over(is_alone) and must_wake(is_alone) or is_next
end

if added > 0 and has_to_publish() then redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2]) end
return added

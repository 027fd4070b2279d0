-- Adds jobs to the schedule. Jobs that Redis knows stay where they are, so a second call, or reconciling,
-- changes nothing.
-- KEYS  4 global, 10 of the queue, idle (hash: channel of a worker -> its terms, see claim_shared.lua)
-- ARGV  channel, queue, JSON list of [id, owner, priority, delay (ms; 0: now)]
-- If the only job in line is new and a worker is idle, the job is claimed for that worker immediately. This
-- saves a round trip, and does not wake the other workers.
-- Returns the number of jobs that were new.
local q = queue_at(5)
local IDLE = KEYS[#KEYS]
local batch, added = {}, 0
for _, job in ipairs(cjson.decode(ARGV[3])) do
  local id, owner, priority, delay = unpack(job)
  if redis.call('HSETNX', JOBS, id, pack(owner, priority, now + delay)) == 1 then
    added = added + 1
    count_unfinished(q, owner, 1)
    if delay > 0 then
      redis.call('ZADD', q.delayed, whole(now + delay), id)
    else
      batch[#batch + 1] = {id = id, owner = owner, priority = priority}
    end
  end
end
put_in_line(q, batch)

-- Claims the only job in line for the worker that listens to `channel`. Returns whether it did.
local function hand_to(channel, terms)
  for i = FIRST_TERMS, #terms, TERMS do
    if terms[i] == ARGV[2] then
      read_terms(q, terms, i)
      token, lease, slots = terms[1], tonumber(terms[2]), 1
      if room(q) < 1 or q.is_watched then return false end -- claim.lua starts probes
      find(q, 1)
      local job = q.found[1]
      if not job then return false end
      redis.call('HDEL', IDLE, channel)
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

-- Returns whether an idle worker got the job.
local function handed_over()
  if #batch ~= 1 or redis.call('ZCARD', q.waiting) ~= 1 or redis.call('EXISTS', RECONCILED) == 0 then return false end
  local idle = redis.call('HRANDFIELD', IDLE, 1, 'WITHVALUES')
  return idle[1] and hand_to(idle[1], cjson.decode(idle[2]))
end

if added > 0 and not handed_over() then redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2]) end
return added

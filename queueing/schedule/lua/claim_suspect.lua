-- Claims one given job that is not in line, if its queue has room: a suspect, which runs alone. Without room,
-- the next slot of the queue is reserved for a suspect.
-- KEYS  4 global, 10 of the queue
-- ARGV  the terms of one queue, see claim_shared.lua, then id, owner and priority of the job
-- Returns as claim.lua does. A job that is claimed already is not claimed.
local RESERVED_MS = 5000 -- longer than a prober takes to look again
token, lease, slots = ARGV[1], tonumber(ARGV[2]), 1
local q = queue_at(5)
read_terms(q, ARGV, FIRST_TERMS)
local id, owner, priority = ARGV[FIRST_TERMS + TERMS], ARGV[FIRST_TERMS + TERMS + 1], ARGV[FIRST_TERMS + TERMS + 2]

if redis.call('EXISTS', RECONCILED) == 0 then return {500} end
if redis.call('HEXISTS', CLAIMS, id) == 1 then return {-1} end

local reply = {0}
q.seen, q.is_for_suspect = {}, true
if room(q) <= 0 then
  redis.call('HSET', q.meta, 'reserved', whole(now + RESERVED_MS))
elseif not full_group(q, owner) then
  redis.call('HDEL', q.meta, 'reserved')
  if redis.call('HSETNX', JOBS, id, pack(owner, tonumber(priority), now)) == 1 then
    count_unfinished(q, owner, 1)
  else -- it was put in line by a process that does not know suspects
    redis.call('ZREM', q.delayed, id)
    local member = parked_member(q, id, owner)
    if member then redis.call('ZREM', q.parked, member) end
  end
  q.found, q.take = {{id = id, owner = owner, ready = now, score = 0}}, 1
  take(q, reply, 1)
end
reply[1] = next_at and math.max(0, next_at - now) or -1
return reply

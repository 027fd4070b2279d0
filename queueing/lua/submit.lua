-- Puts jobs in the schedule. Those Redis knows already are left where they are, so that doing it
-- twice, or reconciling, changes nothing.
-- KEYS  4 global, 9 of the queue
-- ARGV  channel, queue, JSON list of [id, owner, priority, delay (ms; 0 is at once)]
-- Returns the number of jobs that were new.
local q = queue_at(5)
local now = now_ms()
local batch, added = {}, 0
for _, job in ipairs(cjson.decode(ARGV[3])) do
  local id, owner, priority, delay = unpack(job)
  if redis.call('HSETNX', JOBS, id, pack(owner, priority, now + delay)) == 1 then
    added = added + 1
    if owner ~= '' then redis.call('HINCRBY', q.held, owner, 1) end
    if delay > 0 then
      redis.call('ZADD', q.delayed, whole(now + delay), id)
    else
      batch[#batch + 1] = {id = id, owner = owner, priority = priority}
    end
  end
end
put_in_line(q, batch)
if added > 0 then redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2]) end
return added

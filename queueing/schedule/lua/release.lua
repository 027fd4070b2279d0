-- active -> waiting: a job is given back, by a worker that stops or for one that was lost. It goes to the
-- present of the line, without another charge to its owner; of jobs with equal scores the oldest goes first.
-- KEYS  4 global, 10 of the queue
-- ARGV  channel, queue, 1 to release only expired leases, 2 to let others pass, else 0, then for each job:
--       id, token
-- Returns the ids that were refused.
local q = queue_at(5)
local now, refused = now_ms(), {}

-- Puts the job behind the next job of each owner with the same priority.
local function put_behind(id, priority)
  local first = redis.call('ZRANGEBYSCORE', q.waiting, whole(priority * TAGS), '(' .. whole((priority + 1) * TAGS),
    'WITHSCORES', 'LIMIT', 0, 1)
  local virtual_time, is_weighted = present(q)
  local earliest = priority * TAGS + virtual_time
  redis.call('ZADD', q.waiting, whole(math.max(earliest, tonumber(first[2] or '0')) + (is_weighted and TURN_TIME or 1)), id)
end

for i = 4, #ARGV, 2 do
  local id, token = ARGV[i], ARGV[i + 1]
  local lease = tonumber(redis.call('ZSCORE', q.active, id) or 'inf')
  if redis.call('HGET', CLAIMS, id) ~= token or (ARGV[3] == '1' and lease > now) then
    refused[#refused + 1] = id
  else
    local owner, priority = parse(redis.call('HGET', JOBS, id))
    end_claim(q, ARGV[2], id, owner, token)
    redis.call('HSET', JOBS, id, pack(owner, priority, now))
    if ARGV[3] == '2' then
      put_behind(id, priority)
    else
      put_in_line(q, {{id = id, owner = '', priority = priority}})
    end
  end
end
redis.call('PUBLISH', ARGV[1], 'wake:' .. ARGV[2])
return refused
